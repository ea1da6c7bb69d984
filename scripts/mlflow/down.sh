#!/usr/bin/env bash
# Ends what `up.sh` started, by the process ids that it noted, and removes its folder: that of AUTHZ_PIN_MLFLOW_RUN, or
# the one that is named.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

run=${1:-${AUTHZ_PIN_MLFLOW_RUN:-}}
[[ -n "$run" ]] || die "nothing to end: AUTHZ_PIN_MLFLOW_RUN is not set"
[[ "$(basename "$run")" == authz-pin-mlflow.* && -d "$run" ]] || die "not a folder of up.sh: $run"

# The workers are children of the process that was started; it ends them.
end_mlflow() {
    local pid
    pid=$(cat "$run/mlflow.pid" 2>/dev/null) || return 0
    kill -0 "$pid" 2>/dev/null || return 0
    kill "$pid"
    for _ in $(seq 1 100); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -9 "$pid"
}

end_postgres() {
    [[ -s "$run/pg/postmaster.pid" ]] || return 0
    as_account "$(postgres_bin)/pg_ctl" -D "$run/pg" -m fast -w stop >/dev/null
}

end_mlflow
end_postgres
rm -rf "$run"

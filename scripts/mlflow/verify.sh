#!/usr/bin/env bash
# Proves the MLflow suite on a real MLflow: the records hold twice in a row and the database is as it was, a permission
# that is wider than it should be is a widening at the right cells, and so is a wider default.
#
#   cargo build && scripts/mlflow/verify.sh
#
# AUTHZ_PIN names the program (target/debug/authz-pin); for the rest see up.sh.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

root=$(cd "$here/../.." && pwd)
tool=${AUTHZ_PIN:-$root/target/debug/authz-pin}
work=$(mktemp -d)
AUTHZ_PIN_MLFLOW_RUN=

finish() {
    [[ -z "$AUTHZ_PIN_MLFLOW_RUN" ]] || "$here/down.sh" "$AUTHZ_PIN_MLFLOW_RUN"
    rm -rf "$work"
}
trap finish EXIT

section() { printf '\n== %s\n' "$*"; }

start() {
    up=$("$here/up.sh")
    eval "$up"
}

stop() {
    "$here/down.sh"
    AUTHZ_PIN_MLFLOW_RUN=
}

tables() { "$venv/bin/python" "$here/tables.py" "$AUTHZ_PIN_DATABASE_URL"; }

sql() { "$venv/bin/python" "$here/sql.py" "$AUTHZ_PIN_DATABASE_URL" "$@"; }

# The snapshots are copied, so that a `.snap.new` of what goes wrong on purpose waits nowhere.
check() {
    (cd "$root" && "$tool" check suites/mlflow --snapshots "$work/snapshots" "$@")
}

as_pinned() {
    tables >"$work/before"
    check
    tables >"$work/after"
    diff "$work/before" "$work/after" || die "the database is not as it was"
    echo "all $(wc -l <"$work/after" | tr -d ' ') tables have the rows that they had"
}

# widens CELL... : a check of the endpoints of these cells fails, and these cells and no others have widened.
widens() {
    local filters=() status=0 cell
    for cell in "$@"; do filters+=(--filter "${cell%%/*}"); done
    check "${filters[@]}" --format json >"$work/report.json" || status=$?
    [[ $status == 1 ]] || die "expected exit code 1, got $status"
    "$venv/bin/python" "$here/widened.py" "$work/report.json" "$@"
}

cp -r "$root/snapshots/mlflow" "$work/snapshots"

section "start"
start
section "the first check"
as_pinned
section "the second check"
as_pinned

section "a permission is wider than what was granted"
if [[ "${MLFLOW_DATABASE:-postgres}" == sqlite ]]; then
    sql "CREATE TRIGGER hole AFTER INSERT ON role_permissions WHEN NEW.permission = 'READ'
         BEGIN UPDATE role_permissions SET permission = 'EDIT' WHERE id = NEW.id; END"
else
    sql "CREATE FUNCTION hole() RETURNS trigger LANGUAGE plpgsql AS
         'BEGIN NEW.permission := ''EDIT''; RETURN NEW; END';
         CREATE TRIGGER hole BEFORE INSERT ON role_permissions
         FOR EACH ROW WHEN (NEW.permission = 'READ') EXECUTE FUNCTION hole()"
fi
widens experiment-update/experiment/reader experiment-tag-set/experiment/reader run-create/experiment/reader \
    run-log-metric/run/reader model-update/model/reader version-create/model/reader
if [[ "${MLFLOW_DATABASE:-postgres}" == sqlite ]]; then
    sql "DROP TRIGGER hole"
else
    sql "DROP TRIGGER hole ON role_permissions; DROP FUNCTION hole()"
fi
stop

section "the default permission is READ"
export MLFLOW_AUTH_DEFAULT=READ
start
cells=()
for what in "experiment-get/% experiment" "run-get/% experiment" "model-get/% model" "version-get/% model"; do
    cells+=("${what/\%/shared}/stranger")
    for user in manager editor consumer reader denied stranger; do
        cells+=("${what/\%/closed}/$user")
    done
done
widens "${cells[@]}"
stop

section "passed in $SECONDS s"

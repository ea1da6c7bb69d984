#!/usr/bin/env bash
# Proves the suites of this folder on the real servers that they are for: the records hold, on a server that authz-pin starts
# and on one that runs already, and each hole widens the cells that `holes/HOLE` lists, and no others.
#
#   cargo build && examples/verify.sh [EXAMPLE...]
#
# AUTHZ_PIN                names the program (target/debug/authz-pin)
# AUTHZ_PIN_EXAMPLES_HOME  where the servers are installed (in the user's cache folder)
set -euo pipefail
unset HOLE AUTHZ_PIN_BASE_URL AUTHZ_PIN_DATABASE_URL
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tool=${AUTHZ_PIN:-$here/../target/debug/authz-pin}
work=$(mktemp -d)
server=

finish() {
    [[ -z "$server" ]] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

section() { printf '\n== %s\n' "$*"; }

die() {
    cat "$work/log" >&2
    echo "$example: $*" >&2
    exit 1
}

# The snapshots are copied, so that a `.snap.new` of what goes wrong on purpose waits nowhere.
check() { "$tool" check "$here/$example" --snapshots "$work/$example" "$@"; }

as_pinned() {
    check >"$work/log" 2>&1 || die "exit code $?, expected 0"
    tail -n 1 "$work/log"
}

# Starts the server without a sweep, checks it, and ends it by its process id.
as_pinned_where_it_runs() {
    : >"$work/variables"
    "$tool" serve "$here/$example" >"$work/variables" 2>"$work/log" &
    server=$!
    until grep -q '^AUTHZ_PIN_VAR_' "$work/variables"; do
        kill -0 "$server" 2>/dev/null || die "the server did not start"
        sleep 0.2
    done
    # In a shell of its own, so that the variables are gone afterwards.
    (
        set -a
        source "$work/variables"
        set +a
        as_pinned
    )
    kill "$server"
    wait "$server" || true
    server=
}

widens() {
    local status=0
    HOLE=$1 check --format json >"$work/report.json" 2>"$work/log" || status=$?
    [[ $status == 1 ]] || die "expected exit code 1 with the hole $1, got $status"
    python3 "$here/widened.py" "$work/report.json" "$here/$example/holes/$1"
}

if [[ $# == 0 ]]; then
    for suite in "$here"/*/suite.yaml; do set -- "$@" "$(basename "$(dirname "$suite")")"; done
fi
for example in "$@"; do
    "$here/$example/start" install
    cp -r "$here/$example/snapshots" "$work/$example"
    section "$example: as pinned"
    as_pinned
    as_pinned
    section "$example: as pinned, on a server that runs already"
    as_pinned_where_it_runs
    for hole in "$here/$example"/holes/*; do
        section "$example: the hole $(basename "$hole")"
        widens "$(basename "$hole")"
    done
done
printf '\n== passed in %s s\n' "$SECONDS"

#!/usr/bin/env bash
# Proves the presets of verdict rules on real servers: these refuse with a success, and what opens is a widening.
#
#   cargo build && scripts/refusals/verify.sh [SERVER...]
#
# Installs the servers into a cache folder (once). Records the suite of each, and checks ten times that it is as pinned.
# Then starts it with a hole, and expects that the cells that `widened` lists have widened and no others, and that each
# refusal there was told by the preset that it names.
#
# AUTHZ_PIN                names the program (target/debug/authz-pin)
# AUTHZ_PIN_REFUSALS_HOME  where the servers are installed (in the user's cache folder)
# PYTHON                   the interpreter to install with (python3)
set -euo pipefail
unset HOLE
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tool=${AUTHZ_PIN:-$here/../../target/debug/authz-pin}
home=${AUTHZ_PIN_REFUSALS_HOME:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/authz-pin/refusals}
version=$(cat "$here/requirements.txt" "$here/package.json" | cksum | tr ' ' '-')
place=$home/$version

install() {
    [[ -e "$place/.ready" ]] && return
    echo "installing the servers into $place" >&2
    mkdir -p "$place"
    "${PYTHON:-python3}" -m venv "$place/venv"
    "$place/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt" >&2
    cp "$here/package.json" "$place"
    (cd "$place" && npm install --silent --no-audit --no-fund --ignore-scripts >&2)
    touch "$place/.ready"
}

sweep() { "$tool" "$@" "$suite" --snapshots "$suite/snapshots"; }

die() {
    tail -n 60 "$work/log" >&2
    echo "refusals: $server: $*" >&2
    exit 1
}

quietly() { "$@" >"$work/log" 2>&1 || die "failed: $*"; }

verify() {
    quietly sweep record --reason "the servers are as their authors made them"
    for _ in {1..10}; do quietly sweep check; done
    local status=0
    HOLE=1 sweep check --format json >"$work/report.json" 2>"$work/log" || status=$?
    [[ $status == 1 ]] || die "expected exit code 1 with the hole, got $status"
    python "$here/widened.py" "$work/report.json" "$suite/widened"
}

umask 077
mkdir -p "$home"
install
# A suite is swept as a copy, which finds the packages of Node above it.
work=$(mktemp -d "$place/run.XXXXXX")
trap 'rm -rf "$work"' EXIT
export PATH=$place/venv/bin:$PATH TMPDIR=$work

if [[ $# == 0 ]]; then
    for suite in "$here"/*/suite.yaml; do set -- "$@" "$(basename "$(dirname "$suite")")"; done
fi
for server in "$@"; do
    printf '\n== %s\n' "$server"
    suite=$work/$server
    cp -r "$here/$server" "$suite"
    verify
done
printf '\n== passed in %s s\n' "$SECONDS"

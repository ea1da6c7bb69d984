# Sourced by the other scripts: what is installed, and where everything is kept. Writes nothing.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=${MLFLOW_VERSION:-$(sed -n 's/^mlflow==//p' "$here/constraints.txt")}
home=${AUTHZ_PIN_MLFLOW_HOME:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/authz-pin/mlflow}
venv=$home/venv-$version

die() {
    echo "mlflow: $*" >&2
    exit 1
}

# Where the server's programs are, looked for where authz-pin looks.
postgres_bin() {
    local dir
    for dir in ${PG_BIN_DIR:+"$PG_BIN_DIR"} "$(dirname "$(command -v initdb || echo /)")" \
        "$(pg_config --bindir 2>/dev/null || true)" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
        /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin \
        /Applications/Postgres.app/Contents/Versions/*/bin; do
        if [[ -x "$dir/initdb" && -x "$dir/postgres" && -x "$dir/pg_ctl" ]]; then
            echo "$dir"
            return 0
        fi
    done
    die "no PostgreSQL server programs found (initdb, postgres, pg_ctl): set PG_BIN_DIR"
}

# PostgreSQL refuses to run as root: then it runs as `postgres`, else as `nobody`.
account() {
    if [[ "$(id -u)" != 0 ]]; then
        id -un
    elif id postgres >/dev/null 2>&1; then
        echo postgres
    else
        echo nobody
    fi
}

as_account() {
    if [[ "$(id -u)" == 0 ]]; then
        (cd / && exec setpriv --reuid "$(account)" --regid "$(id -g "$(account)")" --clear-groups -- "$@")
    else
        (cd / && exec "$@")
    fi
}

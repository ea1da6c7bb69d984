#!/usr/bin/env bash
# Installs MLflow (once), starts an MLflow server with its basic-auth app on an empty database, on 127.0.0.1 only, and waits
# until it answers. The database is a private PostgreSQL, or a file of SQLite, which MLflow itself takes by default. Standard output is what authz-pin needs, to be taken by a shell:
#
#   eval "$(scripts/mlflow/up.sh)"
#   authz-pin check suites/mlflow
#   scripts/mlflow/down.sh
#
# MLFLOW_VERSION       another release than the one that the records are from
# MLFLOW_DATABASE      `postgres` (the default) or `sqlite`
# MLFLOW_AUTH_DEFAULT  the auth app's `default_permission` (NO_PERMISSIONS)
# PORT                 MLflow's port (a free one)
# PYTHON               the interpreter to install with (python3)
# PG_BIN_DIR           where PostgreSQL's server programs are
# AUTHZ_PIN_MLFLOW_HOME  where MLflow is installed and what runs is noted (in the user's cache folder)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
database=${MLFLOW_DATABASE:-postgres}
[[ "$database" == postgres || "$database" == sqlite ]] || die "MLFLOW_DATABASE is postgres or sqlite, not $database"

install() {
    [[ -e "$venv/.ready" ]] && return
    echo "installing MLflow $version into $venv" >&2
    "${PYTHON:-python3}" -m venv "$venv"
    local constraints=(--constraint "$here/constraints.txt")
    # The constraints are those of one release.
    grep -qx "mlflow==$version" "$here/constraints.txt" || constraints=()
    "$venv/bin/pip" install --quiet --disable-pip-version-check ${constraints[@]+"${constraints[@]}"} \
        "mlflow[auth]==$version" psycopg2-binary >&2
    touch "$venv/.ready"
}

python() { "$venv/bin/python" "$@"; }

random() { python -c 'import secrets; print(secrets.token_hex(16))'; }

# sql DATABASE STATEMENT...
sql() { python "$here/sql.py" "postgres://$server/$1" "${@:2}"; }

free_port() {
    python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# A cluster in a folder of its own, which the server's user can reach although nobody else can.
start_postgres() {
    local secret=$run/password
    mkdir "$run/pg"
    (umask 077 && printf '%s\n' "$database_password" >"$secret")
    [[ "$(id -u)" != 0 ]] || chown "$(account)" "$run/pg" "$secret"
    as_account "$bin/initdb" -D "$run/pg" -U mlflow -A scram-sha-256 --pwfile "$secret" --no-sync -E UTF8 --locale=C >/dev/null
    rm "$secret"
    cat >>"$run/pg/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
port = $database_port
fsync = off
synchronous_commit = off
full_page_writes = off
timezone = 'UTC'
CONF
    as_account "$bin/pg_ctl" -D "$run/pg" -l "$run/pg/server.log" -w -t 60 start >/dev/null ||
        { tail -n 20 "$run/pg/server.log" >&2; die "PostgreSQL did not start"; }
    sql postgres "CREATE DATABASE mlflow_test" "COMMENT ON DATABASE mlflow_test IS 'authz-pin: test database'"
}

# Users and permissions are in the same database and schema as experiments and models, so that one journal sees all of
# it. The two sets of tables have different names, and each its own table of migrations. The cache holds passwords that
# were right, so that a sweep does not wait for their slow hash with each request; what goes through MLflow's API empties
# it, and there is one process.
configure() {
    cat >"$run/basic_auth.ini" <<INI
[mlflow]
default_permission = ${MLFLOW_AUTH_DEFAULT:-NO_PERMISSIONS}
database_uri = $store
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 3600
INI
}

# One worker and no jobs: a sweep needs one process that answers. The folder is empty, so that no stray `.env` is read.
start_mlflow() {
    mkdir "$run/cwd"
    (
        cd "$run/cwd"
        export MLFLOW_AUTH_CONFIG_PATH=$run/basic_auth.ini MLFLOW_AUTH_ADMIN_USERNAME=admin
        export MLFLOW_AUTH_ADMIN_PASSWORD=$admin_password MLFLOW_FLASK_SERVER_SECRET_KEY=$flask_secret
        export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true
        export MLFLOW_BACKEND_STORE_URI=$store
        export GIT_PYTHON_REFRESH=quiet PYTHONUNBUFFERED=1
        exec nohup "$venv/bin/mlflow" server --app-name basic-auth --host 127.0.0.1 --port "$port" --workers 1 \
            --artifacts-destination "$run/artifacts" \
            >"$run/mlflow.log" 2>&1 </dev/null
    ) &
    mlflow=$!
    echo "$mlflow" >"$run/mlflow.pid"
}

answers() {
    python - "$base_url/health" <<'PY' 2>/dev/null
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
opener.open(sys.argv[1], timeout=2)
PY
}

wait_for_mlflow() {
    local end=$((SECONDS + 180))
    until answers; do
        if ! kill -0 "$mlflow" 2>/dev/null || ((SECONDS > end)); then
            tail -n 30 "$run/mlflow.log" >&2
            die "MLflow did not become ready; its last lines are above"
        fi
        sleep 0.2
    done
}

# What was begun is ended where the start fails.
trap '[[ $? == 0 ]] || "$here/down.sh" ${run:+"$run"}' EXIT

[[ "$database" != postgres ]] || bin=$(postgres_bin)
umask 077
mkdir -p "$home"
install

umask 022
run=$(mktemp -d "${TMPDIR:-/tmp}/authz-pin-mlflow.XXXXXX")
chmod 711 "$run"
port=${PORT:-$(free_port)}
base_url=http://127.0.0.1:$port
admin_password=$(random) flask_secret=$(random)

if [[ "$database" == sqlite ]]; then
    file=$run/mlflow_test.db
    database_url=sqlite:$file store=sqlite:///$file
else
    database_port=$(free_port) database_password=$(random)
    server=mlflow:$database_password@127.0.0.1:$database_port
    database_url=postgres://$server/mlflow_test store=postgresql+psycopg2://$server/mlflow_test
    start_postgres
fi
umask 077
configure
start_mlflow
wait_for_mlflow
if [[ "$database" == sqlite ]]; then
    python "$here/spread_ids.py" "$file"
else
    sql mlflow_test "$(cat "$here/spread_ids.sql")"
fi
echo "MLflow $version answers on $base_url; its log is $run/mlflow.log" >&2

printf 'export %s=%q\n' \
    AUTHZ_PIN_BASE_URL "$base_url" \
    AUTHZ_PIN_DATABASE_URL "$database_url" \
    AUTHZ_PIN_VAR_ADMIN_PASSWORD "$admin_password" \
    AUTHZ_PIN_MLFLOW_RUN "$run"

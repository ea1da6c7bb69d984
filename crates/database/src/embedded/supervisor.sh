# Runs one PostgreSQL server for as long as whoever holds the other end of our stdin lives.
#
# usage: supervisor.sh DIRECTORY TEMPLATE POSTGRES [ARGUMENT...]
#
# That end closes when its process drops it or dies, however it dies: then the server is ended and DIRECTORY removed.
# When the server ends by itself, DIRECTORY/exited appears and its log stays readable until then.

directory=$1
template=$2
shift 2

umask 077
# We end with our owner, not with the terminal or the service manager that both belong to.
trap '' HUP INT TERM
exec 3<&0 </dev/null

# Refuses what is already there: the directory above may be everyone's.
mkdir "$directory" || exit

# Two of the three databases that `initdb` makes beside all the rest: a copy keeps one core busy.
copy() {
    mkdir "$directory/data" "$directory/data/base" || return
    (
        set -- "$template"/base/*
        cp -R "$1" "$2" "$directory/data/base"
    ) &
    half=$!
    (
        set -- "$template"/base/*
        shift 2
        cp -R "$@" "$directory/data/base"
    ) && cp -R "$template"/[!b]* "$directory/data"
    rest=$?
    wait "$half" && return "$rest"
}

if copy 2>"$directory/log"; then
    "$@" >>"$directory/log" 2>&1 3<&- &
    server=$!
    # More than once: a shell's background job ignores this signal until it has a handler of its own.
    { read -r _; while kill -QUIT "$server"; do sleep 0.1; done; } <&3 &
    watcher=$!
    wait "$server"
    kill -KILL "$watcher"
fi

: >"$directory/exited"
read -r _ <&3
rm -rf "$directory"

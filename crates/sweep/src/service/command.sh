# Runs a service for as long as whoever holds the other end of our stdin lives.
#
# usage: command.sh COMMAND LOG [OUTPUT]
#
# We and the service, with all that it starts, are one process group. When that end closes, whoever closed it and however,
# the group is asked to end, and made to after five seconds. When the service ends by itself, LOG.status has its status. What
# it prints is in LOG, and what of it is its standard output in OUTPUT, where that is given.

command=$1
log=$2
output=${3:-$log}

trap '' HUP INT TERM
exec 3<&0 </dev/null

# The service has its signals as they were.
(trap - HUP INT TERM; exec /bin/sh -c "$command") >>"$output" 2>>"$log" 3<&- &
service=$!
{
    read -r _
    kill -TERM 0
    tries=0
    while kill -0 "$service" 2>/dev/null && [ "$tries" -lt 50 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -KILL 0
} <&3 &
wait "$service"
echo "$?" >"$log.status"
wait

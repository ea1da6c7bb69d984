# Runs a service for as long as whoever holds the other end of our stdin lives.
#
# usage: command.sh COMMAND LOG
#
# We and the service, with all that it starts, are one process group. When that end closes, whoever closed it and however,
# the group is asked to end, and made to after five seconds. When the service ends by itself, LOG.status has its status.

command=$1
log=$2

trap '' HUP INT TERM
exec 3<&0 </dev/null

# The service has its signals as they were.
(trap - HUP INT TERM; exec /bin/sh -c "$command") >"$log" 2>&1 3<&- &
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

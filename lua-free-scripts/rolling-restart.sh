#!/bin/sh
#
# Restarts the servers of a group one after the other: drains one, runs a
# command, waits until it is up again, goes on with the next.
#
# usage: rolling-restart.sh API[,API] UPSTREAM COMMAND [SECONDS]
#        rolling-restart.sh http://10.0.0.11:8081/api app \
#            'ssh root@$HOST systemctl restart app' 60
#
# COMMAND is run by sh with SERVER (10.0.0.21:8080), HOST and PORT set.
# SECONDS (60) is the limit of draining, and of coming up again.  A server
# that does not drain in time is restarted nevertheless.  The first failure
# ends it, with the drain taken back if the server is up.
#
# DRY_RUN=1: says what it would do.
#
# exit code: 0 all done; 1 stopped, the reason is on stderr; 2 wrong usage
#
# Needs curl.

set -eu

# shellcheck source=lua-free-scripts/lib.sh
. "${0%/*}/lib.sh"

[ $# -eq 3 ] || [ $# -eq 4 ] || usage

apis=$1
upstream=$2
command=$3
seconds=${4:-60}
api=${apis%%,*}
api=${api%/}
drain=${0%/*}/drain-and-wait.sh

case $seconds in '' | *[!0-9]*) usage ;; esac

case $upstream in
    */*) group=9/${upstream%%/*}/upstreams/${upstream#*/} ;;
    *)   group=9/http/upstreams/$upstream ;;
esac


state() {
    ask GET "$api/$group/"
    servers_of_answer "$1" | field state | sort -u | tr '\n' ' '
}


wait_up() {
    end=$(($(now) + seconds))

    while s=$(state "$1") && [ "$s" != 'up ' ]; do
        [ "$(now)" -lt "$end" ] \
            || die "\"$1\" is ${s% } ${seconds}s after its restart: stopped"
        pause 0.2
    done
}


ask GET "$api/$group/servers/"
servers=$(printf '%s' "$answer" | tr '{' '\n' | grep '"server":' \
          | field server | sort -u)

[ -n "$servers" ] || die "\"$upstream\" has no servers"

for SERVER in $servers; do

    HOST=${SERVER%:*}
    PORT=${SERVER##*:}
    export SERVER HOST PORT

    if [ "${DRY_RUN:-0}" = 1 ]; then
        echo "$name: would drain $SERVER, run: $command"
        continue
    fi

    code=0
    "$drain" "$apis" "$upstream" "$SERVER" "$seconds" || code=$?
    [ $code -eq 0 ] || [ $code -eq 3 ] || exit 1

    sh -c "$command" || {
        "$drain" "$api" "$upstream" "$SERVER" off > /dev/null || true
        die "the command failed for \"$SERVER\": stopped"
    }

    # a check sees it fail first, if it was away for long enough: from now
    # on the drain is the only thing that keeps clients off

    pause 1
    "$drain" "$api" "$upstream" "$SERVER" off > /dev/null || exit 1
    wait_up "$SERVER"
    echo "$SERVER restarted"
done

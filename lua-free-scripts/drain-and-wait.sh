#!/bin/sh
#
# Drains a server and waits until nobody uses it, or takes the drain back.
#
# usage: drain-and-wait.sh API[,API] UPSTREAM SERVER [SECONDS | off]
#        drain-and-wait.sh http://10.0.0.11:8081/api app 10.0.0.21:8080 60
#
# SERVER is an address as the API shows it; UPSTREAM is of http, or
# "stream/NAME".  New sessions go elsewhere from now on, on all nodes; those
# that the server has stay with it.  With SECONDS it waits until no node that
# is named has a connection to it (and no session is bound, where the API
# knows); without, it does not wait; "off" takes it back.  Prints the state.
#
# DRY_RUN=1: changes nothing.
#
# exit code: 0 done; 1 not done, the reason is on stderr; 2 wrong usage;
#            3 still in use after SECONDS: it goes on draining
#
# Needs curl.

set -eu

# shellcheck source=lua-free-scripts/lib.sh
. "${0%/*}/lib.sh"

[ $# -eq 3 ] || [ $# -eq 4 ] || usage

apis=$(printf '%s' "$1" | tr ',' ' ')
server=$3
wait=${4:-0}
drain=true

case $2 in
    */*) group=9/${2%%/*}/upstreams/${2#*/} ;;
    *)   group=9/http/upstreams/$2 ;;
esac

case $wait in
    off) drain=false wait=0 ;;
    '' | *[!0-9]*) usage ;;
esac

first=${apis%% *}
first=${first%/}


# what all nodes have under way

in_use() {
    sum=0

    for api in $apis; do
        try GET "${api%/}/$group/" || continue

        for n in $(servers_of_answer "$server" | field active) \
                 $(servers_of_answer "$server" | grep '"sessions":[0-9]' \
                   | field sessions)
        do
            sum=$((sum + n))
        done
    done

    echo $sum
}


ask GET "$first/$group/servers/"

ids=$(servers_of_answer "$server" | field id)

[ -n "$ids" ] || die "server \"$server\" not found in \"$2\""

for id in $ids; do
    ask PATCH "$first/$group/servers/$id" "{\"drain\":$drain}"
done

ask GET "$first/$group/"
servers_of_answer "$server" | field state | sed "s/^/$server /"

[ "$wait" -gt 0 ] || exit 0

end=$(($(now) + wait))

while left=$(in_use) && [ "$left" -gt 0 ]; do

    [ "$(now)" -lt "$end" ] || {
        echo "$name: \"$server\" is still used by $left after ${wait}s" >&2
        exit 3
    }

    pause 0.2
done

echo "$server drained"

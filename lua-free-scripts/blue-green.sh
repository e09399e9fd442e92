#!/bin/sh
#
# Moves a split of traffic to another group, step by step, and waits for the
# end.
#
# usage: blue-green.sh API SPLIT COLOUR [STEPS [EVERY [GATE]]]
#        blue-green.sh API SPLIT rollback
#        blue-green.sh http://10.0.0.11:8081/api app green 1,10,50,100 60s \
#            'healthy>=2,5xx<1%,p99<300ms'
#
# STEPS are percentages that go up to 100 (100), EVERY how long each of them
# is watched (60s), GATE what must hold.  The nodes do it themselves: ending
# this script stops nothing.  MIN_REQUESTS, WARMUP, DRAIN_AFTER, ON_NODE_LOSS
# in the environment are those of the API.
#
# DRY_RUN=1: shows what it would ask for.
#
# exit code: 0 done; 1 rolled back, paused or refused: the reason is on
#            stderr; 2 wrong usage
#
# Needs curl.

set -eu

# shellcheck source=lua-free-scripts/lib.sh
. "${0%/*}/lib.sh"

case $# in
    3 | 4 | 5 | 6) ;;
    *) usage ;;
esac

api=${1%/}
split=$2
colour=$3

if [ "$colour" = rollback ]; then
    [ $# -eq 3 ] || usage
    ask PATCH "$api/duplex/deployments/$split" '{"action":"rollback"}'
    echo "$split rolled back"
    exit 0
fi

case $split$colour${4:-}${5:-}${6:-} in
    *[\"\\]*) usage ;;
esac

# member NAME VALUE: unless it is empty

member() {
    [ -z "$2" ] || printf ',"%s":"%s"' "$1" "$2"
}

plan="{\"split\":\"$split\",\"to\":\"$colour\",\"steps\":[${4:-100}]\
$(member every "${5:-}")$(member gate "${6:-}")\
$(member warmup "${WARMUP:-}")$(member drain_after "${DRAIN_AFTER:-}")\
$(member on_node_loss "${ON_NODE_LOSS:-}")\
${MIN_REQUESTS:+,\"min_requests\":$MIN_REQUESTS}}"

ask POST "$api/duplex/deployments" "$plan"

[ "${DRY_RUN:-0}" != 1 ] || exit 0

was=

while :; do
    ask GET "$api/duplex/deployments/$split"

    state=$(printf '%s' "$answer" | sed 's/^{"state":"\([^"]*\)".*/\1/')
    why=$(printf '%s' "$answer" | sed 's/^{[^{]*"why":"\([^"]*\)".*/\1/')
    step=$(printf '%s' "$answer" \
           | sed 's/^{[^{]*"step":\([0-9]*\),"of":\([0-9]*\).*/\1 of \2/')

    if [ "$state $step" != "$was" ]; then
        echo "$split to $colour: $state, step $step"
        was="$state $step"
    fi

    case $state in
        running) pause 0.5 ;;
        done) exit 0 ;;
        *) die "$state${why:+: $why}" ;;
    esac
done

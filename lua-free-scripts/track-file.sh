#!/bin/sh
#
# Keeps keepalived's track_file, where there is no duplexctl: 0 when ready,
# -60 when not, -254 when isolated or nginx does not answer.
#
# usage: track-file.sh API FILE [INTERVAL]
#        track-file.sh http://127.0.0.1:8081/api /run/duplex/health 0.1
#
# Looks every INTERVAL seconds (0.1; 1 where sleep knows whole ones only), and
# writes what two looks in a row have said.  When it is ended it writes -60:
# nobody watches this node then.  "duplexctl track" does the same with a
# twentieth of the work.
#
# exit code: 0 ended by a signal; 1 FILE cannot be written; 2 wrong usage
#
# Needs curl.

set -eu

# shellcheck source=lua-free-scripts/lib.sh
. "${0%/*}/lib.sh"

[ $# -eq 2 ] || [ $# -eq 3 ] || usage

api=$1
file=$2
interval=${3:-0.1}
check=${0%/*}/keepalived-check.sh


# one write of a fixed length: keepalived never reads half a number

write() {
    printf '%-7s\n' "$1" 1<> "$file" || die "$file cannot be written"
}


trap 'write -60; exit 0' INT TERM HUP

last=-60
seen=
write $last

while :; do
    code=0
    said=$("$check" "$api" ready) || code=$?

    case $code in
        0) number=0 ;;
        1) number=-60 ;;
        *) number=-254 ;;
    esac

    if [ "$number" = "$seen" ] && [ "$number" != "$last" ]; then
        write "$number"
        last=$number
        echo "$number: $said"
    fi

    seen=$number
    pause "$interval"
done

#!/bin/sh
#
# Waits until a node is ready to be given traffic.
#
# usage: wait-ready.sh API [SECONDS]
#        wait-ready.sh http://127.0.0.1:8081/api 30
#
# exit code: 0 ready; 1 not within SECONDS (30), with what it says last;
#            2 wrong usage
#
# Needs curl.

set -eu

# shellcheck source=lua-free-scripts/lib.sh
. "${0%/*}/lib.sh"

[ $# -eq 1 ] || [ $# -eq 2 ] || usage

seconds=${2:-30}
case $seconds in '' | *[!0-9]*) usage ;; esac

end=$(($(now) + seconds))

while :; do
    if try GET "${1%/}/duplex/ready"; then
        case $answer in
            *'"ready":true'*) exit 0 ;;
        esac
    fi

    [ "$(now)" -lt "$end" ] || die "not ready after ${seconds}s: $answer"
    pause 0.2
done

#!/bin/sh
#
# May this node hold an address?  For vrrp_script of keepalived: ends well
# within a second, and asks what nginx knows already.
#
# usage: keepalived-check.sh API live|ready|peers
#        keepalived-check.sh http://127.0.0.1:8081/api ready
#
#   vrrp_script live  { script "/usr/share/.../keepalived-check.sh API live"
#                       interval 1 timeout 1 fall 2 rise 2 weight 0 }
#   vrrp_script ready { script "/usr/share/.../keepalived-check.sh API ready"
#                       interval 1 timeout 1 fall 2 rise 3 weight -60 }
#
# exit code: 0 yes; 1 not ready; 2 isolated, or wrong usage; 3 nginx does not
#            answer; one line says why
#
# Needs curl.  "duplexctl check" does the same, track-file.sh is faster.

set -eu

# shellcheck source=lua-free-scripts/lib.sh
. "${0%/*}/lib.sh"

[ $# -eq 2 ] || usage

CURL_OPTIONS="${CURL_OPTIONS:-} --connect-timeout 0.2 --max-time 0.3"
page=ready

case $2 in
    live | ready) ;;
    peers) page=nodes ;;
    *) usage ;;
esac

try GET "${1%/}/duplex/$page" || {
    echo "$answer"
    exit 3
}

echo "$answer"

if [ "$2" = peers ]; then

    # all states of nodes, and of what comes from them

    case $answer in
        *'"state":"down"'* | *'"state":"refused"'* | *'"state":"connecting"'*)
            exit 1 ;;
    esac

    exit 0
fi

case $answer in
    *'"state":"isolated"'* | *'"isolated":true'*) exit 2 ;;
    *'"ready":true'*) exit 0 ;;
esac

[ "$2" = live ]

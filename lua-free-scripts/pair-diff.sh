#!/bin/sh
#
# Shows what differs between two nodes: groups, servers and their settings,
# weights of splits, key-values.  Counters and verdicts are each node's own
# and are left out.
#
# usage: pair-diff.sh API API
#        pair-diff.sh http://10.0.0.11:8081/api http://10.0.0.12:8081/api
#
# exit code: 0 nothing; 1 something, as diff shows it; 2 wrong usage, or a
#            node does not answer
#
# Needs curl and diff.

set -eu

# shellcheck source=lua-free-scripts/lib.sh
. "${0%/*}/lib.sh"

[ $# -eq 2 ] || usage

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT


names() {
    try GET "$1/$2?fields=" || return 0
    printf '%s' "$answer" | tr -d '[]"' | tr ',' '\n' | sort
}


# one line for each thing that both nodes should have

collect() {
    for protocol in http stream; do

        for group in $(names "$1" "9/$protocol/upstreams"); do
            try GET "$1/9/$protocol/upstreams/$group/servers" || return 1
            printf '%s' "$answer" | tr '{' '\n' | grep '"id"' \
                | sed "s/[],}]*$//; s,^,$protocol/$group ,"
        done

        for zone in $(names "$1" "9/$protocol/keyvals"); do
            try GET "$1/9/$protocol/keyvals/$zone" || return 1
            printf '%s' "$answer" | tr -d '{}' | tr ',' '\n' | sort \
                | sed "s,^,$protocol keyval $zone ,"
            echo
        done
    done

    for split in $(names "$1" duplex/splits); do
        try GET "$1/duplex/splits/$split" || return 1
        printf '%s' "$answer" | tr '{' '\n' | grep '"colour"' \
            | sed "s/,\"requests\".*//; s,^,split $split ,"
    done
}


for api in "$1" "$2"; do
    try GET "${api%/}/duplex/node" || {
        echo "$name: $answer" >&2
        exit 2
    }
done

{ collect "${1%/}" > "$work/a" && collect "${2%/}" > "$work/b"; } || {
    echo "$name: $answer" >&2
    exit 2
}

diff "$work/a" "$work/b"

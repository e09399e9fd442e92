#!/bin/sh
#
# Saves what was said at run time: servers of all groups, key-values, weights
# of splits.  restore-state.sh brings it back.
#
# usage: backup-state.sh API DIRECTORY
#        backup-state.sh http://127.0.0.1:8081/api /var/backups/duplex
#
# Leaves one file a page, as the API answers it, in a new directory below
# DIRECTORY whose name is the time, and prints that.
#
# exit code: 0 saved; 1 not, the reason is on stderr; 2 wrong usage
#
# Needs curl.

set -eu

# shellcheck source=lua-free-scripts/lib.sh
. "${0%/*}/lib.sh"

[ $# -eq 2 ] || usage

api=${1%/}
umask 077
to=$2/$(date +%Y%m%d-%H%M%S)
mkdir -p "$to" || die "$to cannot be made"


# the names of a collection, one a line; none if there is no such page

names() {
    try GET "$api/$1?fields=" || return 0
    printf '%s' "$answer" | tr -d '[]"' | tr ',' '\n'
    echo
}


# save PAGE FILE

save() {
    ask GET "$api/$1"
    printf '%s\n' "$answer" > "$to/$2" || die "$to/$2 cannot be written"
}


for protocol in http stream; do

    for group in $(names "9/$protocol/upstreams"); do
        save "9/$protocol/upstreams/$group/servers" \
             "$protocol.upstream.$group"
    done

    for zone in $(names "9/$protocol/keyvals"); do
        save "9/$protocol/keyvals/$zone" "$protocol.keyval.$zone"
    done
done

for split in $(names duplex/splits); do
    save "duplex/splits/$split" "split.$split"
done

ask GET "$api/duplex/node"
printf '%s\n' "$answer" > "$to/node"

echo "$to"

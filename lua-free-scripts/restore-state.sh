#!/bin/sh
#
# Brings back what backup-state.sh has saved: down, drain, weight and limits
# of servers that are there, servers that are not, key-values, weights of
# splits.  What came after the backup and is not in it stays.
#
# usage: restore-state.sh API DIRECTORY
#        restore-state.sh http://127.0.0.1:8081/api \
#            /var/backups/duplex/20261125-031500
#
# One node is enough: the others follow.
#
# DRY_RUN=1: shows what it would change.
#
# exit code: 0 all of it is as in the backup; 1 not all: each line on stderr
#            says what; 2 wrong usage
#
# Needs curl.

set -eu

# shellcheck source=lua-free-scripts/lib.sh
. "${0%/*}/lib.sh"

[ $# -eq 2 ] || usage

api=${1%/}
failed=0

[ -f "$2/node" ] || die "\"$2\" is not what backup-state.sh makes"


complain() {
    echo "$name: $*" >&2
    failed=1
}


# one object of a server, as it was: the id may be another's by now

restore_server() {
    group=$1
    object=$2
    server=$(printf '%s' "$object" | field server)
    body="{$(printf '%s' "$object" \
             | sed 's/"id":[0-9]*,//; s/"parent":[^,}]*,\{0,1\}//')"

    case $body in
        *'"drain":'*) ;;
        *) body="${body%?},\"drain\":false}" ;;
    esac

    ask GET "$api/$group/servers/"
    id=$(servers_of_answer "$server" | field id | head -n 1)

    if [ -z "$id" ]; then
        try POST "$api/$group/servers/" "$body" \
            || complain "$server of $group: $answer"
        return
    fi

    # stream has neither sessions nor what belongs to them

    case $group in
        9/stream/*) body=$(printf '%s' "$body" \
                           | sed 's/,"drain":[a-z]*//; s/"route":"[^"]*",//') ;;
    esac

    try PATCH "$api/$group/servers/$id" "$body" \
        || complain "$server of $group: $answer"
}


restore_servers() {
    tr '{' '\n' < "$2" | sed -n 's/^\("id".*}\).*/\1/p' > "$2.lines"

    while read -r object; do
        restore_server "$1" "$object"
    done < "$2.lines"

    rm -f "$2.lines"
}


restore_keyval() {
    body=$(cat "$2")

    [ "$body" != '{}' ] || return 0

    try PATCH "$api/$1" "$body" || try POST "$api/$1" "$body" \
        || complain "$1: $answer"
}


restore_split() {
    weights=$(tr '{' '\n' < "$2" | sed -n \
        's/.*"colour":"\([^"]*\)","weight":\([0-9.]*\).*/"\1":\2/p' \
        | tr '\n' ',')

    try PATCH "$api/duplex/splits/$1" "{\"weights\":{${weights%,}}}" \
        || complain "split $1: $answer"
}


for file in "$2"/*; do
    base=${file##*/}

    case $base in
        http.upstream.* | stream.upstream.*)
            restore_servers "9/${base%%.*}/upstreams/${base#*.upstream.}" \
                            "$file" ;;
        http.keyval.* | stream.keyval.*)
            restore_keyval "9/${base%%.*}/keyvals/${base#*.keyval.}" "$file" ;;
        split.*)
            restore_split "${base#split.}" "$file" ;;
    esac
done

exit $failed

#!/bin/sh
#
# Writes down what keepalived tells: a line in the system log for each change,
# and the state in a file, for people and for monitoring.
#
# usage: keepalived-notify.sh DIRECTORY INSTANCE NAME STATE PRIORITY
#        notify "/usr/share/.../keepalived-notify.sh /run/duplex"
#
# keepalived adds all but DIRECTORY.  DIRECTORY/vrrp-NAME then holds, for
# example, "MASTER 150 1764039123".  It never decides anything: notification
# comes late, and may come twice.
#
# exit code: 0 done; 1 the file cannot be written; 2 wrong usage

set -eu

# shellcheck source=lua-free-scripts/lib.sh
. "${0%/*}/lib.sh"

[ $# -ge 4 ] || usage

case $3 in
    '' | *[!A-Za-z0-9_.-]*) die "invalid name \"$3\"" ;;
esac

file=$1/vrrp-$3

{ echo "$4 ${5:--} $(now)" > "$file.new" && mv "$file.new" "$file"; } \
    || die "$file cannot be written"

logger -t keepalived-notify "$2 $3 is now $4 (priority ${5:--})" \
    2> /dev/null || true

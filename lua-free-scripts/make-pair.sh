#!/bin/sh
#
# Writes nginx.conf and keepalived.conf of both nodes of a pair, from the
# templates of an example and one file of addresses.
#
# usage: make-pair.sh EXAMPLE ADDRESSES DIRECTORY
#
#   EXAMPLE     a directory with nginx.conf.in and keepalived.conf.in:
#               conf.examples/active-standby, mutual-standby, active-active
#   ADDRESSES   a file of lines NAME=value, like EXAMPLE/addresses
#   DIRECTORY   gets a/nginx.conf, a/keepalived.conf, b/nginx.conf, ...
#
# In a template, @NAME@ is the value of that line.  @SERVERS@ becomes one
# "server" line for each address of SERVERS (likewise for each name that
# begins with SERVERS).  Of each node's own are @NODE@, @OWN@ and @OTHER@
# (addresses), @HIGH@ and @LOW@ (priorities: a is preferred for the one, b
# for the other).
#
# Exit code: 0; 1 if something is missing, with one line that says what.

set -eu

fail() {
    echo "make-pair: $*" >&2
    exit 1
}

[ $# = 3 ] || { sed -n '3,22s/^# \{0,1\}//p' "$0"; exit 1; }

example=$1
addresses=$2
directory=$3

[ -r "$addresses" ] || fail "cannot read \"$addresses\""

made=$(mktemp -d)
script=$made/script
trap 'rm -rf "$made"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM


# a value goes into a sed script: nothing but what addresses are made of

value_of() {
    value=$(sed -n "s/^$1=//p" "$addresses" | tail -n 1)

    [ -n "$value" ] || fail "\"$addresses\" has no line $1="

    case $value in
        *[!-A-Za-z0-9._:/\ ]*) fail "\"$value\" is not a value for $1" ;;
    esac

    echo "$value"
}


# NAME of the node, its ADDRESS, the OTHER's, priorities

write_script() {
    {
        echo "s/@NODE@/$1/g"
        echo "s/@OWN@/$2/g"
        echo "s/@OTHER@/$3/g"
        echo "s/@HIGH@/$4/g"
        echo "s/@LOW@/$5/g"

        sed -n 's/^\([A-Z][A-Z0-9_]*\)=.*/\1/p' "$addresses" \
        | while read -r name; do
            value=$(value_of "$name")

            case $name in
                SERVERS*)
                    lines=
                    for server in $value; do
                        lines="$lines\\
        server $server;"
                    done
                    echo "s|^ *@$name@\$|${lines#??}|"
                ;;
                *)
                    echo "s|@$name@|$value|g"
                ;;
            esac
        done
    } > "$script"
}


make_node() {
    mkdir "$made/$1"
    write_script "$@"

    for name in nginx.conf keepalived.conf; do
        [ -r "$example/$name.in" ] || fail "cannot read \"$example/$name.in\""

        sed -f "$script" "$example/$name.in" > "$made/$1/$name"

        left=$(grep -o '@[A-Z][A-Z0-9_]*@' "$made/$1/$name" \
               | sort -u | tr '\n' ' ')

        [ -z "$left" ] || fail "\"$addresses\" has no value for ${left% }"
    done
}


node_a=$(value_of NODE_A)
node_b=$(value_of NODE_B)

make_node a "$node_a" "$node_b" 150 100
make_node b "$node_b" "$node_a" 100 150

for node in a b; do
    mkdir -p "$directory/$node"
    cp "$made/$node"/*.conf "$directory/$node/"
done

# Shared by the scripts: how they ask the API, and how they fail.
#
# To be sourced.  CURL_OPTIONS holds more options for curl, such as
# "--cacert FILE --netrc-file FILE"; DRY_RUN=1 shows what would be changed.
#
# shellcheck shell=sh

name=${0##*/}
answer=

die() {
    echo "$name: $*" >&2
    exit 1
}

# the part of the head comment from "usage:" to the next empty line

usage() {
    sed -n '/^# usage:/,/^#$/ s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

# try METHOD URL [BODY]: the answer; false, with its text, if it is refused

try() {
    method=$1
    url=$2
    shift 2

    if [ "${DRY_RUN:-0}" = 1 ] && [ "$method" != GET ]; then
        echo "$name: would $method $url ${1:-}" >&2
        answer='{}'
        return 0
    fi

    # shellcheck disable=SC2086
    answer=$(curl -sS --max-time 10 ${CURL_OPTIONS:-} -w '\n%{http_code}' \
                  -X "$method" ${1:+-d "$1"} "$url" 2>&1) || return 1

    code=${answer##*
}
    answer=${answer%?"$code"}

    case $code in
        2??) return 0 ;;
    esac

    case $answer in
        *'"text":"'*)
            answer=${answer#*'"text":"'}
            answer=${answer%%'",'*} ;;
        *) answer="$url answers $code: is it the location of \"api\"?" ;;
    esac

    return 1
}

ask() {
    try "$@" || die "$answer"
}

# the objects of the answer that hold "server":"$1", one a line, each without
# what is nested in it

servers_of_answer() {
    printf '%s' "$answer" | tr '{' '\n' | grep -F "\"server\":\"$1\"" || true
}

# field NAME: of each line, a number or a word

field() {
    sed "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/"
}

# pause SECONDS: also part of one, where sleep can

pause() {
    sleep "$1" 2> /dev/null || sleep 1
}

now() {
    date +%s
}

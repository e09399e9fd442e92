# bash completion of duplexctl: the tool itself knows what may come next.

_duplexctl()
{
    local word=${COMP_WORDS[COMP_CWORD]} line

    # bash takes the ":" of an address for an end of a word

    line=${COMP_LINE:0:COMP_POINT}
    read -r -a words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    word=${words[-1]}

    mapfile -t COMPREPLY < <(duplexctl complete "${words[@]:1}" 2> /dev/null)

    if [[ $word == *:* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${word%:*}":}")
    fi
}

complete -o default -F _duplexctl duplexctl

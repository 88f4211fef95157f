"""The scripts of `sixtap completion`, made from the outline of the command line."""

from collections.abc import Iterable, Iterator

from stack.cli.outline import Option, Outline

_SOCKETS = "/run/sixtap"
_HOST = ("-d", "--dev")


def bash(outline: Outline) -> str:
    """For bash(1); where no word is known, files are completed."""
    places = "\n".join(f"            {_either(words)}) place={_quote(place)} ;;" for words, place in _steps(outline))
    values = "\n".join(
        f"        {_either(words)}) words={_quote(' '.join(choices))} ;;" for words, choices in _values(outline)
    )
    following = "\n".join(
        f"            {_quote(_place(each))}) words={_quote(' '.join(word for word, _ in _words(each)))} ;;"
        for each in outline.every()
    )
    return f"""\
# bash completion for sixtap, made by `sixtap completion bash`
_sixtap_hosts() {{
    local socket
    for socket in {_SOCKETS}/*.sock; do socket=${{socket##*/}}; echo "${{socket%.sock}}"; done
}}
_sixtap() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
    local place=sixtap words= number
    for ((number = 1; number < COMP_CWORD; number++)); do
        case "$place ${{COMP_WORDS[number]}}" in
{places}
            {_either(_valued(outline))}) ((number++)) ;;
        esac
    done
    if [[ $current == '=' ]]; then current=; fi
    case "$place $previous" in
        {_either(_hosts(outline))}) words=$(_sixtap_hosts) ;;
{values}
        {_either(_valued(outline))}) ;;
        *) case $place in
{following}
        esac ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [[ ${{#COMPREPLY[@]}} == 1 && ${{COMPREPLY[0]}} == *= ]]; then compopt -o nospace; fi
}}
complete -o default -F _sixtap sixtap
"""


def zsh(outline: Outline) -> str:
    """For zsh(1), as a file of its $fpath."""
    places = "\n".join(f"            {_either(words)}) place={_quote(place)} ;;" for words, place in _steps(outline))
    values = "\n".join(
        f"        {_either(words)}) compadd -S '' -- {' '.join(map(_quote, choices))}; return ;;"
        for words, choices in _values(outline)
    )
    following = "\n".join(
        f"        {_quote(_place(each))}) found=({' '.join(_quote(_described(*pair)) for pair in _words(each))}) ;;"
        for each in outline.every()
    )
    return f"""\
#compdef sixtap
# zsh completion for sixtap, made by `sixtap completion zsh`
_sixtap() {{
    local place=sixtap number
    local -a found
    for ((number = 2; number < CURRENT; number++)); do
        case "$place ${{words[number]}}" in
{places}
            {_either(_valued(outline))}) ((number++)) ;;
        esac
    done
    case "$place ${{words[CURRENT-1]}}" in
        {_either(_hosts(outline))}) found=({_SOCKETS}/*.sock(N:t:r)); compadd -- $found; return ;;
{values}
        {_either(_valued(outline))}) _files; return ;;
    esac
    case $place in
{following}
    esac
    _describe sixtap found
    _files
}}
if [ "$funcstack[1]" = _sixtap ]; then _sixtap "$@"; else compdef _sixtap sixtap; fi
"""


def fish(outline: Outline) -> str:
    """For fish(1)."""
    places = "\n".join(
        f"            case {' '.join(map(_quote, words))}\n                set place {_quote(place)}"
        for words, place in _steps(outline)
    )
    lines = [line for each in outline.every() for line in _fish_lines(each)]
    return f"""\
# fish completion for sixtap, made by `sixtap completion fish`
function __sixtap_at
    set -l place sixtap
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch "$place $word"
{places}
            case {" ".join(map(_quote, _valued(outline)))}
                set skip 1
        end
    end
    test "$place" = "$argv"
end
function __sixtap_hosts
    for socket in {_SOCKETS}/*.sock
        string replace -r '.*/(.*)[.]sock' '$1' $socket
    end
end
{chr(10).join(lines)}
"""


def _fish_lines(outline: Outline) -> Iterator[str]:
    at = f"complete -c sixtap -n {_quote('__sixtap_at ' + _place(outline))}"
    for verb in outline.verbs:
        yield f"{at} -f -a {_quote(verb.path[-1])} -d {_quote(verb.summary)}"
    for choice in _choices(outline):
        yield f"{at} -f -a {_quote(choice)}"
    for option in outline.options:
        flags = " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags)
        given = f"-a {_quote(' '.join(option.choices))}" if option.choices else ""
        if option.flags == _HOST:
            given = "-a '(__sixtap_hosts)'"
        taken = f"-r -f {given}" if given else "-r" if option.value else "-f"
        yield f"{at} {flags} {taken} -d {_quote(option.about)}".replace("  ", " ")


SCRIPTS = {"bash": bash, "zsh": zsh, "fish": fish}


def _place(outline: Outline) -> str:
    return " ".join(outline.path)


def _steps(outline: Outline) -> Iterator[tuple[list[str], str]]:
    """From a place and the next word, in all its spellings, to the place that it leads to."""
    for each in outline.every():
        for verb in each.verbs:
            yield [f"{_place(each)} {word}" for word in (verb.path[-1], *verb.aliases)], _place(verb)


def _options(outline: Outline) -> Iterator[tuple[list[str], Option]]:
    """Every option that takes a value, with its spellings at its place."""
    for each in outline.every():
        for option in each.options:
            if option.value:
                yield [f"{_place(each)} {flag}" for flag in option.flags], option


def _valued(outline: Outline) -> list[str]:
    return [words for spellings, _ in _options(outline) for words in spellings]


def _hosts(outline: Outline) -> list[str]:
    """The options that name a running host."""
    return [words for spellings, option in _options(outline) if option.flags == _HOST for words in spellings]


def _values(outline: Outline) -> Iterator[tuple[list[str], tuple[str, ...]]]:
    """The options whose values are known."""
    return ((spellings, option.choices) for spellings, option in _options(outline) if option.choices)


def _choices(outline: Outline) -> Iterator[str]:
    return (choice for argument in outline.arguments for choice in argument.choices)


def _words(outline: Outline) -> Iterator[tuple[str, str]]:
    """What may come next at a place, with what it means."""
    yield from ((verb.path[-1], verb.summary) for verb in outline.verbs)
    yield from ((choice, "") for choice in _choices(outline))
    yield from ((flag, option.about) for option in outline.options for flag in option.flags)
    yield "--help", "show its help"


def _described(word: str, about: str) -> str:
    """A word and its meaning as zsh's _describe reads them."""
    return word.replace(":", "\\:") + (f":{about}" if about else "")


def _either(words: Iterable[str]) -> str:
    """A shell pattern of several words."""
    return "|".join(map(_quote, words))


def _quote(text: str) -> str:
    """A word that sh, zsh and fish read alike."""
    return "'" + text.replace("'", "'\"'\"'") + "'"

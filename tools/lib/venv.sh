# Sourced by the scripts in tools/: `make_venv EXTRAS` leaves a working .venv in the checkout.
#
# EXTRAS is empty for what sixtap needs to run, "[dev]" for what its tests need as well.
# A finished environment carries a stamp for each. One without any that somebody has filled
# himself is left as it is, or gets what it lacks; else it is made anew, and with a stamp of another
# pyproject.toml, interpreter or path it is brought up to date.

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P) || exit 1
venv=$root/.venv

die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit 1
}

# What a stamp has to say for the environment to be right.
wanted_stamp() {
    printf '%s %s %s\n' "$(cksum <"$root/pyproject.toml")" "$(readlink -f "$venv/bin/python" 2>/dev/null)" "$root"
}

# Whether .venv is there, runs, and was installed from this pyproject.toml with these extras.
venv_is_fresh() {
    [ -x "$venv/bin/python" ] && [ -f "$venv/stamp$1" ] && [ "$(cat "$venv/stamp$1")" = "$(wanted_stamp)" ]
}

# Whether somebody else has made .venv, and all that these extras need is in it.
venv_is_someones() {
    [ -x "$venv/bin/python" ] && ! cat "$venv"/stamp* >/dev/null 2>&1 &&
        "$venv/bin/python" "$root/tools/lib/ready.py" "$root" "$1" 2>/dev/null
}

# Sets $python to the first interpreter that is new enough.
find_python() {
    for python in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            return
        fi
    done
    die "Python 3.11 or newer is needed, found: $(python3 --version 2>/dev/null || echo none) (Debian 12 and later: apt-get install python3; or set PYTHON to an interpreter)"
}

# Runs a command of the set-up; what it says is shown only if it fails.
quietly() {
    said=$("$@" 2>&1) && return
    printf '%s\n' "$said" | tail -n 25 >&2
    return 1
}

create_venv() {
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        die "$python cannot make virtual environments (Debian: apt-get install python3-venv)"
    rm -rf "$venv" || die "$venv is not usable and cannot be removed; remove it as its owner"
    quietly "$python" -m venv "$venv" || die "$python -m venv failed"
}

# Installs sixtap with the extras $1 into .venv. No stamp is there meanwhile, so that an interruption means anew.
install_sixtap() {
    worked=$(cat "$venv"/stamp* 2>/dev/null) || worked=
    rm -f "$venv"/stamp*
    if ! quietly "$venv/bin/python" -m pip --disable-pip-version-check install --quiet --editable "$root$1"; then
        [ -z "$worked" ] || echo "out of date" >"$venv/stamp"
        die "pip could not install sixtap$1"
    fi
    wanted_stamp >"$venv/stamp"
    [ -z "$1" ] || wanted_stamp >"$venv/stamp$1"
}

make_venv() {
    if venv_is_fresh "$1" || venv_is_someones "$1"; then
        return
    fi
    find_python
    for folder in "$root" "$venv"; do
        [ ! -e "$folder" ] || [ -w "$folder" ] || die "cannot set up $venv: $folder belongs to $(stat -c %U "$folder")"
    done
    # One set-up at a time: the lock is on the open file, so it outlives the Python that takes it.
    exec 9<"$root/pyproject.toml"
    "$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)' || die "cannot lock $root/pyproject.toml"
    if ! venv_is_fresh "$1"; then
        printf '%s: setting up %s (once; about a minute) ...\n' "${0##*/}" "$venv" >&2
        # Without any stamp it was never finished; with another interpreter it cannot be.
        if { ! cat "$venv"/stamp* >/dev/null 2>&1 && ! venv_is_someones ""; } || ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
            create_venv
        fi
        install_sixtap "$1"
    fi
    exec 9<&-
}

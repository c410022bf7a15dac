#!/bin/sh
# Makes the environment that `make` works in. POSIX sh; running it again is cheap and changes nothing that is right.
#   PYTHON       the Python to start from (3.11 or newer); others are looked for when it is too old
#   VENV         where the environment goes
#   TORCH_INDEX  where the processor-only build of torch is looked for
set -eu
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}
TORCH=2.13.0
TORCH_INDEX=${TORCH_INDEX:-https://download.pytorch.org/whl/cpu}
ROOM=4500  # MB: the environment takes 3,100, and what is about to be installed is unpacked beside it

say() { printf '%s\n' "$*"; }
stop() { say "$*" >&2; exit 1; }

is_new_enough() {
    "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in "$PYTHON" python3 python3.11 python3.12 python3.13 python3.14 python; do
        if command -v "$candidate" >/dev/null 2>&1 && is_new_enough "$candidate"; then
            say "$candidate"
            return
        fi
    done
}

# Told at once: pip would say so only after minutes, in words about errno 28.
check_room() {
    if has_torch; then
        return
    fi
    free=$(df -Pm . | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$ROOM" ] ||
        stop "The environment needs $ROOM MB and the disk of $(pwd) has $free MB left. Make room and try again."
}

make_environment() {
    if [ -x "$VENV/bin/python" ] && is_new_enough "$VENV/bin/python"; then
        return
    fi
    python=$(find_python)
    [ -n "$python" ] || stop "Python 3.11 or newer is needed and none was found; install it, or name it: make PYTHON=/path/to/python3"
    say "Making the environment in $VENV with $("$python" --version)."
    "$python" -m venv --clear "$VENV" >/dev/null 2>&1 ||
        stop "$python cannot make environments: its venv module is missing (on Debian and Ubuntu: apt-get install python3-venv)."
}

# pip speaks into a log; only a failure is shown, without the notes about folders it does not use.
pip_install() {
    "$VENV/bin/python" -m pip install -q --disable-pip-version-check "$@" >"$VENV/setup.log" 2>&1
}

show_log() {
    grep -v -e 'is ignored' -e '^$' "$VENV/setup.log" | tail -n 15 >&2 || true
    if grep -q 'No space left on device' "$VENV/setup.log"; then
        say "The disk is full: make room here and in ${TMPDIR:-/tmp}, where pip unpacks, and try again." >&2
    fi
}

has_torch() {
    "$VENV/bin/python" -c "
from importlib.metadata import version
raise SystemExit(version('torch').split('+')[0] != '$TORCH')" 2>/dev/null
}

has_no_gpu() {
    [ "$(uname -s)" = Linux ] && [ "$(uname -m)" = x86_64 ] && ! command -v nvidia-smi >/dev/null 2>&1
}

# torch goes first and alone. Left to the others it would come with gigabytes of CUDA on any Linux machine.
install_torch() {
    if has_torch; then
        return
    fi
    say "Installing torch $TORCH."
    if has_no_gpu; then
        pip_install --no-deps --retries 1 --timeout 20 "torch==$TORCH+cpu" && return
        pip_install --no-deps --retries 1 --timeout 20 --index-url "$TORCH_INDEX" "torch==$TORCH+cpu" && return
        say "No processor-only build could be had from $TORCH_INDEX; taking the general one, which is several gigabytes."
    fi
    pip_install -c constraints.txt "torch==$TORCH" || { show_log; stop "torch could not be installed; the lines above say why."; }
}

install_rest() {
    say "Installing the application and everything it stands on (a minute or two the first time)."
    pip_install -c constraints.txt -e ".[dev]" || { show_log; stop "The installation failed; the lines above say why."; }
}

# The inbox does without, less well; so a machine that cannot get it is set up all the same.
install_inbox_model() {
    if [ ! -d "$VENV/share/rag_app/all-mpnet-base-v2" ]; then
        say "Fetching the model that groups the inbox (440 MB)."
    fi
    "$VENV/bin/python" scripts/inbox_model.py ||
        say "The inbox will group questions by the smaller model. \`make setup\` tries again once .venv/.ready is deleted."
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

can_install_packages() {
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" = 0 ] || sudo -n true >/dev/null 2>&1
}

# A browser is wanted by the tests alone; without one they are left out and the application is none the worse.
find_browser() {
    if command -v chromium >/dev/null 2>&1; then
        return
    fi
    if can_install_packages; then
        say "Installing Chromium for the browser tests."
        as_root apt-get update -qq >>"$VENV/setup.log" 2>&1 || true
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >>"$VENV/setup.log" 2>&1 || true
    fi
    command -v chromium >/dev/null 2>&1 ||
        say "No chromium on this machine and none could be installed: the browser tests will be left out."
}

check_room
make_environment
install_torch
install_rest
install_inbox_model
find_browser
say "Ready."

#!/bin/sh
# Asks a real OpenAI-compatible server, not a scripted one: `transformers serve` with a toy model made on the spot.
# The server gets an environment of its own under build/interop (about 1.2 GB); the application's is only used.
#   PYTHON       the Python of that environment; the application's own when not set
#   TORCH_INDEX  where the processor-only build of torch is looked for when pip does not find it by itself
set -eu
cd "$(dirname "$0")/.."

VENV=${VENV:-.venv}
PYTHON=${PYTHON:-$VENV/bin/python}
ROOM=build/interop
TORCH=2.13.0
TORCH_INDEX=${TORCH_INDEX:-https://download.pytorch.org/whl/cpu}

say() { printf '%s\n' "$*"; }
stop() { say "$*" >&2; exit 1; }

pip_install() {
    "$ROOM/bin/python" -m pip install -q --disable-pip-version-check "$@" >"$ROOM/setup.log" 2>&1
}

# torch goes first and alone, as in scripts/setup.sh, and for the same reason.
install_server() {
    [ -x "$ROOM/bin/transformers" ] && return
    say "Making an environment for the server in $ROOM (a minute or two, once)."
    mkdir -p "$ROOM"
    "$PYTHON" -m venv "$ROOM"
    pip_install --no-deps --retries 1 --timeout 20 "torch==$TORCH+cpu" ||
        pip_install --no-deps --retries 1 --timeout 20 --index-url "$TORCH_INDEX" "torch==$TORCH+cpu" ||
        pip_install -c constraints.txt "torch==$TORCH" ||
        stop "torch could not be installed; $ROOM/setup.log says why."
    pip_install -c constraints.txt "torch==$TORCH" "transformers[serving]==5.23.0" ||
        stop "transformers[serving] could not be installed; $ROOM/setup.log says why."
}

install_server
exec "$VENV/bin/python" scripts/interop.py "$ROOM"

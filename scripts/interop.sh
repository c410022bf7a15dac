#!/bin/sh
# Asks real servers, not scripted ones, through the application's own clients: `transformers serve` with a toy language
# model made on the spot, and infinity with the bundled cross-encoder. Each server gets an environment of its own under
# build/ (1.2 and 1.4 GB, once); the application's is only used.
#   PYTHON       the Python of these environments; the application's own when not set
#   TORCH_INDEX  where the processor-only build of torch is looked for when pip does not find it by itself
set -eu
cd "$(dirname "$0")/.."

VENV=${VENV:-.venv}
PYTHON=${PYTHON:-$VENV/bin/python}
TORCH=2.13.0
TORCH_INDEX=${TORCH_INDEX:-https://download.pytorch.org/whl/cpu}

say() { printf '%s\n' "$*"; }
stop() { say "$*" >&2; exit 1; }

# pip_install ROOM ARGUMENTS...
pip_install() {
    room=$1
    shift
    "$room/bin/python" -m pip install -q --disable-pip-version-check "$@" >"$room/setup.log" 2>&1
}

# install_server ROOM PROGRAM ARGUMENTS...: an environment with that program, from these arguments to pip. torch goes
# first and alone, as in scripts/setup.sh, and for the same reason.
install_server() {
    room=$1
    program=$2
    shift 2
    [ -x "$room/bin/$program" ] && return
    say "Making an environment for $program in $room (a minute or two, once)."
    mkdir -p "$room"
    "$PYTHON" -m venv "$room"
    pip_install "$room" --no-deps --retries 1 --timeout 20 "torch==$TORCH+cpu" ||
        pip_install "$room" --no-deps --retries 1 --timeout 20 --index-url "$TORCH_INDEX" "torch==$TORCH+cpu" ||
        pip_install "$room" -c constraints.txt "torch==$TORCH" ||
        stop "torch could not be installed; $room/setup.log says why."
    pip_install "$room" "torch==$TORCH" "$@" || stop "$program could not be installed; $room/setup.log says why."
}

install_server build/interop transformers -c constraints.txt "transformers[serving]==5.23.0"
# Its pins are older than the application's, so the constraints are not for it.
install_server build/interop-rerank infinity_emb "infinity-emb[server,torch]==0.0.78"
exec "$VENV/bin/python" scripts/interop.py build/interop build/interop-rerank

"""The real application over scripted answers, as a process of its own: HOME PORT, and orders on standard input.

`hold` lets no answer go on after its first words, `go` lets them go on; `slow` lets each step of an answer be seen,
`quick` does not; `look` has questions to begin with looked for, `found` has them found. What was carried out is told on
standard output. It is no thread of the tests because they make errors of warnings, and Gradio gives some.
"""

import asyncio
import sys
import threading
from pathlib import Path

import uvicorn
from scripted_desk import HANDBOOK, OWN, ScriptedDesk

from rag_app.suggestions import Suggestions
from rag_app.web.server import create_app


async def serve(home, port):
    scripted = ScriptedDesk(home, (HANDBOOK, OWN))
    suggested = scripted.suggested

    def suggest(known):
        scripted.suggested = known

    def pause(seconds):
        scripted.pause = seconds

    orders = {
        "slow": lambda: pause(0.25),
        "quick": lambda: pause(0.0),
        "hold": scripted.gate.clear,
        "go": scripted.gate.set,
        "look": lambda: suggest(Suggestions(pending=True)),
        "found": lambda: suggest(suggested),
    }
    loop = asyncio.get_running_loop()

    def carry_out(order):
        orders[order]()
        print(order, flush=True)

    def listen():
        for line in sys.stdin:
            loop.call_soon_threadsafe(carry_out, line.strip())

    threading.Thread(target=listen, daemon=True).start()
    app = create_app(scripted.desk(), home=home, port=port)
    await uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=2)).serve()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))

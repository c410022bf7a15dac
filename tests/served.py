"""An application behind a real socket of this computer, in a thread of the tests' own process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

STARTED_S = 30.0


@contextmanager
def served(app) -> Iterator[str]:
    """The address of `app`, which is served until the block ends."""
    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets=None):
            await super().startup(sockets)
            started.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(uvicorn.Config(app, log_config=None, log_level="warning", timeout_graceful_shutdown=2))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        assert started.wait(STARTED_S)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(STARTED_S)

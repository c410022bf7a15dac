"""rag serve: the chat, the library page and the work behind them, in one process that owns the home."""

import argparse
import gc
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import NoReturn

from ingest.command import take_in_owned
from ingest.errors import LibraryError, RagError
from ingest.home import Home, OwnerLock
from ingest.records import JobState
from rag_app.access import HANDBOOK
from rag_app.build import WARMING, Application, build, provider_of
from rag_app.commands.warmth import Warmth
from rag_app.settings import Settings

UNPREPARED = "The models or the index could not be made ready. The log says why; `rag doctor` looks at every part."

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "--handbook",
        type=Path,
        metavar="FOLDER",
        help="PDFs about this program, put into an empty library so that there is something to ask about",
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve until interrupted. Raises HomeBusy where another process owns the home."""
    from rag_app.web.memory import few_heaps
    from rag_app.web.people import check_exposure
    from rag_app.web.server import check_address

    few_heaps()
    check_exposure(settings.host, settings.password, settings.ingest.home)
    check_address(settings.host, settings.port)
    signal.signal(signal.SIGTERM, _stopped)
    with OwnerLock(Home(settings.ingest.home).prepare()).acquire():
        application = build(settings)
        application.parts.library.sweep()
        application.parts.intake.tidy()
        if arguments.handbook is not None:
            add_handbook(application, arguments.handbook)
        stop, warmth = threading.Event(), Warmth()
        threads = [
            threading.Thread(target=application.parts.worker.run, args=(stop,), name="worker", daemon=True),
            threading.Thread(target=lambda: warmth.tell(prepare(application)), name="prepare", daemon=True),
        ]
        try:
            _serve(application, settings, warmth, threads)
        except KeyboardInterrupt:
            sys.stderr.write("\nStopped.\n")
        finally:
            stop.set()
            application.parts.index.close()
    _leave()


def _leave() -> NoReturn:
    """End the process, with everything closed. The interpreter is not taken down under threads that still compute.

    Python ends such a thread where it comes back from native code, and OpenVINO's C++ aborts the process over that.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _stopped(_number: int, _frame: FrameType | None) -> None:
    """What a service manager's stop does: leave as Ctrl+C would, so that files are closed and the lock is free."""
    raise KeyboardInterrupt


def add_handbook(application: Application, folder: Path) -> None:
    """Put the handbook into a library that holds nothing else. Unchanged files cost nothing."""
    library = application.parts.library
    if any(space != HANDBOOK for space in library.spaces()):
        return
    if not folder.is_dir():
        raise LibraryError(f"There is no folder {folder} with the handbook. Leave --handbook out, or give its folder.")
    for path, job in take_in_owned(application.parts, [folder], HANDBOOK):
        if job.state not in {JobState.READY, JobState.UNCHANGED}:
            sys.stderr.write(f"{path}: {job.state}. {job.reason}\n")


def prepare(application: Application) -> str:
    """What the first question needs, done while the page loads: models warm, index checked, open and asked once.

    Returns a sentence where that failed, "" where it did not.
    """
    try:
        application.warm()
        application.parts.index.open()
        application.pipeline.search(WARMING, rerank=False)
        gc.collect()
        gc.freeze()  # what is loaded by now stays; walking over it once more takes a question a quarter of a second
    except Exception as error:
        # Questions still work: models load with the first one, and the exact scan answers.
        logger.exception("warming up failed")
        return str(error) if isinstance(error, RagError) else UNPREPARED
    return ""


def _serve(application: Application, settings: Settings, warmth: Warmth, threads: list[threading.Thread]) -> None:
    from rag_app.commands.desk import desk
    from rag_app.commands.office import given_names, office
    from rag_app.commands.vitals import vitals
    from rag_app.web.server import create_app, serve

    app = create_app(
        desk(application),
        office(application, given_names(os.environ)),
        vitals(application, warmth),
        home=application.parts.home.folder,
        password=settings.password,
        max_upload_mb=settings.ingest.max_file_mb,
        host=settings.host,
        port=settings.port,
        provider=provider_of(settings),
    )
    for thread in threads:
        thread.start()
    sys.stderr.flush()
    serve(app, settings.host, settings.port)

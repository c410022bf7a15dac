"""The real office: what the Library, Quality and Settings pages may ask for beyond the desk, from an application."""

import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ingest.errors import LibraryError, ModelError, Refused
from ingest.intake import Intake, files_under
from ingest.library import Library
from ingest.records import Job
from rag_app.build import Application
from rag_app.checks import Check
from rag_app.evaluate.results import kept
from rag_app.health import index_words, of_application
from rag_app.rerank.store import Store
from rag_app.settings import OUTSIDE, Settings
from rag_app.space_removal import empty
from rag_app.web.office import Configuration, Evaluations, Folder, Model, Office, Rerankers, Setting
from rag_app.web.setting_words import SECRETS, WORDS

IMPORT = "import"  # the folder in a home that may be imported from; a link to another place will do
FOLDERS_SHOWN = 200

logger = logging.getLogger(__name__)


def office(application: Application, given: frozenset[str]) -> Office:
    """The office of one application; `given` are the names of the variables that the environment sets."""
    parts = application.parts
    imports = Imports(parts.library, parts.intake, application.settings.ingest.space)
    back = _Back(application, given)
    return Office(
        folders=imports.folders,
        import_folder=imports.import_folder,
        queued=parts.library.jobs.count_under_way,
        retry=imports.retry,
        empty_space=lambda space, documents: empty(parts.library, space, documents=documents),
        configuration=back.configuration,
        checks=back.checks,
        rerankers=back.rerankers,
        evaluations=back.evaluations,
    )


class Imports:
    """Takes in what lies in the home's folder `import`, and nothing outside of it."""

    def __init__(self, library: Library, intake: Intake, space: str) -> None:
        self._intake = intake
        self._library = library
        self._space = space
        self._named = library.home.folder / IMPORT

    def folders(self) -> Sequence[Folder]:
        """The folder itself and those right in it. Raises Refused where there is none."""
        root = self._root()
        below = sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
        inside = [folder for folder in below if self._is_inside(folder)][:FOLDERS_SHOWN]
        return [Folder("", len(self._files(root))), *(Folder(one.name, len(self._files(one))) for one in inside)]

    def import_folder(self, name: str) -> int:
        """Begin to take in every file in a folder and below. Raises Refused for a folder that may not be imported."""
        root = self._root()
        if "\0" in name or not self._is_inside(root / name) or not (root / name).is_dir():
            raise Refused(f"Only folders in {self._named} may be imported. Put a copy or a link of the files there.")
        files = self._files(root / name)
        if not files:
            raise Refused("There is no file in this folder.")
        threading.Thread(target=self._take_in, args=(files,), name="import", daemon=True).start()
        return len(files)

    def retry(self, job_id: int) -> bool:
        """Take in once more the file of a job, where it lies in the folder that may be imported."""
        job = self._job(job_id)
        if job is None or not self._named.is_dir() or not job.path.startswith("/"):
            return False
        file = Path(job.path)
        if not self._is_inside(file) or not file.is_file():
            return False
        self._intake.add(file, job.space)
        return True

    def _job(self, job_id: int) -> Job | None:
        try:
            return self._library.jobs.get(job_id)
        except KeyError:
            return None

    def _root(self) -> Path:
        if not self._named.is_dir():
            raise Refused(
                f"Nothing can be imported yet. On the server, make the folder {self._named} (or a link of that name to "
                "another folder) and put the files there."
            )
        return self._named.resolve()

    def _is_inside(self, path: Path) -> bool:
        """Whether a path, its links followed, is below the folder that may be imported."""
        return path.resolve().is_relative_to(self._named.resolve())

    def _files(self, folder: Path) -> list[Path]:
        return [file for file in files_under(folder) if self._is_inside(file)]

    def _take_in(self, files: Sequence[Path]) -> None:
        for file in files:
            try:
                self._intake.add(file, self._space)
            except LibraryError as error:  # the disk is full: the rest would fail as well
                logger.warning("The import of %s and what follows was not done. %s", file, error)
                break


class _Back:
    """What is in force and what was measured."""

    def __init__(self, application: Application, given: frozenset[str]) -> None:
        self._application = application
        self._given = given

    def configuration(self) -> Configuration:
        application = self._application
        settings = application.settings
        return Configuration(
            models=_models(application),
            settings=settings_shown(settings, self._given),
            passages=settings.passages,
            candidates=settings.candidates,
            threshold=application.judge.threshold,
            index=index_words(application.parts.index),
            home=str(application.parts.home.folder),
        )

    def checks(self) -> list[Check]:
        return of_application(self._application)

    def rerankers(self) -> Rerankers:
        store = Store(self._application.settings.ingest.home)
        live = store.live()
        records: list[Mapping[str, Any]] = []
        faults = [live.fault] if live.fault else []
        for name in store.names():
            try:
                records.append(store.record(name))
            except ModelError as error:
                faults.append(str(error))
        return Rerankers(live.name, " ".join(faults), records)

    def evaluations(self) -> Evaluations:
        results, faults = kept(self._application.settings.ingest.home)
        return Evaluations(results, faults)


def settings_shown(settings: Settings, given: frozenset[str]) -> list[Setting]:
    """Every setting with its value, in the order of WORDS. Of a secret only whether it is set."""
    values = {**vars(settings.ingest), **vars(settings)}
    shown = []
    for name, told in WORDS.items():
        value = values[name.removeprefix("RAG_").lower()]
        text = ("set" if value else "not set") if name in SECRETS else _plain(name, value)
        shown.append(Setting(name, text, name in given, told))
    return shown


def _plain(name: str, value: object) -> str:
    """A value as text; of an address neither the name and password nor the query that it may carry."""
    if isinstance(value, float):
        return f"{value:g}"
    if not name.endswith("_URL") or not value:
        return str(value)
    parts = urlsplit(str(value))
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _models(application: Application) -> list[Model]:
    endpoint, judge, reranker = application.endpoint, application.judge, application.reranker
    orders = (
        "orders the passages and tells how relevant they are" if reranker is judge else "tells how relevant they are"
    )
    models = [
        Model("Finds by meaning", application.parts.embedder.name, "turns passages and questions into vectors"),
        Model("Reads and ranks", judge.name, orders),
    ]
    if reranker is not judge:
        models.append(Model("Orders", reranker.name, "orders the passages instead (RAG_RERANKER)"))
    if endpoint is None:
        models.append(
            Model("Writes", "none", "answers are sentences quoted from the documents (RAG_LLM_MODEL is empty)")
        )
    else:
        models.append(Model("Writes", endpoint.model, f"at {endpoint.host}; it is sent the passages of each answer"))
    return models


def given_names(environ: Mapping[str, str]) -> frozenset[str]:
    """The settings that the environment decides."""
    return frozenset(name for name in environ if name.startswith("RAG_") or name in OUTSIDE)

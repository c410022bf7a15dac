"""The `rag` command. Each subcommand is one file of rag_app/commands and is imported only when it is asked for."""

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Sequence

from ingest.errors import RagError
from ingest.terminal import failed
from rag_app import logs
from rag_app.settings import Settings

# name -> (what it does, the module with add_arguments and run)
COMMANDS = {
    "serve": ("serve the chat on RAG_HOST:RAG_PORT", "rag_app.commands.serve"),
    "ingest": ("add PDF files, text files or folders to the library", "rag_app.commands.ingest"),
    "ask": ("answer one question, with its sources", "rag_app.commands.ask"),
    "search": ("show the passages found for a question, best first", "rag_app.commands.search"),
    "documents": ("list documents, or remove one", "rag_app.commands.documents"),
    "people": ("register people, and let them in or not", "rag_app.commands.people"),
    "spaces": ("list spaces, and say who is what in them", "rag_app.commands.spaces"),
    "evaluate": ("measure how well passages are found, with and without reranking", "rag_app.commands.evaluate"),
    "diagnose": ("tell where questions lose their answers, and what to try", "rag_app.commands.diagnose"),
    "train": ("train the reranker on your own questions, and choose which one is live", "rag_app.commands.train"),
    "models": ("list the rerankers to choose from, and which are on this machine", "rag_app.commands.models"),
    "keys": ("make, list and revoke the keys by which other programs ask", "rag_app.commands.keys"),
    "report": ("tell by week and space what came of questions, and what is missing", "rag_app.commands.report"),
    "audit": ("list sign-ins, uploads, deletions, approvals and changes of roles", "rag_app.commands.audit"),
    "backup": ("write everything but the index into one file, also while serving", "rag_app.commands.backup"),
    "restore": ("fill an empty RAG_HOME from a backup", "rag_app.commands.restore"),
    "rebuild": ("cut and embed anew what is out of date, or all with another model", "rag_app.commands.rebuild"),
    "verify": ("check that nothing stored is lost, doubled or damaged", "rag_app.commands.verify"),
    "doctor": ("check that everything works, and say what does not", "rag_app.commands.doctor"),
}
# New objects between two collections. With Python's own 700, a tenth of the time to import the model libraries goes
# into walking over what is imported so far, again and again.
OBJECTS = 50_000
EPILOG = """\
exit codes: 0 done (also when the documents hold no answer), 1 failed or something was refused,
            2 wrong use, 75 another process owns the library

Settings come from the environment; RAG_HOME (default ./rag_data) is the folder that holds everything.
The README lists them all."""


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rag",
        description="Ask your PDFs: short answers whose every sentence points at the page it came from.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (told, module) in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=told, description=told[0].upper() + told[1:] + ".")
        if name == chosen:
            importlib.import_module(module).add_arguments(subparser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    chosen = next((word for word in words if not word.startswith("-")), None)
    arguments = _parser(chosen).parse_args(words)
    gc.set_threshold(OBJECTS)
    # Where torch runs the models: its threads wait without spinning, which costs whoever else has the cores a multiple.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        settings = Settings.from_environment(os.environ)
        logs.set_up(settings.log)
        code = importlib.import_module(COMMANDS[arguments.command][1]).run(arguments, settings)
    except RagError as error:
        return failed(error, as_json=getattr(arguments, "json", False))
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        return 130
    return int(code)


if __name__ == "__main__":
    sys.exit(main())

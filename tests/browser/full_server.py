"""The real application over a full and hostile shelf, as a process of its own: HOME PORT.

Ten thousand plain documents, 150 with hostile titles, 200 hostile names on their way in, an answer made of 150 hostile
sentences to the question `everything`, evaluations, models, settings and folders.
"""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import uvicorn
from hostile import hostile
from scripted_desk import HANDBOOK, OWN, ScriptedDesk, answered, citation, hit

from ingest.errors import Refused
from ingest.records import Job, JobState
from rag_app.checks import Check
from rag_app.records import Mode, Stage
from rag_app.web.office import Configuration, Evaluations, Folder, Model, Office, Rerankers, Setting
from rag_app.web.server import create_app

TEXTS = hostile(200)
EVERYTHING = "everything"
LOST = Job(1, "documents", "lost.pdf", "", JobState.REFUSED, "lost.pdf is damaged.", None, 0, 0, 0, 0, 1.0)
EMBEDDING = replace(LOST, id=2, path="slow.pdf", state=JobState.EMBEDDING, reason="", pages=48, chunks=212)


def shelf():
    plain = [
        replace(OWN, id=f"{n:032x}", title=f"Report {n:05}", path=f"r{n}.pdf", pages=n % 97 + 1, failed_pages=())
        for n in range(10_000)
    ]
    titled = [
        replace(OWN, id=f"{n:032x}", title=text, path=f"t{n}.pdf", space="hostile", failed_pages=())
        for n, text in enumerate(TEXTS[:150], start=20_000)
    ]
    return [HANDBOOK, OWN, *plain, *titled]


class FullDesk(ScriptedDesk):
    """Answers one question with everything hostile, and embeds for ever."""

    async def ask(self, question, turns, *, rerank=True, without=(), spaces=None):
        if question != EVERYTHING:
            async for answer in super().ask(question, turns, rerank=rerank, without=without):
                yield answer
            return
        sources = tuple(
            citation(n, document=replace(OWN, title=text), passage=text, quote=text, label=text)
            for n, text in enumerate(TEXTS[150:160], start=1)
        )
        yield replace(
            answered(question, "\n\n".join(TEXTS[:150]), mode=Mode.MODEL, model=TEXTS[0]),
            stage=Stage.DONE,
            sentences=(),  # one text lies within another: their marks would stand in the middle of it
            citations=sources,
            hits=tuple(hit(replace(OWN, title=text), text, 3, 0.4, n) for n, text in enumerate(TEXTS[:40], start=1)),
        )


def result(name, made, after):
    figures = dict.fromkeys(("recall@50", "hit@3", "mrr@10", "ndcg@10"), 0.61)
    reranked = dict.fromkeys(figures, after)
    spread = {metric: [0.012, 0.118] for metric in figures}
    return {
        "name": name,
        "dataset": "support-2026",
        "made": made,
        "reranker": "bundled",
        "questions": 80,
        "passages": 1284,
        "stages": {
            "hybrid": {**figures, "ci95": spread, "ms": 1.0},
            "hybrid+rerank": {**reranked, "ci95": spread, "ms": 9.0},
        },
        "lift": {"hybrid": {**dict.fromkeys(figures, after - 0.61), "ci95": spread}},
        "ranks": {"hybrid": {"before": [40, 9, 6, 4, 5, 6, 10], "after": [49, 8, 4, 3, 3, 3, 10]}},
        "failed": 30,
        "failures": [failure(text) for text in TEXTS[:30]],
        "settings": {"candidates": 50, "passages": 3},
    }


def failure(text):
    found = [{"document": text, "page": 4, "text": text, "relevance": 0.31, "right": False}]
    return {"question": text, "right": [{"document": "plan.pdf", "page": 3}], "found": found, "rank": 9}


def office():
    record = {
        "name": "team-1",
        "made": "2026-11-20T10:00:00+00:00",
        "base": "bundled",
        "held_out": {"questions": 40, "before": {"ndcg@10": 0.612}, "after": {"ndcg@10": 0.671}},
        "handbook": {"questions": 60, "before": {"hit@3": 0.9}, "after": {"hit@3": 0.9}},
    }
    settings = [
        Setting("RAG_PASSAGES", "3", given=True, told="passages an answer is made from"),
        Setting("OPENAI_API_KEY", "set", given=True, told="the key for the language model"),
        *(Setting("RAG_HOME", text, given=False, told="the folder with all state") for text in TEXTS[:20]),
    ]
    return Office(
        folders=lambda: [Folder("", 7), Folder("manuals", 3), *(Folder(text, 1) for text in TEXTS[:40])],
        import_folder=imported,
        configuration=lambda: Configuration(
            [Model("Writes", "llama3", "at localhost")], settings, 3, 50, 0.026, "121 passages indexed.", "/srv/rag"
        ),
        checks=lambda: [Check("library", ok=True, detail="fine"), Check("index", ok=False, detail=TEXTS[1])],
        rerankers=lambda: Rerankers("team-1", "", [record]),
        evaluations=lambda: Evaluations(
            [result("b", "2026-11-20T10:00:00+00:00", 0.68), result("a", "2026-11-01T10:00:00+00:00", 0.66)],
            ["broken.json cannot be read."],
        ),
    )


def imported(name):
    if name != "manuals":
        raise Refused("Only folders in /srv/rag/import may be imported.")
    return 3


def main():
    home, port = Path(sys.argv[1]), int(sys.argv[2])
    full = FullDesk(home, shelf())
    names = [replace(LOST, id=n, path=text, reason=text) for n, text in enumerate(TEXTS, start=3)]
    full.queue = [LOST, EMBEDDING, *(replace(job, state=JobState.READING) for job in names)]
    app = create_app(full.desk(), office(), home=home, port=port)
    config = uvicorn.Config(app, port=port, log_level="warning", timeout_graceful_shutdown=2)
    asyncio.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()

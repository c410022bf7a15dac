"""Two people in two spaces, the same document name in both, everything they do mixed: nothing crosses."""

import random
from contextlib import aclosing
from types import SimpleNamespace

import pytest
from fakes import HashEmbedder, SameQuestion, WordReranker
from shelves import new_library, put, waiting

from ingest.compute import Compute
from ingest.engines import Engines
from ingest.errors import LibraryError
from ingest.index.generation import Index
from ingest.intake import Intake
from ingest.settings import Settings as IngestSettings
from rag_app.access import Role, Who
from rag_app.build import Application
from rag_app.commands.desk import desk
from rag_app.generate.extractive import Extractive
from rag_app.pipeline import Line, Pipeline
from rag_app.records import Stage
from rag_app.retrieve import HybridRetriever
from rag_app.settings import Settings
from rag_app.web.narrowed import narrowed

INTERLEAVINGS = 5_000
MARKERS = {"sales": "Zebrasales", "board": "Zebraboard"}
PEOPLE = {
    "sales": Who("a" * 32, "ann", roles={"sales": Role.EDITOR}),
    "board": Who("b" * 32, "ben", roles={"board": Role.OWNER}),
}
QUESTION = "Where does the plan keep the marker of the quarter?"


@pytest.fixture
def team(tmp_path):
    """The real desk over a real library, in each space a plan.pdf and a file that waits; the ids of the documents."""
    library = new_library(tmp_path)
    index = Index(library, HashEmbedder.name)
    judge = WordReranker()
    line = Line(
        rewriter=SameQuestion(),
        retriever=HybridRetriever(library, index, HashEmbedder()),
        reranker=judge,
        judge=judge,
        generator=Extractive(judge),
        quoting=Extractive(judge),
    )
    held = {}
    for number, (space, marker) in enumerate(MARKERS.items(), start=1):
        text = f"The plan keeps the marker {marker} of the quarter. The quarter ends in June."
        held[space] = put(library, text, name="plan.pdf", space=space, content=f"{number}" * 64).id
        library.jobs.add(waiting(space, "next.pdf", f"{number + 2}" * 64))
        (library.home.originals / (f"{number}" * 64)).write_text(marker)
        (tmp_path / f"{space}.pdf").write_bytes(b"%PDF-1.7 other " + marker.encode())
    parts = SimpleNamespace(
        library=library,
        index=index,
        intake=Intake(library, 5),
        embedder=HashEmbedder(),
        compute=Compute(),
        engines=Engines(),
    )
    settings = Settings(ingest=IngestSettings(home=library.home.folder))
    pipeline = Pipeline(library, line, candidates=50, passages=2)
    made = desk(Application(settings, parts, judge, judge, None, pipeline))
    yield made, held, tmp_path
    index.close()


def other(space):
    return next(one for one in MARKERS if one != space)


async def ask(seen, space, _held, _folder, *, until=Stage.DONE):
    """A question, looked at after each step; ends where the answer is made or the reader goes."""
    async with aclosing(seen.ask(QUESTION, ())) as answers:
        async for answer in answers:
            assert MARKERS[other(space)] not in repr(answer)
            assert {hit.document.space for hit in answer.hits} <= {space}
            if answer.stage is until:
                assert MARKERS[space] in repr(answer)
                return
            yield


async def search(seen, space, held, folder):
    async with aclosing(ask(seen, space, held, folder, until=Stage.RERANKING)) as steps:
        async for _ in steps:
            yield


async def name_all_spaces(seen, space, _held, _folder):
    async with aclosing(seen.ask(QUESTION, (), spaces=[other(space)])) as answers:
        async for answer in answers:
            assert not answer.hits
            assert not answer.text
            yield


async def open_own(seen, space, held, _folder):
    (document,) = [one for one in seen.documents() if one.path == "plan.pdf"]
    yield
    assert document.id == held[space]
    assert seen.original(document.id).read_text() == MARKERS[space]


async def open_other(seen, space, held, _folder):
    yield
    with pytest.raises(LibraryError, match="no longer in the library"):
        seen.original(held[other(space)])
    yield
    with pytest.raises(LibraryError, match="no longer in the library"):
        seen.remove(held[other(space)])


async def upload(seen, space, held, folder):
    """A file of the same name with other contents meets one's own document, not the other's."""
    yield
    found = seen.add_upload(folder / f"{space}.pdf", "plan.pdf", None)
    yield
    assert found.existing.id == held[space]
    assert {job.space for job in seen.jobs()} == {space}


async def mixed(generator, steps):
    """Each of some lines of work, one step at a time, in an order that the generator chooses."""
    while steps:
        chosen = generator.choice(steps)
        try:
            await anext(chosen)
        except StopAsyncIteration:
            steps.remove(chosen)


@pytest.mark.slow
async def test_nothing_crosses_in_5000_interleavings(team):
    whole, held, folder = team
    generator = random.Random(8)
    acts = (ask, search, name_all_spaces, open_own, open_other, upload)
    done = dict.fromkeys(acts, 0)

    for _ in range(INTERLEAVINGS):
        steps = []
        for space, who in PEOPLE.items():
            act = generator.choices(acts, weights=(1, 2, 1, 3, 3, 3))[0]
            steps.append(act(narrowed(whole, who), space, held, folder))
            done[act] += 1
        await mixed(generator, steps)

    assert min(done.values()) > 500
    assert {one.space for one in whole.documents()} == set(MARKERS)


@pytest.mark.parametrize("act", [ask, search, name_all_spaces, open_own, open_other, upload])
async def test_each_act_would_notice_the_others_document(team, act):
    """The same acts on the desk that is not narrowed fail, so that they can fail."""
    whole, held, folder = team

    with pytest.raises((AssertionError, AttributeError, ValueError, pytest.fail.Exception)):
        await mixed(random.Random(1), [act(whole, "sales", held, folder)])

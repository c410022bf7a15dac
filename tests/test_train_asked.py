"""A team's own questions: what their labels mean in the library, how they are parted, which groups are made of them."""

from dataclasses import replace
from random import Random

import pytest
from examples import make_hit
from pdf_makers import drawn, lines
from shelves import Shelf

from rag_app.evaluate.metrics import Target
from rag_app.retrieve import HybridRetriever
from rag_app.train.asked import Asked, Missing, holds
from rag_app.train.asked import Shelf as Documents
from rag_app.train.labelled import Labelled
from rag_app.train.own import digest, group, groups, split
from rag_app.train.pairs import TrainingDataError

pytestmark = pytest.mark.slow

FILLER = "Nothing else is said on this page, which is long enough to stand for itself in the library of the office. "
RULES = ["The notice period is three months for all of us.", "Hotels above 300 dollars need approval from the office."]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Three PDFs, two of them of the same title."""
    shelf = Shelf(tmp_path_factory.mktemp("shelf"))
    files = {
        "rules.pdf": drawn(page(RULES[0]), page(RULES[1]), title="Rules"),
        "old/a.pdf": drawn(page("Old plan."), title="Plan"),
        "b.pdf": drawn(page("New plan."), title="Plan"),
    }
    for name, content in files.items():
        path = shelf.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        shelf.intake.add(path, "documents")
    shelf.worker.work_off()
    yield shelf
    shelf.index.close()


def page(rule):
    """A page whose passage is its own: as long as half a passage may be."""
    return lines(rule, *[FILLER[:90]] * 14)


@pytest.fixture(scope="module")
def documents(shelf):
    retriever = HybridRetriever(shelf.library, shelf.index, shelf.embedder)

    def find(question):
        return retriever.retrieve(question, ["documents"], 50)[0]

    return Documents(shelf.library.documents(["documents"]), find)


def label(document="rules.pdf", pages=(1,), passage="", question="How long is the notice period?"):
    return Labelled("line 1", question, document, pages, passage)


def asked_of(documents, *labels):
    return documents.asked(labels, lambda _: None)


@pytest.mark.parametrize("name", ["rules.pdf", "RULES.PDF", "Rules", "the path", "the id"])
def test_a_document_is_known_by_id_path_file_name_and_title(shelf, documents, name):
    (document,) = [one for one in shelf.library.documents() if one.title == "Rules"]
    called = {"the path": document.path, "the id": document.id}.get(name, name)

    (asked,), missing = asked_of(documents, label(called))

    assert missing == []
    assert asked.targets == (Target(document.id, 1, 1.0),)
    assert {asked.hits[index].chunk.page for index in asked.right} == {1}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (label("elsewhere.pdf"), "The library holds no document 'elsewhere.pdf'."),
        (label("Plan"), "2 documents are called 'Plan'; name this one by its id."),
        (label(pages=(1, 7)), "'rules.pdf' has 2 pages, none with the number 7."),
        (label("", (), "Bananas are yellow and bent."), "No passage of the library holds the text that was given."),
        (label("b.pdf", (), RULES[0]), "No passage of the library holds the text that was given."),
    ],
)
def test_a_label_that_names_nothing_in_the_library_is_listed_with_the_reason(documents, wrong, reason):
    asked, missing = asked_of(documents, wrong)

    assert asked == []
    assert missing == [Missing("line 1", wrong.question, reason)]


def test_a_passage_is_found_where_it_stands_and_its_page_is_never_taken_for_wrong(documents):
    (asked,), _ = asked_of(documents, label("", (), "the NOTICE period is three  months for all of us"))

    (right,) = asked.right
    assert asked.hits[right].chunk.text.startswith(RULES[0])
    assert {target.document for target in asked.targets} == {asked.hits[right].chunk.id}
    assert right in asked.barred


def test_labels_of_one_question_are_joined_and_what_is_wrong_with_one_spoils_no_other(documents):
    labels = [label(), label(pages=(2,), question="how long is the  Notice period?"), label(pages=(9,))]

    (asked,), missing = asked_of(documents, *labels)

    assert [target.page for target in asked.targets] == [1, 2]
    assert [one.reason for one in missing] == ["'rules.pdf' has 2 pages, none with the number 9."]


@pytest.mark.parametrize(
    ("passage", "wanted", "expected"),
    [
        ("It is three months. Lunch is at noon.", "it is  THREE months", True),
        ("It is three months.", "Before it. It is three months. After it, much more is said than before.", False),
        ("It is three months. " * 6, "Before. " + "It is three months. " * 6 + "After.", True),
        ("The end of one rule. The notice period is three months.", "The notice period is three months. A week.", True),
        ("Lunch is at noon.", "It is three months.", False),
        ("Lunch is at noon.", "...", False),
    ],
)
def test_a_passage_holds_a_label_whole_or_for_the_most_part(passage, wanted, expected):
    assert holds(passage, wanted) is expected


def questions(count):
    return [Asked(f"question {n}", (Target("a", n, 1.0),), (), ()) for n in range(count)]


def test_questions_are_parted_in_the_same_way_whatever_their_order():
    many = questions(100)
    shuffled = Random(3).sample(many, 100)

    parts = split(many, seed=1)

    assert [len(part) for part in (parts.train, parts.calibrate, parts.held_out)] == [60, 20, 20]
    assert set(parts.train + parts.calibrate + parts.held_out) == set(many)
    assert split(shuffled, seed=1) == parts
    assert split(many, seed=2) != parts


def test_what_the_live_model_was_trained_on_is_never_held_out():
    many = questions(100)
    before = split(many, seed=1)
    known = {digest(one.text) for one in (*before.train, *before.calibrate)}

    parts = split([*many, *(Asked(f"new {n}", (Target("b", n, 1.0),), (), ()) for n in range(10))], 9, known)

    assert not known & {digest(one.text) for one in (*parts.calibrate, *parts.held_out)}
    assert len(parts.held_out) == 15


@pytest.mark.parametrize(
    ("count", "known", "said"),
    [(39, 0, "39 questions can be used; training needs at least 40"), (60, 50, "Add at least 6 more")],
)
def test_too_few_questions_are_refused_with_how_many_are_needed(count, known, said):
    with pytest.raises(TrainingDataError, match=said):
        split(questions(count), 1, {digest(f"question {n}") for n in range(known)})


def test_no_negative_stands_on_a_labelled_page_or_is_much_nearer_than_what_answers():
    hits = tuple(replace(make_hit(f"text {n}", name=str(n)), cosine=0.9 - n / 10) for n in range(8))
    asked = Asked("q", (Target("d", 1, 1.0),), hits, tuple(("d", n) for n in range(8)), frozenset({1, 3}))

    made = [group(asked, hits[1], Random(seed)) for seed in range(40)]

    drawn_texts = {text.rpartition("\n")[2] for one in made for text in one.texts[1:]}
    assert drawn_texts == {"text 2", "text 4", "text 5", "text 6", "text 7"}  # 0 is nearer by more than the margin
    assert all(one.texts[0].endswith("text 1") for one in made)


def test_questions_whose_page_the_search_does_not_find_are_too_little_to_learn_from():
    with pytest.raises(TrainingDataError, match="For only 0 of the questions"):
        groups([], 4, 1)

"""What a question may be, and what it finds by its words and identifiers."""

import unicodedata

import pytest
from fakes import HashEmbedder
from hypothesis import given
from hypothesis import strategies as st
from shelves import new_library, put

from ingest.index.child import WORDS
from ingest.index.generation import Index
from ingest.index.tantivy import WordIndex
from ingest.records import Place

COMMON = "printer tray paper toner lamp cable switch button roller cover"
TEXTS = [
    "The café in Zürich serves crème brûlée and jalapeños to señoras from Łódź.",
    "Error KB-ERR-2847-fatal: the disk is full.",
    "Error KB-ERR-2848-fatal: the disk is slow.",
    "Release v1.2.3 returns E_OUTOFMEMORY and status 0x8007000E.",
    "A zeppelin needs a hangar.",
    *[f"{COMMON} {number}" for number in range(20)],
]
STRANGE = st.text(st.characters(), max_size=300)  # halves of pairs and control characters too


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    library = new_library(tmp_path_factory.mktemp("words"))
    index = WordIndex(None)
    document = put(library, *TEXTS, name="a.pdf")
    index.add(document, library.document_chunks(document.id))
    secret = put(library, "The zeppelin of the board", name="b.pdf", space="board")
    index.add(secret, library.document_chunks(secret.id))
    index.commit()
    return index


def found(words, question, limit=5):
    return [place.position for place, _ in words.search(question, ["documents"], limit)]


@given(question=STRANGE)
def test_any_question_is_answered_with_passages_of_its_space(words, question):
    places = words.search(question + " zeppelin", ["documents"], 3)

    assert places[0][0].position == 4 or len(places) == 3
    assert len({place.document_id for place, _ in places}) == 1


@given(
    before=STRANGE,
    after=st.sampled_from(['"', "'", " AND", " OR NOT (", ")^2~", "*", ":", " +", "\\", "\ud800", "🧨", "\0"]),
)
def test_operators_are_signs_like_any_other(words, before, after):
    plain, operated = (
        words.search("zeppelin", ["documents"], 1),
        words.search(f"{after} zeppelin{after}", ["documents"], 1),
    )

    assert operated == plain
    words.search(before + after, ["documents"], 3)


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize("change", [str.upper, str.lower, str.title])
@pytest.mark.parametrize("word", ["café", "Zürich", "crème brûlée", "jalapeños", "señoras"])
def test_case_and_accents_are_folded_however_they_are_written(words, word, change, form):
    bare = "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))

    scores = [words.search(written, ["documents"], 1) for written in (unicodedata.normalize(form, change(word)), bare)]

    assert scores[0] == scores[1]
    assert scores[0][0][0].position == 0


@given(st.lists(st.sampled_from("what is the of and a when do i have to which my from about any".split()), max_size=30))
def test_stop_words_add_nothing(words, said):
    assert words.search(" ".join([*said, "zeppelin"]), ["documents"], 5) == words.search("zeppelin", ["documents"], 5)


@given(st.integers(0, 1999), st.sampled_from(["zeppelin", "KB-ERR-2847-fatal,"]))
@pytest.mark.slow
def test_a_rare_term_is_kept_among_two_thousand_words(words, place, rare):
    said = (COMMON.split() + [f"word{number}" for number in range(90)]) * 20
    said.insert(place, rare)

    assert found(words, " ".join(said))[0] == (4 if rare == "zeppelin" else 1)


@pytest.mark.parametrize(
    ("question", "position"),
    [
        ("what does kb-err-2847-fatal mean", 1),
        ("(KB-ERR-2848-fatal).", 2),
        ("Error disk full: ERR-2848?", 2),
        ("Is version 1.2.3 out?", 3),
        ("e_outofmemory!", 3),
        ('"0X8007000E"', 3),
        ("KB ERR 2847", 1),
    ],
)
def test_an_identifier_is_found_whole_or_in_part(words, question, position):
    assert found(words, question)[0] == position


def test_an_identifier_outweighs_a_sentence_of_other_words(words):
    assert (
        found(words, "The lamp of the printer says KB-ERR-2847-fatal; cover, tray, roller and toner are fine")[0] == 1
    )


def test_the_identifier_of_a_title_is_the_passages_too(tmp_path):
    library, index = new_library(tmp_path), WordIndex(None)
    for name in ("AX-4711.pdf", "AX-4712.pdf"):
        document = put(library, "The roller is changed once a year.", name=name)
        index.add(document, library.document_chunks(document.id))
    index.commit()

    assert index.search("ax-4712", ["documents"], 5)[0][0] == Place(document.id, 0)


def test_a_search_without_space_words_or_limit_finds_nothing(words):
    assert words.search("zeppelin", [], 5) == []
    assert words.search("the of and", ["documents"], 5) == []
    assert words.search("zeppelin", ["documents"], 0) == []


@pytest.mark.slow
def test_a_word_index_of_an_older_version_is_built_anew(tmp_path):
    library = new_library(tmp_path)
    put(library, "alpha KB-2847", name="a.pdf")
    index = Index(library, HashEmbedder.name)
    index.open()
    index.close()
    first = library.fact("generation")
    built = next(library.home.index.glob(f"*/{WORDS}"))
    built.rename(built.with_name("words"))  # what version 1 was called

    beside, owner = Index(library, HashEmbedder.name), Index(library, HashEmbedder.name)
    assert beside.lexical("kb-2847", ["documents"], 1)  # indexed in memory
    owner.open()

    assert library.fact("generation") != first
    assert owner.lexical("kb-2847", ["documents"], 1)
    beside.close()
    owner.close()


@pytest.mark.parametrize("question", ["disk is full", "zeppelin", "printer paper 7", "KB-2847"])
def test_the_same_is_found_where_other_spaces_are_left_out_and_where_there_are_none(tmp_path, question):
    library, index = new_library(tmp_path), WordIndex(None)
    document = put(library, *TEXTS, name="a.pdf")
    index.add(document, library.document_chunks(document.id))
    index.commit()
    alone = index.search(question, ["documents"], 8)
    other = put(library, "Nothing of this is asked for.", name="b.pdf", space="board")
    index.add(other, library.document_chunks(other.id))
    index.commit()

    beside = index.search(question, ["documents"], 8)
    both = index.search(question, ["board", "documents"], 8)

    assert [place for place, _ in alone] == [place for place, _ in beside] == [place for place, _ in both]
    assert beside == both
    assert alone

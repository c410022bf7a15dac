import pytest

from ingest.records import Chunk, Document
from rag_app.records import Hit
from rag_app.verbatim import holding_identifiers


def hit(number: int, text: str, heading: str = "", title: str = "Notes") -> Hit:
    chunk = Chunk(f"c{number}", "d", number, 1, 1, 1, "1", heading, text, 0, len(text))
    return Hit(chunk, Document("d", "documents", "0" * 64, title, "a.pdf", 1, 9, 10, "2026-01-01T00:00:00"))


def order(question: str, *hits: Hit, first: int = 3) -> list[int]:
    return [kept.chunk.position for kept in holding_identifiers(question, hits, first)]


def passages(*texts: str) -> list[Hit]:
    return [hit(number, text) for number, text in enumerate(texts)]


def test_a_passage_with_the_code_takes_the_last_place_of_the_first():
    hits = passages("KB-2840 is shown", "KB-2841 is shown", "KB-2842 is shown", "KB-2843 is shown", "KB-2847 is shown")

    assert order("What is kb-2847?", *hits) == [0, 1, 4, 2, 3]


@pytest.mark.parametrize(
    "question", ["What is shown?", "What is KB-9999?", "What did it cost in 24h?", "", "KB-2840 and nothing else"]
)
def test_nothing_moves_where_no_code_is_asked_for_or_none_is_missing(question):
    hits = passages("KB-2840 is shown", "b", "c", "d", "e")

    assert order(question, *hits) == [0, 1, 2, 3, 4]


def test_what_defines_a_code_is_kept_beside_what_mentions_it():
    hits = passages("a", "b", "c", "See also KB-2847.", "d", "KB-2847 means that the disk is full.")

    assert order("What does KB-2847 mean?", *hits)[:3] == [0, 3, 5]


def test_a_name_that_is_everywhere_moves_only_its_best_passage():
    hits = passages("a", "b", "c", *[f"RAG_HOME {number}" for number in range(6)])

    assert order("Where is RAG_HOME?", *hits)[:3] == [0, 1, 3]


def test_each_of_two_codes_gets_its_passage():
    hits = passages("a", "b", "c", "KB-1 here", "again KB-1", "v1.2.3 there")

    assert order("Is KB-1 mended by v1.2.3?", *hits)[:3] == [0, 3, 5]


def test_a_heading_counts_where_no_text_has_the_code_and_a_part_where_nothing_has_it_whole():
    above = [hit(0, "a"), hit(1, "b"), hit(2, "c"), hit(3, "Restart it.", heading="KB-ERR-2847")]
    longer = passages("a", "b", "c", "KB-ERR-2847-fatal is shown")

    assert order("KB-ERR-2847?", *above)[2] == 3
    assert order("ERR-2847?", *longer)[2] == 3


def test_a_single_place_goes_to_the_code():
    assert order("KB-2847?", *passages("a", "KB-2847"), first=1) == [1, 0]


def test_no_hit_is_lost_or_doubled():
    hits = passages(*[f"KB-{number}" for number in range(20)])

    assert sorted(order(" ".join(f"KB-{number}" for number in range(5, 20)), *hits)) == list(range(20))

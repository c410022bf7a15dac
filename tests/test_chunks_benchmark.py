"""The other ways of cutting passages that benchmarks/chunks.py compares."""

from dataclasses import replace

from examples import make_hit

from benchmarks.chunks import anywhere, around, bare, overlapping, untitled
from rag_app.evaluate.records import Passage

TEXTS = ("One two three four. Five six.", "Seven eight nine ten.", "Eleven twelve.")


def passages(*texts, headings=("Leave", "Leave", "Notice")):
    base = make_hit()
    return [
        Passage(
            replace(base.chunk, text=text, heading=heading, position=place, page=place + 1, first_page=place + 1),
            base.document,
            f"{base.document.title}\n{heading}\n{text}",
        )
        for place, (text, heading) in enumerate(zip(texts, headings, strict=True))
    ]


def test_whole_sentences_of_the_passage_before_are_put_in_front_under_one_heading():
    quarter, half = (list(overlapping(passages(*TEXTS), share)) for share in (0.25, 1.0))

    assert [one.chunk.text for one in quarter] == [TEXTS[0], f"Five six.\n{TEXTS[1]}", TEXTS[2]]
    assert half[1].chunk.text == f"One two three four.\nFive six.\n{TEXTS[1]}"
    assert half[1].text == f"Handbook\nLeave\n{half[1].chunk.text}"


def test_title_and_heading_are_left_out_of_what_is_embedded():
    assert next(one.text for one in untitled(passages(*TEXTS))) == f"Leave\n{TEXTS[0]}"
    assert [one.text for one in bare(passages(*TEXTS))] == list(TEXTS)


def test_cut_anywhere_every_word_is_kept_on_its_page():
    found = list(anywhere(passages(*TEXTS)))

    assert " ".join(one.chunk.text for one in found) == " ".join(TEXTS)
    assert [len(one.chunk.text.split()) for one in found] == [4, 4, 4]
    assert [one.chunk.page for one in found] == [1, 1, 2]
    assert len({one.chunk.id for one in found}) == 3


def test_a_smaller_passage_belongs_to_the_one_it_begins_in():
    large = passages(*TEXTS)
    parent = around(large)

    assert parent(replace(large[1].chunk, start=9)) == large[1].chunk
    assert parent(replace(large[0].chunk, start=0)) == large[0].chunk

"""Long passages in windows."""

import pytest

from rag_app.rerank.windows import MOST, SLACK, WORDS, windows

HEAD = "Pump manual\nSafety > Seals"


def words(count: int) -> list[str]:
    return [f"w{number}" for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, WORDS, int(WORDS * SLACK)])
def test_short_text_is_read_whole(count):
    text = f"{HEAD}\n{' '.join(words(count))}"

    assert windows(text) == [text]


@pytest.mark.parametrize("count", [int(WORDS * SLACK) + 1, 200, 400, 5_000])
def test_windows_cover_every_word_in_order(count):
    found = [window.removeprefix(f"{HEAD}\n").split() for window in windows(f"{HEAD}\n{' '.join(words(count))}")]

    assert 1 < len(found) <= MOST
    covered: list[str] = []
    for part in found:
        assert part[0] in {*covered, f"w{len(covered)}"}  # no gap
        covered += [word for word in part if word not in set(covered)]
    assert covered == words(count)


def test_neighbours_share_words():
    first, second, *_ = (set(window.split()) for window in windows(" ".join(words(300))))

    assert first & second


def test_each_window_stands_behind_title_and_heading():
    assert all(window.startswith(f"{HEAD}\n") for window in windows(f"{HEAD}\n{' '.join(words(300))}"))


def test_first_sentence_is_no_head():
    text = f"It holds ten litres.\n{' '.join(words(300))}"

    assert [window.startswith("It holds") for window in windows(text)].count(True) == 1

"""A long passage in overlapping windows, to be scored by the best of them. Pure.

A cross-encoder reads an answer better among a hundred words than among three hundred: what it was trained on is that
long, and what else a passage says dilutes it (MaxP: Dai and Callan, SIGIR 2019). docs/training.md has what it gave.
"""

WORDS = 110  # of a window
OVERLAP = 27  # words that two windows share, so that a sentence at the edge stands whole in one of them
SLACK = 1.3  # a passage up to so many times WORDS is read at once
MOST = 8  # windows of a passage; one longer still is cut into wider ones
HEAD_LINES, HEAD_WORDS = 2, 20  # what may stand before the text: title and heading, each a line


def windows(text: str) -> list[str]:
    """The text itself where it is short, otherwise windows of WORDS words, each behind the title and heading lines."""
    head, body = _parted(text)
    words = body.split()
    if len(words) <= WORDS * SLACK:
        return [text]
    count = min(MOST, -(-(len(words) - OVERLAP) // (WORDS - OVERLAP)))
    width = max(WORDS, -(-(len(words) + OVERLAP * (count - 1)) // count))
    step = (len(words) - width) / (count - 1)
    starts = [round(place * step) for place in range(count)]
    return ["\n".join([*head, " ".join(words[start : start + width])]) for start in starts]


def _parted(text: str) -> tuple[list[str], str]:
    """Title and heading lines, and the rest."""
    head: list[str] = []
    body = text
    while len(head) < HEAD_LINES:
        line, end, rest = body.partition("\n")
        if not end or len(line.split()) > HEAD_WORDS or line.rstrip().endswith((".", "!", "?", ":", ";", ",")):
            break
        head.append(line)
        body = rest
    return head, body

"""Training examples made by rule from others. Pure, given a source of chance.

A passage without the sentences that answer teaches that being about the question is not enough; sentences alone teach
what the quoted answers need; a sentence against the passage it was taken from teaches topics (inverse cloze task, Lee
et al., ACL 2019); a question without its question words teaches what people type into search boxes.
"""

import re
from random import Random

from ingest.sentences import sentences
from rag_app.train.groups import Example, Group

SHORTEST = 25  # characters of a sentence worth ranking
LEAST = 20  # words of a passage whose answer was taken out
BOTH_WAYS = 0.5  # chance that a window grows to the left
CLOZE_WORDS = range(6, 31)  # of a sentence that can stand for a question
CLOZE_SENTENCES = 4  # of a passage that can lose one
_ASKING = re.compile(
    r"\b(?:what|which|who|whom|whose|when|where|why|how|do|does|did|is|are|was|were|can|could|should|would|will|has|have|"
    r"had|the|a|an|of|in|on|at|for|to|from|by|with|i|my|you|your|it|its|this|that|there|any)\b|[?]",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.,])\d{1,4}(?![\w]|[.,]\d)")
# Words of a passage that is handed to training: few long ones, because time grows faster than length.
_LENGTHS = ((40, 80, 0.45), (80, 120, 0.55))
_FRINGE = 12  # words of the neighbouring sentences that a frayed passage keeps at either end, at most


def length(rng: Random) -> int:
    """How many words a passage is cut to."""
    low, high, _ = rng.choices(_LENGTHS, weights=[share for *_, share in _LENGTHS])[0]
    return rng.randint(low, high)


def window(passage: str, words: int, rng: Random, answer: tuple[int, int] | None) -> str:
    """Whole sentences of a passage, about `words` long, with the answer among them; from the start without one."""
    spans = sentences(passage)
    counts = [len(passage[start:end].split()) for start, end in spans]
    if sum(counts) <= words:
        return passage
    first = next((i for i, (_, end) in enumerate(spans) if end > answer[0]), 0) if answer else 0
    last = next((i for i, (_, end) in enumerate(spans) if end >= answer[1]), first) if answer else 0
    while True:
        total = sum(counts[first : last + 1])
        before, after = first > 0, last + 1 < len(spans)
        if total >= words or not (before or after):
            break
        if before and answer and (not after or rng.random() < BOTH_WAYS):
            first -= 1
        elif after:
            last += 1
        else:
            break
    return passage[spans[first][0] : spans[last][1]]


def somewhere(passage: str, words: int, rng: Random) -> str:
    """Whole sentences from anywhere in a passage, about `words` long."""
    start, _ = rng.choice(sentences(passage) or [(0, 0)])
    return window(passage, words, rng, (start, start))


def frayed(passage: str, part: str, rng: Random) -> str:
    """A part of a passage with some words of the sentences around it, as a window cut by length has."""
    start = passage.index(part)
    before, after = passage[:start].split(), passage[start + len(part) :].split()
    left, right = rng.randint(0, min(_FRINGE, len(before))), rng.randint(0, min(_FRINGE, len(after)))
    return " ".join([*before[len(before) - left :], part, *after[:right]])


def without_answer(example: Example) -> str | None:
    """The passage without every sentence that holds the answer; None where too little is left."""
    if example.answer is None:
        return None
    start, end = example.answer
    said = example.passage[start:end].lower()
    kept = [
        example.passage[a:b]
        for a, b in sentences(example.passage)
        if (b <= start or a >= end) and said not in example.passage[a:b].lower()
    ]
    return " ".join(kept) if sum(len(part.split()) for part in kept) >= LEAST else None


def other_number(example: Example, rng: Random) -> str | None:
    """The passage with the number that the question names made another; None where they share none."""
    shared = [number for number in _NUMBER.findall(example.question) if number in _NUMBER.findall(example.passage)]
    if not shared:
        return None
    number = shared[0]
    other = str(max(1, int(number) + rng.choice((-3, -2, -1, 1, 2, 3, 10))))
    if other == number:
        return None
    return re.sub(rf"(?<![\w.,]){number}(?!\w|[.,]\d)", other, example.passage)


def sentence_group(example: Example, others: list[str], rng: Random, size: int) -> Group | None:
    """The sentence that answers against others of its passage, and of the passages `others`."""
    if example.answer is None:
        return None
    start, end = example.answer
    said = example.passage[start:end].lower()
    spans = [span for span in sentences(example.passage) if span[1] - span[0] >= SHORTEST]
    right = [example.passage[a:b] for a, b in spans if a <= start < b]
    wrong = [
        example.passage[a:b] for a, b in spans if (b <= start or a >= end) and said not in example.passage[a:b].lower()
    ]
    strange = [text[a:b] for text in others for a, b in sentences(text) if b - a >= SHORTEST]
    rng.shuffle(wrong)
    rng.shuffle(strange)
    near = wrong[: size - 2]
    texts = [*near, *strange[: size - 1 - len(near)]]
    if not right or len(texts) < size - 1:
        return None
    return Group(f"{example.source} sentences", example.question, (right[0], *texts))


def keywords(question: str) -> str:
    """A question as people type it into a search box."""
    return " ".join(_ASKING.sub(" ", question).split())


def cloze(example: Example, rng: Random) -> Example | None:
    """One sentence of a passage as the question, the rest as the answer."""
    spans = sentences(example.passage)
    fit = [(a, b) for a, b in spans if len(example.passage[a:b].split()) in CLOZE_WORDS]
    if len(spans) < CLOZE_SENTENCES or not fit:
        return None
    a, b = rng.choice(fit)
    rest = f"{example.passage[:a]} {example.passage[b:]}"
    return Example(f"{example.source} topics", example.passage[a:b], example.title, " ".join(rest.split()))

"""Texts, or pairs of texts, to batches of token numbers, like lengths together. The only file that knows tokenizers."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BATCH = 8  # texts at once; 4 to 16 were measured equally fast, more slower
STEP = 16  # a batch is filled up to a multiple of so many tokens: whole tiles of the matrix units, few shapes
FILE = "tokenizer.json"
REMEMBERED = 100_000  # words whose pieces are known, some 10 MB
LONGEST_WORD = 64  # characters of a word that is remembered
_SPACES = re.compile("[ \n]+")

Text = str | tuple[str, str]  # a pair is read together
Ids = NDArray[np.int64]  # (texts, tokens)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some of the texts, ready for a model."""

    places: Sequence[int]  # of the texts, 0-based, in the order they were given
    ids: Ids
    mask: Ids  # 1 for a token, 0 for what fills up
    types: Ids  # 0 for the first of a pair, 1 for the second


class Tokens:
    """A model's tokenizer, which cuts what is longer than `window` tokens (of a pair the longer one)."""

    def __init__(self, folder: Path, window: int) -> None:
        from tokenizers import Tokenizer

        self.window = window
        self._tokenizer: Any = Tokenizer.from_file(str(folder / FILE))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(window, strategy="longest_first")

    def batches(self, texts: Sequence[Text]) -> Iterator[Batch]:
        """The texts in batches, short ones first, so that little is filled up."""
        read = self._tokenizer.encode_batch(list(texts))
        order = sorted(range(len(texts)), key=lambda place: len(read[place].ids))
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            yield _filled(places, [read[place] for place in places], self.window)


def _filled(places: Sequence[int], read: Sequence[Any], window: int) -> Batch:
    longest = max(len(one.ids) for one in read)
    length = max(longest, min(window, -(-longest // STEP) * STEP))  # never past the table of positions
    ids, mask, types = (np.zeros((len(read), length), dtype=np.int64) for _ in range(3))
    for row, one in enumerate(read):
        count = len(one.ids)
        ids[row, :count], mask[row, :count], types[row, :count] = one.ids, 1, one.type_ids
    return Batch(places, ids, mask, types)


class Counter:
    """Counts word pieces. Safe for several threads: what it remembers may be counted twice, and never otherwise.

    BERT's tokenizer cuts at spaces before anything else, so a text has as many pieces as its words have, and words
    come again and again. Any other tokenizer counts whole texts.
    """

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer: Any = Tokenizer.from_file(str(folder / FILE))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._words: dict[str, int] | None = {} if _cuts_at_spaces(folder) else None

    def __call__(self, text: str) -> int:
        """Word pieces of a text, without the two that the model adds around it."""
        words = self._words
        if words is None:
            return self._counted(text)
        if len(words) > REMEMBERED:
            words = self._words = {}
        count = 0
        for word in _SPACES.split(text):
            pieces = words.get(word)
            if pieces is None:
                pieces = self._counted(word)
                if len(word) <= LONGEST_WORD:
                    words[word] = pieces
            count += pieces
        return count

    def _counted(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)


def _cuts_at_spaces(folder: Path) -> bool:
    """Whether spaces and line ends separate words for this tokenizer, whatever stands around them."""
    made = json.loads((folder / FILE).read_text(encoding="utf-8"))
    kinds = [(made.get(part) or {}).get("type") for part in ("normalizer", "pre_tokenizer")]
    added = [str(one["content"]) for one in made.get("added_tokens") or ()]
    return kinds == ["BertNormalizer", "BertPreTokenizer"] and not any(_SPACES.search(token) for token in added)


def longest(folder: Path, most: int) -> int:
    """Tokens that the tokenizer's own settings let through, at most `most`."""
    try:
        found = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8")).get("model_max_length")
    except (OSError, ValueError, AttributeError):
        return most  # it names none: only the table of positions counts
    return min(most, int(found)) if isinstance(found, int | float) else most

"""How many passages an answer is made from: more than usual where a question asks for several things. Pure."""

import re
from collections.abc import Sequence

from rag_app.preference import is_approved
from rag_app.records import Hit

MOST = 6  # passages for one answer
# Beyond the usual number a passage has to be this near to the best one. Chosen, not fitted; a passage that is not the
# first is told about a fifth of what the first is at the same scores (rerank/calibration.py), so this is about half.
NEAR = 0.1
_ASKS = (
    r"(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|can|could|may|must|should|will|would)"
)
_PARTS = re.compile(rf"\?\s+(?=\S)|(?:,\s*|\s+)(?:and|or|but)\s+(?:also\s+)?(?={_ASKS}\b)", re.IGNORECASE)
_COMPARES = re.compile(
    r"\b(?:compare[ds]?|versus|vs\.?|differences? between|differ(?:s|ent)? from|both)\b|"
    r"\b(?:better|worse|faster|slower|cheaper|larger|smaller|more|less)\b.*\bthan\b",
    re.IGNORECASE,
)


def asks_several(question: str) -> bool:
    """Whether a question asks for more than one thing, as far as its words tell in English.

    Examples: "What does it cost and who pays?" and "How do A and B differ?"; not "Who pays for bed and breakfast?"
    """
    pieces = [piece for piece in _PARTS.split(question) if len(piece.split()) > 1]
    return len(pieces) > 1 or bool(_COMPARES.search(question)) or bool(re.search(r"\band\b.*\bdiffer\b", question))


def room(question: str, passages: int) -> int:
    """How many passages may be used for a question, `passages` being the usual number."""
    return max(passages, MOST) if asks_several(question) else passages


def reach(hits: Sequence[Hit], passages: int) -> int:
    """How many of the first hits hold so many passages of documents; fewer where there are not as many.

    Approved answers among them, at most as many, take no passage's place: one that was not what was asked would
    otherwise keep the right page out.
    """
    most = hits[: 2 * passages]
    own = [place for place, hit in enumerate(most, start=1) if not is_approved(hit)]
    return own[passages - 1] if 0 < passages <= len(own) else len(most)


def used(hits: Sequence[Hit], passages: int, most: int) -> list[bool]:
    """For each hit, in the final order, whether an answer is made from it.

    The first `passages` always, with the approved answers among them; up to `most` while they are not far behind the
    best.
    """
    wide = reach(hits, passages)
    enough = NEAR * max((hit.relevance or 0.0 for hit in hits[:wide]), default=0.0)
    while wide < reach(hits, most) and (hits[wide].relevance or 0.0) > enough:
        wide += 1
    return [place < wide for place in range(len(hits))]

"""What of somebody else's stored conversation a person may see. Pure; the rule itself is in `rag_app/access.py`.

An answer's words come from its sources, so they go with them. Where a source is left out, only those sentences stay
that rest on sources which may be seen and which were found to say them; what the answer says beyond that, and what
later answers and searches took over from it, may come from what was left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rag_app.access import Who, manages, may_see_source, readable
from rag_app.conversations import Excluded, StoredAnswer, StoredTurn, TurnState
from rag_app.records import Citation, Sentence, Stage, Support

HIDDEN = "This answer is left out: it comes from documents that you may not read."


@dataclass(frozen=True, slots=True)
class Seen:
    """A turn as somebody may see it, and what of it they may not."""

    turn: StoredTurn  # without what was left out; without an answer where that was left out as a whole
    sources: int = 0  # left out
    sentences: int = 0  # left out
    hidden: bool = False  # the whole answer was left out


def seen_by(who: Who, turns: Sequence[StoredTurn], spaces: Mapping[str, str]) -> list[Seen]:
    """The ended turns of a conversation, oldest first, as `who` may see them.

    `spaces` holds the space of each document of the library, by the document's id.
    """
    seen: list[Seen] = []
    whole = True  # whether everything so far may be seen, so that nothing hidden can have come along
    for turn in turns:
        if turn.state is TurnState.WORKING:
            continue
        one, whole = _turn_seen(who, turn, spaces, whole=whole)
        seen.append(one)
    return seen


def left_out(seen: Seen) -> str:
    """What of a turn was left out, in a sentence; "" where nothing was."""
    if seen.hidden:
        return HIDDEN
    parts = [("source", seen.sources), ("sentence", seen.sentences)]
    told = " and ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in parts if count)
    return f"Left out, because it comes from documents that you may not read: {told}." if told else ""


def as_told(seen: Seen) -> StoredTurn:
    """The turn with what was left out said in it, where a failure or a notice would stand."""
    words, answer = left_out(seen), seen.turn.answer
    if answer is None:
        return replace(seen.turn, failure=words or seen.turn.failure)
    notice = " ".join(filter(None, (answer.notice, words)))
    return replace(seen.turn, answer=replace(answer, notice=notice))


def _turn_seen(who: Who, turn: StoredTurn, spaces: Mapping[str, str], *, whole: bool) -> tuple[Seen, bool]:
    """A turn as `who` may see it, and whether it and all before it are whole."""

    def open_to(source: Citation | Excluded) -> bool:
        return may_see_source(who, spaces.get(source.document_id))

    aside = tuple(one for one in turn.excluded if open_to(one))
    without = len(turn.excluded) - len(aside)
    turn = replace(turn, excluded=aside, spaces=tuple(readable(who, turn.spaces)))
    answer = turn.answer
    if answer is None:
        return Seen(turn, without), whole and not without
    cited, uncited = tuple(filter(open_to, answer.citations)), tuple(filter(open_to, answer.uncited))
    left_out = len(answer.sources) - len(cited) - len(uncited)
    # Of an answer that was stopped nobody knows all that it was made from.
    known = answer.stage is Stage.DONE or manages(who)
    answer = replace(answer, citations=cited, uncited=uncited, spaces=tuple(readable(who, answer.spaces)))
    if whole and known and not left_out:
        return Seen(replace(turn, answer=answer), without), not without
    text = answer.text
    answer, lost = _narrowed(turn, answer)
    if (text and not answer.text) or (left_out and not answer.sources):
        return Seen(replace(turn, answer=None), hidden=True), False
    return Seen(replace(turn, answer=answer), left_out + without, lost), False


def _narrowed(turn: StoredTurn, answer: StoredAnswer) -> tuple[StoredAnswer, int]:
    """The answer with those sentences only that its remaining citations say, and how many went."""
    markers = {one.marker for one in answer.citations}
    kept = tuple(
        one
        for one in answer.sentences
        if one.markers and markers.issuperset(one.markers) and one.support is Support.SUPPORTED
    )
    lost = len(answer.sentences) - len(kept)
    text = " ".join(_marked(one) for one in kept)
    return replace(answer, rewritten=turn.question, text=text, sentences=kept, notice=""), lost


def _marked(sentence: Sentence) -> str:
    return f"{sentence.text}{''.join(f' [{marker}]' for marker in sentence.markers)}"

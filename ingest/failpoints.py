"""The steps at which `make kill` ends the process. Nothing happens at them unless a test has armed one.

A step is reached just after what its name says was done. `arm` is called by the child of the kill driver and by
nothing else, so that in service a step is one look at an empty variable.
"""

import os
import signal

STEPS = (
    # a file at the door
    "intake.copied",
    "intake.moved",  # among the originals, its job not stored yet
    "intake.accepted",
    # one document, from its job to its end
    "job.reading",
    "job.read",
    "document.rows",  # written, not committed
    "document.begun",
    "vectors.rows",  # written, not committed
    "vectors.stored",
    "job.indexing",
    "publish.rows",  # visible, not committed
    "publish.committed",
    "sweep.rows",  # of one document that is gone
    "sweep.original",  # unlinked, the transaction still open
    "job.published",  # everything done but the job's own end
    "job.ended",
    # a document taken out
    "remove.rows",  # gone, not committed
    "remove.committed",
    # the index: the first four in the child that builds
    "build.vectors",  # of one document
    "build.words",  # of one document
    "build.committed",
    "build.checked",
    "swap.built",  # the child is done, the library does not name the generation yet
    "swap.named",
    "swap.taken",
    "swap.deleted",  # one older generation
    "words.added",  # of one document, not committed
    "words.committed",  # the library does not know yet
    "words.remembered",
    # a rebuild beside what answers
    "renewal.rows",  # vectors of another embedder, not committed
    "renewal.stored",
    "switch.rows",  # to the other embedder, not committed
    "switch.committed",
    "recut.rows",  # a document's passages and vectors replaced, not committed
    "recut.committed",
    "drop.rows",  # vectors of embedders that nobody needs any more, not committed
    "drop.committed",
    # a purge
    "purge.blanked",  # what answers quoted
    "purge.removed",
    "purge.rebuilt",
    "purge.compacted",
)

_armed: dict[str, int] = {}  # step -> how often it may still be passed
_group = False


def arm(step: str, passes: int = 0, *, group: bool = False) -> None:
    """End this process with SIGKILL when `step` is reached after `passes` others; with `group`, its whole group.

    Raises ValueError for a step that is not in STEPS.
    """
    global _group  # noqa: PLW0603 - one process is armed once, by the driver
    if step not in STEPS:
        raise ValueError(f"{step!r} is not a step")
    _armed[step] = passes
    _group = group


def reached(step: str) -> None:
    """Mark that `step` was reached."""
    if _armed and step in _armed:
        if _armed[step] == 0:
            os.kill(0 if _group else os.getpid(), signal.SIGKILL)
        _armed[step] -= 1

"""Questions grouped by meaning: those whose words are near, and which find the same in the library.

A question stands for what it says and, beside it, for what the library holds nearest to it, so that "phone home" and
"is my data uploaded" meet at the passages about privacy. Each is then drawn towards its nearest ones, where these hold
it for near as well: meanings stand in regions of different density, and after that one cut fits more of them. Groups
are cut from average-link clustering by cosine (Sokal and Michener, 1958). Two groups that are joined on average at a
cosine have a pair at least so near, so only questions of one connected component are compared in full, and many
thousand take seconds. All numbers were fitted by `benchmarks/inbox.py --fit` on other questions than those that are
measured. Pure, but for scipy.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

THRESHOLD = 0.82  # cosine; mean over two groups, once drawn, from which they are one
SHARE = 0.7  # length of what the library holds, beside the question's own 1
NEAREST = 5  # passages of the library that stand with a question
SHARPNESS = 4  # power of a passage's cosine in their mean
NEIGHBOURS = 8  # questions that one is drawn towards, at most
TIMES = 3
FLOOR = 0.5  # cosine below which a question draws no other; what counts is how much nearer it is
NAME_LIMIT = 90  # characters of a group's name
BLOCK = 512  # questions compared with all others at once
LARGEST = 6_000  # questions that are compared in full; a larger component is cut at a higher cosine first
STEP = 0.05  # cosine by which it is raised

Vectors = NDArray[np.float32]  # (questions, dimensions), each of length 1


def held(question: NDArray[np.float32], passages: Vectors) -> NDArray[np.float32]:
    """What the library holds of a question: the mean of the passages nearest to it, of length 1; 0 without any."""
    if not len(passages):
        return np.zeros_like(question)
    weights = np.maximum(passages @ question, 0.01) ** SHARPNESS
    mean: NDArray[np.float32] = _unit((weights @ passages)[None])[0]
    return mean


def standing(said: Vectors, about: Vectors) -> Vectors:
    """The vectors by which questions are grouped: what each says, and beside it what the library holds of it."""
    return _unit(np.hstack([said, SHARE * about]))


def grouped(vectors: Vectors, threshold: float = THRESHOLD) -> list[list[int]]:
    """The places (0-based) of the questions of each group, largest first and in order within."""
    found: list[list[int]] = []
    together = vectors
    for _ in range(TIMES):
        together = _drawn(together)
    for component in _components(together, np.arange(len(together)), threshold):
        labels = _average_link(together[component], threshold)
        found += [component[labels == label].tolist() for label in np.unique(labels)]
    return sorted((sorted(group) for group in found), key=lambda group: (-len(group), group))


def central(vectors: Vectors, members: Sequence[int]) -> int:
    """The member that is nearest to all others on average."""
    own = vectors[list(members)]
    return members[int(np.argmax(own @ own.sum(axis=0)))]


def named(question: str) -> str:
    """A group's name from its most central question, in one line."""
    line = " ".join(question.split())
    return line if len(line) <= NAME_LIMIT else line[:NAME_LIMIT].rsplit(" ", 1)[0] + " \N{HORIZONTAL ELLIPSIS}"


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    whole: Vectors = (vectors / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)
    return whole


def _drawn(vectors: Vectors) -> Vectors:
    """Each vector with the mean of its nearest ones that have it among theirs, weighted by what is above FLOOR."""
    count = len(vectors)
    kept = min(NEIGHBOURS, count - 1)
    if kept < 1:
        return vectors
    from scipy.sparse import csr_matrix

    nearest, weights = np.empty((count, kept), dtype=np.int64), np.empty((count, kept), dtype=np.float32)
    for start in range(0, count, BLOCK):
        rows = np.arange(start, min(start + BLOCK, count))
        cosines = vectors[rows] @ vectors.T
        cosines[rows - start, rows] = -1
        best = np.argpartition(-cosines, kept - 1, axis=1)[:, :kept]
        nearest[rows], weights[rows] = best, np.take_along_axis(cosines, best, axis=1)
    ends = np.arange(0, count * kept + 1, kept)
    graph = csr_matrix((np.maximum(weights - FLOOR, 0).ravel(), nearest.ravel(), ends), shape=(count, count))
    mutual = graph.minimum(graph.T)
    total = np.asarray(mutual.sum(axis=1))
    return _unit(vectors + mutual @ vectors / np.maximum(total, np.finfo(np.float32).tiny))


def _average_link(vectors: Vectors, threshold: float) -> NDArray[np.int32]:
    if len(vectors) == 1:
        return np.ones(1, dtype=np.int32)
    from scipy.cluster.hierarchy import fcluster, linkage

    upper = np.triu_indices(len(vectors), 1)
    distances = np.maximum(1 - (vectors @ vectors.T)[upper], 0).astype(np.float64)
    labels: NDArray[np.int32] = fcluster(linkage(distances, "average"), 1 - threshold, "distance")
    return labels


def _components(vectors: Vectors, places: NDArray[np.int64], threshold: float) -> Iterator[NDArray[np.int64]]:
    """The places by connected component: every two of them joined by steps of at least `threshold`."""
    if not len(places):
        return
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    own = vectors[places]
    pairs = np.concatenate([_pairs(own, start, threshold) for start in range(0, len(own), BLOCK)])
    near = coo_matrix((np.ones(len(pairs), dtype=np.int8), pairs.T), shape=(len(own), len(own)))
    count, labels = connected_components(near, directed=False)
    order = np.argsort(labels, kind="stable")
    for part in np.split(order, np.searchsorted(labels[order], np.arange(1, count))):
        if len(part) > LARGEST and threshold < 1:
            yield from _components(vectors, places[part], min(threshold + STEP, 1.0))
        else:
            yield places[part]


def _pairs(own: Vectors, start: int, threshold: float) -> NDArray[np.int64]:
    """(pairs, 2): a place from `start` on, and one that is as near as the threshold."""
    found = np.argwhere(own[start : start + BLOCK] @ own.T >= threshold)
    found[:, 0] += start
    return found

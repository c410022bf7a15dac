"""Train the cross-encoder that ships.

python -m rag_app.train --data DIR --to FOLDER reads DIR/pairs, finds hard negatives, trains and writes FOLDER/model.
Run again after an interruption, it goes on from its last checkpoint. With --start it teaches a cross-encoder that is
there already; another --seed draws other negatives, cuts and contrasts. --without leaves a part of the recipe out and
--mined-by takes as negatives what a trained cross-encoder takes for the answer, to see what each is worth.

python -m rag_app.train --average MODEL MODEL ... --to FOLDER writes the mean of their weights as FOLDER/model.

docs/training.md tells the recipe and the figures.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.compute import Compute
from ingest.embedding import BUNDLED, Embedder
from ingest.engines import Engines
from ingest.errors import RagError
from ingest.terminal import failed
from rag_app.rerank.cross_encoder import PIECES, Scorer
from rag_app.train import groups as kept
from rag_app.train.average import average
from rag_app.train.fine_tune import Progress, Recipe, Training
from rag_app.train.groups import Group
from rag_app.train.pairs import claims, examples
from rag_app.train.prepare import DRAWN, SIZE, Draw, Part, prepared
from rag_app.train.second_round import hardest

GROUPS = 38_000  # as many as two cores learn in an hour and a half


@dataclass(frozen=True, slots=True)
class Order:
    """What to train on, and from what on."""

    data: Path  # the folder with pairs/
    to: Path
    start: Path | None  # a cross-encoder to go on from; None: the encoder
    groups: int  # to learn from, at most
    draw: Draw
    mined_by: Path | None  # a cross-encoder that chooses the negatives
    threads: int  # 0: as many as there are cores


def main() -> int:
    """Prepare, train, save; or average."""
    arguments = _arguments()
    try:
        if arguments.average:
            average(arguments.average, arguments.to / "model")
        else:
            size = DRAWN if arguments.mined_by else SIZE
            order = Order(
                data=arguments.data,
                to=arguments.to,
                start=arguments.start,
                groups=arguments.groups,
                draw=Draw(arguments.seed, frozenset(arguments.without), size, arguments.share),
                mined_by=arguments.mined_by,
                threads=arguments.threads,
            )
            train(order, Recipe(rate=arguments.rate, seed=arguments.seed))
    except RagError as error:
        return failed(error, as_json=False)
    return 0


def _arguments() -> argparse.Namespace:
    usual = Recipe()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="the folder with pairs/")
    source.add_argument(
        "--average", type=Path, nargs="+", metavar="MODEL", help="folders of models to take the mean of"
    )
    parser.add_argument("--to", type=Path, required=True, help="the folder for groups, checkpoints and the model")
    parser.add_argument("--start", type=Path, help="the folder of a cross-encoder to go on from (default: the encoder)")
    parser.add_argument("--seed", type=int, default=usual.seed, help=f"of every draw (default {usual.seed})")
    parser.add_argument("--rate", type=float, default=usual.rate, help=f"peak learning rate (default {usual.rate})")
    parser.add_argument("--groups", type=int, default=GROUPS, help=f"groups to learn from (default {GROUPS})")
    parser.add_argument("--share", type=float, default=1.0, help="of the pairs to draw from (default all)")
    parser.add_argument("--without", type=Part, choices=list(Part), action="append", default=[], help="leave out")
    parser.add_argument("--mined-by", type=Path, metavar="MODEL", help="a cross-encoder that chooses the negatives")
    parser.add_argument("--threads", type=int, default=0, help="threads (default: as many as there are cores)")
    return parser.parse_args()


def train(order: Order, recipe: Recipe) -> None:
    """Train on groups of DATA/pairs. Raises TrainingDataError, ModelError."""
    order.to.mkdir(parents=True, exist_ok=True)
    embedder = Embedder(BUNDLED, Compute(), Engines(threads=order.threads))
    training = Training(order.start or embedder.folder, _groups(order, embedder), recipe, order.to, order.threads)
    started = time.monotonic()
    training.run(told)
    training.save(order.to / "model")
    sys.stderr.write(f"{order.to / 'model'} written after {(time.monotonic() - started) / 60:.0f} minutes\n")


def _groups(order: Order, embedder: Embedder) -> Sequence[Group]:
    """The groups to learn from, read where they were made before."""
    file = order.to / f"groups-{order.draw.name}.jsonl.gz"
    if not file.exists():
        pairs = order.data / "pairs"
        kept.save(prepared(examples(pairs, order.draw.seed), claims(pairs), embedder, order.draw), file)
    if order.mined_by is None:
        return kept.load(file)[: order.groups]
    chosen = order.to / f"groups-{order.draw.name}-hardest-{order.groups}.jsonl.gz"
    if not chosen.exists():
        scorer = Scorer(order.mined_by, Compute(), PIECES, Engines(threads=order.threads))
        kept.save(hardest(kept.load(file)[: order.groups], scorer, SIZE), chosen)
    return kept.load(chosen)


def told(progress: Progress) -> None:
    """A line on how far it is."""
    sys.stderr.write(
        f"step {progress.step} of {progress.steps}, loss {progress.loss:.3f}, "
        f"{progress.pairs_per_s:.0f} pairs/s, {progress.left_s / 60:.0f} minutes left\n"
    )


if __name__ == "__main__":
    sys.exit(main())

"""Train the cross-encoder that ships.

python -m rag_app.train --data DIR --to FOLDER reads DIR/pairs, finds hard negatives, trains and writes FOLDER/model.
Run again after an interruption, it goes on from its last checkpoint. With --start it teaches a cross-encoder that is
there already; another --seed draws other negatives, cuts and contrasts. docs/training.md tells the recipe and the
figures.
"""

import argparse
import sys
import time
from pathlib import Path

from ingest.compute import Compute
from ingest.embedding import BUNDLED, Embedder
from ingest.engines import Engines
from ingest.errors import RagError
from ingest.terminal import failed
from rag_app.train import groups as kept
from rag_app.train.fine_tune import Progress, Recipe, Training
from rag_app.train.pairs import claims, examples
from rag_app.train.prepare import prepared

GROUPS = 38_000  # as many as two cores learn in an hour and a half


def main() -> int:
    """Prepare, train, save."""
    usual = Recipe()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with pairs/")
    parser.add_argument("--to", type=Path, required=True, help="the folder for groups, checkpoints and the model")
    parser.add_argument("--start", type=Path, help="the folder of a cross-encoder to go on from (default: the encoder)")
    parser.add_argument("--seed", type=int, default=usual.seed, help=f"of every draw (default {usual.seed})")
    parser.add_argument("--rate", type=float, default=usual.rate, help=f"peak learning rate (default {usual.rate})")
    parser.add_argument("--groups", type=int, default=GROUPS, help=f"groups to learn from (default {GROUPS})")
    parser.add_argument("--threads", type=int, default=0, help="threads (default: as many as there are cores)")
    arguments = parser.parse_args()
    recipe = Recipe(rate=arguments.rate, seed=arguments.seed)
    try:
        train(arguments.data, arguments.to, recipe, arguments.start, arguments.groups, arguments.threads)
    except RagError as error:
        return failed(error, as_json=False)
    return 0


def train(data: Path, to: Path, recipe: Recipe, start: Path | None, most: int, threads: int) -> None:
    """Train on `most` groups of DATA/pairs. Raises TrainingDataError, ModelError."""
    to.mkdir(parents=True, exist_ok=True)
    embedder = Embedder(BUNDLED, Compute(), Engines(threads=threads))
    file = to / f"groups-{recipe.seed}.jsonl.gz"
    if not file.exists():
        pairs = data / "pairs"
        kept.save(prepared(examples(pairs, recipe.seed), claims(pairs), embedder, recipe.seed), file)
    training = Training(start or embedder.folder, kept.load(file)[:most], recipe, to, threads)
    started = time.monotonic()
    training.run(told)
    training.save(to / "model")
    sys.stderr.write(f"{to / 'model'} written after {(time.monotonic() - started) / 60:.0f} minutes\n")


def told(progress: Progress) -> None:
    """A line on how far it is."""
    sys.stderr.write(
        f"step {progress.step} of {progress.steps}, loss {progress.loss:.3f}, "
        f"{progress.pairs_per_s:.0f} pairs/s, {progress.left_s / 60:.0f} minutes left\n"
    )


if __name__ == "__main__":
    sys.exit(main())

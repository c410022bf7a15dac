"""The mean of several models' weights (model soup: Wortsman et al., ICML 2022). Knows torch.

Runs that began at the same weights often meet in a point that is better than each of them, and costs no more to run.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ingest.embedding import WEIGHTS
from ingest.errors import ModelError

CONFIGURATION, TOKENIZER = "config.json", "tokenizer.json"
FILES = (CONFIGURATION, "tokenizer*", "vocab*", "special_tokens_map.json")  # a calibration belongs to its own weights
FREE = {"transformers_version", "_name_or_path", "dtype"}  # of the configuration: may differ between runs
FEWEST = 2  # models that have a mean


def average(folders: Sequence[Path], to: Path) -> None:
    """Write the mean of the weights of several cross-encoders as one, in 16 bits, all or nothing.

    The first folder gives configuration and tokenizer. Raises ModelError where fewer than two are named, a folder
    holds no model, or two are not of one form.
    """
    if len(folders) < FEWEST:
        raise ModelError("A mean needs the folders of at least two models.")
    means, metadata = _mean(folders), {"format": "pt"}
    fresh = to.with_name(to.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for file in sorted({file for pattern in FILES for file in folders[0].glob(pattern)}):
        shutil.copyfile(file, fresh / file.name)
    save_file({name: mean.to(torch.float16).contiguous() for name, mean in means.items()}, fresh / WEIGHTS, metadata)
    if to.exists():
        shutil.rmtree(to)
    fresh.replace(to)


def _mean(folders: Sequence[Path]) -> Mapping[str, Tensor]:
    """By name the mean of each tensor, in 32 bits."""
    first, *others = folders
    form, words = _form(first), _read(first / TOKENIZER)
    sums = {name: tensor.float() for name, tensor in _weights(first).items()}
    for folder in others:
        weights = _weights(folder)
        shapes = {name: tensor.shape for name, tensor in weights.items()}
        if _form(folder) != form or shapes != {name: tensor.shape for name, tensor in sums.items()}:
            raise ModelError(f"{folder} is not of the form of {first}. Name runs that began at the same model.")
        if _read(folder / TOKENIZER) != words:
            raise ModelError(f"{folder} has another tokenizer than {first}. Name runs that began at the same model.")
        for name, tensor in weights.items():
            sums[name] += tensor.float()
    return {name: total / len(folders) for name, total in sums.items()}


def _weights(folder: Path) -> dict[str, Tensor]:
    try:
        return load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise _unreadable(folder, error) from error


def _form(folder: Path) -> Mapping[str, Any]:
    """What the configuration says of the architecture."""
    try:
        found = json.loads(_read(folder / CONFIGURATION))
    except ValueError as error:
        raise _unreadable(folder, error) from error
    return {name: value for name, value in found.items() if name not in FREE}


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise _unreadable(file.parent, error) from error


def _unreadable(folder: Path, error: Exception) -> ModelError:
    return ModelError(f"{folder} holds no model that can be read ({error}). Name the folder with its {WEIGHTS}.")

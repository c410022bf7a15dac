"""Ask real servers through the application's own clients, and check what comes back.

Called by scripts/interop.sh. The language model is random, so its words are noise: what is checked is the protocol. The
rerank server has the bundled cross-encoder, so its scores must be those that are computed here.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

from ingest.compute import Compute
from ingest.errors import GeneratorError, RerankerError
from ingest.records import Chunk, Document
from rag_app.citations import resolve
from rag_app.generate.openai_chat import Limits, OpenAIChat
from rag_app.records import Hit
from rag_app.rerank.cross_encoder import FOLDER, Scorer
from rag_app.rerank.http import HttpReranker

UP_S = 120  # for the server to start
LIMITS = Limits(connect_s=5, first_s=60, between_s=30, total_s=120)
WORDS = "Employees receive 20 days of paid vacation per year. Unused days may be carried over until March."
QUESTION = "How much vacation do I get?"
CLOSE = 0.1  # how far two computations of one logit may be apart: here in bfloat16 where the processor has it
SERVED = "bundled-cross-encoder"
TEMPLATE = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}assistant:"


def save_toy(folder: Path) -> None:
    """Save a Llama of two layers with random weights, a tokenizer trained on a sentence, and a chat template."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<s>", "</s>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        [WORDS], trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token="<s>", eos_token="</s>", pad_token="</s>")  # noqa: S106 - marks
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=16_384,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    model = LlamaForCausalLM(config)
    model.generation_config.eos_token_id = list(range(1, 60))  # noise that ends: else every answer takes a minute
    model.generation_config.do_sample = True
    model.generation_config.min_new_tokens = 8
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@contextmanager
def served(room: Path, port: int, program: str, *words: str) -> Iterator[None]:
    """Run a program of the room as a server on a loopback port while the block lasts. Its own log lies in the room."""
    command = [str(room / "bin" / program), *words, "--host", "127.0.0.1", "--port", str(port)]
    cache = room / "cache"
    (cache / "hub").mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ, "HF_HOME": str(cache), "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "DO_NOT_TRACK": "1",
    }  # fmt: skip
    with (room / "server.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        try:
            wait_for(port, server, room / "server.log")
            yield
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers anything at all."""
    until = time.monotonic() + UP_S
    while time.monotonic() < until:
        if server.poll() is not None:
            raise SystemExit(f"The server ended at once; {log} says why.")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.3)
        else:
            return
    raise SystemExit(f"The server did not answer within {UP_S} seconds; {log} says why.")


async def check(base_url: str, model: str) -> dict[str, object]:
    """Stream an answer, stop one, ask for a model that is not there. Raises AssertionError where the protocol fails."""
    chat = OpenAIChat(model, base_url=base_url, limits=LIMITS)
    problem = await chat.probe()
    assert problem is None, f"The probe says: {problem}"

    started = time.monotonic()
    pieces, ended = await answer(chat)
    assert len(pieces) > 1, f"The answer did not come in pieces: {pieces}"
    text = resolve("".join(pieces), [passage()]).text

    async with aclosing(chat.stream([{"role": "user", "content": "Go on."}])) as stopped:
        await anext(stopped)
    again, _ = await answer(chat)
    assert again, "After a stopped answer no other one came."

    _, reason = await answer(OpenAIChat("no-such-model", base_url=base_url, limits=LIMITS))
    assert reason, "A wrong model name gave no reason."
    seconds = round(time.monotonic() - started, 1)
    return {
        "pieces": len(pieces),
        "ended": ended or "stop",
        "text": text[:80],
        "wrong_model": reason,
        "seconds": seconds,
    }


async def answer(chat: OpenAIChat) -> tuple[list[str], str]:
    """Ask once: the pieces, and why the answer is not whole, "" where it is."""
    pieces: list[str] = []
    try:
        async for piece in chat.generate(QUESTION, [passage()], ()):
            pieces += [piece]
    except GeneratorError as error:
        return pieces, str(error)
    return pieces, ""


def passage() -> Hit:
    """Make up a passage to answer from."""
    chunk = Chunk("c", "d", 0, 1, 1, 1, "1", "Vacation", WORDS, 0, len(WORDS))
    document = Document("d", "Staff", "0" * 64, "Handbook", "handbook.pdf", 1, 1, 1000, "2026-11-03T09:00:00Z")
    return Hit(chunk, document, relevance=0.9, used=True)


def free_port() -> int:
    """Find a loopback port that nobody uses."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def check_reranking(base_url: str) -> dict[str, object]:
    """Have passages scored by the server and by the same model here. Raises AssertionError where they differ."""
    reranker = HttpReranker(f"infinity:{SERVED}", base_url=base_url)
    started = time.monotonic()
    texts = passages()
    scores = reranker.scores(QUESTION, texts)
    seconds = round(time.monotonic() - started, 1)
    own = Scorer(FOLDER, Compute(), None).logits(QUESTION, texts)
    apart = max(abs(theirs - ours) for theirs, ours in zip(scores, own, strict=True))
    assert apart < CLOSE, f"The server's scores are not those of the model: {apart:.3f} apart."
    assert max(own) - min(own) > 10 * CLOSE, "The passages are too much alike to tell two scales apart."

    reason = ""
    try:
        HttpReranker(f"vllm:{SERVED}", base_url=base_url).scores(QUESTION, texts[:2])
    except RerankerError as error:
        reason = str(error)
    assert reason, "Asked as another kind of server, it gave no reason."
    return {
        "passages": len(texts),
        "apart": round(apart, 5),
        "from": round(min(scores), 3),
        "to": round(max(scores), 3),
        "wrong_kind": reason,
        "seconds": seconds,
    }


def passages() -> list[str]:
    """Make up passages: the one that answers, one far longer than the model reads, and others of all lengths."""
    others = [f"Rule {number}: keep corridor {number} free. " * (1 + number % 7) for number in range(48)]
    return [*others[:20], WORDS, *others[20:], "The canteen serves soup. " * 400]


def main(chat_room: Path, rerank_room: Path) -> None:
    """Make the language model, serve both models, ask them."""
    folder = chat_room / "toy"
    shutil.rmtree(folder, ignore_errors=True)
    save_toy(folder)
    port = free_port()
    with served(chat_room, port, "transformers", "serve"):
        told(asyncio.run(check(f"http://127.0.0.1:{port}/v1", str(folder.resolve()))))
    port = free_port()
    words = ["v2", "--model-id", str(FOLDER), "--served-model-name", SERVED, "--device", "cpu", "--engine", "torch"]
    with served(rerank_room, port, "infinity_emb", *words, "--no-model-warmup", "--no-bettertransformer"):
        told(check_reranking(f"http://127.0.0.1:{port}"))
    print("Real servers were asked and everything went as it should.")


def told(found: dict[str, object]) -> None:
    """Print what was found."""
    print(json.dumps(found, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

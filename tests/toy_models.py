"""Cross-encoders of the field's architectures and an embedder at toy size, saved as their makers do; random weights."""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.base.modules import Dense, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertTokenizerFast,
    ModernBertConfig,
    ModernBertForSequenceClassification,
    ModernBertModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
    XLMRobertaTokenizer,
)

WORDS = ["can", "i", "approve", "my", "own", "rule"]
POSITIONS = 40  # tokens a toy reads at most
# Weights far from 0, so that no two scores fall together.
SIZE = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "initializer_range": 0.3,
}


def bert(folder: Path, labels: int = 1) -> Path:
    """As ms-marco-MiniLM: a table of positions, types of token, WordPiece."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    torch.manual_seed(1)
    config = BertConfig(vocab_size=len(vocabulary), max_position_embeddings=POSITIONS, num_labels=labels, **SIZE)
    BertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def xlm_roberta(folder: Path) -> Path:
    """As bge-reranker: positions are counted from behind the padding token's, SentencePiece, no types of token."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = [(token, 0.0) for token in special] + [(f"▁{word}", -float(n)) for n, word in enumerate(WORDS, start=1)]
    torch.manual_seed(1)
    config = XLMRobertaConfig(
        vocab_size=len(pieces) + 1, max_position_embeddings=POSITIONS + 2, pad_token_id=1, num_labels=1, **SIZE
    )
    XLMRobertaForSequenceClassification(config).save_pretrained(folder)
    XLMRobertaTokenizer(vocab=pieces).save_pretrained(folder)
    return folder


def modern_bert(folder: Path) -> Path:
    """As gte-reranker-modernbert: rotary positions, attention that alternates between near and all."""
    torch.manual_seed(1)
    ModernBertForSequenceClassification(_modern_config()).save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    return folder


def modular(folder: Path) -> Path:
    """As the ettin rerankers: an encoder, the first token's vector, and a layer that makes a score of it."""
    torch.manual_seed(1)
    reader = Transformer(str(encoder(folder / "encoder")))
    score = Dense(16, 1, activation_function=torch.nn.Identity(), module_output_name="scores")
    CrossEncoder(modules=[reader, Pooling(16, pooling_mode="cls"), score]).save_pretrained(str(folder / "whole"))
    return folder / "whole"


def language_model(folder: Path) -> Path:
    """A language model as such: nothing tells what of it would be a score."""
    config = Qwen2Config(vocab_size=len(WORDS) + 4, max_position_embeddings=POSITIONS, num_key_value_heads=1, **SIZE)
    Qwen2ForCausalLM(config).save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    return folder


def encoder(folder: Path) -> Path:
    """An encoder as such: it has no layer that scores."""
    ModernBertModel(_modern_config()).save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    return folder


def embedder(folder: Path, name: str, seed: int) -> Path:
    """An embedding model as sentence-transformers saves it; another seed makes another model."""
    torch.manual_seed(seed)
    reader = Transformer(str(encoder(folder / f"{name} encoder")))
    SentenceTransformer(modules=[reader, Pooling(16, pooling_mode="mean")]).save_pretrained(str(folder / name))
    return folder / name


ARCHITECTURES: Mapping[str, Callable[[Path], Path]] = {
    "BERT": bert,
    "XLM-RoBERTa": xlm_roberta,
    "ModernBERT": modern_bert,
    "modular": modular,
}


def _modern_config() -> ModernBertConfig:
    return ModernBertConfig(
        vocab_size=len(WORDS) + 4,
        max_position_embeddings=POSITIONS,
        num_labels=1,
        pad_token_id=1,
        bos_token_id=2,
        eos_token_id=3,
        cls_token_id=2,
        sep_token_id=3,
        **SIZE,
    )


def _tokenizer() -> PreTrainedTokenizerFast:
    """Words as they are. It names no length, as many saved tokenizers do."""
    vocabulary = {token: n for n, token in enumerate(["[UNK]", "[PAD]", "[CLS]", "[SEP]", *WORDS])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    )

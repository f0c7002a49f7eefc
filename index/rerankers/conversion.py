"""How does a CrossEncoder of sentence-transformers become one that scores without torch?

The body of the one-time preparation; `index.prepared.preparation` runs it in a process of its own.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import CrossEncoder

from index.prepared.card import GRAPH, TOKENIZER, write_card
from index.prepared.conversion import keep_quiet, save_graph, tokenizer_of
from index.rerankers.card import Activation, RerankerCard
from index.rerankers.openvino_model import OpenVinoReranker
from xuesi.core.errors import Misconfigured

_OTHERS = "Choose another rerank_model, or leave it empty to search without one."
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_LONGEST = 8192  # tokens; some tokenizers give a limit that is none
_ACTIVATIONS: dict[str, Activation] = {"Sigmoid": "sigmoid", "Identity": "identity"}
_QUERY = "怎样把调查研究中发现的问题变成措施？ How do findings become measures?"
_PROBES = (
    "研究室到基层调研，发现问题后提出措施，逐条落实。",
    "Findings become measures once somebody is named who carries them out.",
    "🙂 1. 第一条",
    "这座城市位于长江中游，面积约八千五百平方公里，人口超过一千万。" * 30,
)
_MOST_APART = 0.05  # of scores up to 1; of larger ones, of the largest


def convert(source: str, folder: Path, *, stamp: str, report: Callable[[str], None]) -> None:
    """Write the prepared model into an empty folder: graph, weights, tokenizer, card.

    Args:
        source: A CrossEncoder's folder or a hub name.
        folder: Where to write.
        stamp: State of the source, remembered on the card.
        report: Told what is being done, a sentence at a time.

    Raises:
        Misconfigured: The source cannot be loaded, or is no model that can be converted faithfully.
    """
    keep_quiet()
    named = f"The reranker {source!r}"
    model = _load(source, named)
    activation = _activation(model, named)
    theirs = model.predict([(_QUERY, text) for text in _PROBES], convert_to_numpy=True)
    inputs = [name for name in _INPUTS if name in model.preprocess([(_QUERY, _PROBES[0])])]
    report("Converting the reranker")
    tokenizer_of(model.tokenizer, named=named, hint=_OTHERS).save(str(folder / TOKENIZER))
    save_graph(_Logits(model[0].model), folder / GRAPH, inputs=inputs, named=named, hint=_OTHERS)
    card = RerankerCard(
        source=source,
        source_stamp=stamp,
        max_tokens=min(model.max_seq_length or _LONGEST, _LONGEST),
        activation=activation,
        type_ids="token_type_ids" in inputs,
        pad_id=model.tokenizer.pad_token_id or 0,
        pad_type_id=model.tokenizer.pad_token_type_id,
    )
    write_card(card, folder)
    report("Checking the converted reranker")
    ours = OpenVinoReranker(folder).score(_QUERY, _PROBES)
    apart = float(np.abs(ours - theirs).max() / max(1.0, float(np.abs(theirs).max())))
    if not apart <= _MOST_APART:  # not a number is no agreement either
        raise Misconfigured(
            f"{named} does not survive the conversion to OpenVINO: its scores differ by up to {apart:.3f}.",
            hint=_OTHERS,
        )


def _load(source: str, named: str) -> CrossEncoder:
    try:
        model = CrossEncoder(source, device="cpu", model_kwargs={"dtype": torch.float32})
        made_of = [type(module).__name__ for module in model]
        heads = model[0].model.config.architectures or ["none"]
    except Exception as exc:  # each architecture raises its own; all mean the same to who set the name
        raise Misconfigured(
            f"{named} cannot be loaded: {exc}",
            hint="Set rerank_model to a folder of a sentence-transformers CrossEncoder, or to a hub name that this machine can reach.",
        ) from exc
    # where a folder has no such head, transformers makes one up at random
    if made_of != ["Transformer"] or not heads[0].endswith("ForSequenceClassification") or model.num_labels != 1:
        raise Misconfigured(
            f"{named} is built of {', '.join(made_of)} with {heads[0]} and {model.num_labels} labels; only a sequence classifier "
            "with one label scores pairs.",
            hint=_OTHERS,
        )
    return model


def _activation(model: CrossEncoder, named: str) -> Activation:
    name = type(model.activation_fn).__name__
    if name not in _ACTIVATIONS:
        raise Misconfigured(f"{named} ends in {name}; Sigmoid and Identity are known.", hint=_OTHERS)
    return _ACTIVATIONS[name]


class _Logits(torch.nn.Module):
    """The classifier with the one output that is needed, before its activation: bfloat16 is too coarse for scores near 1."""

    def __init__(self, classifier: torch.nn.Module) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor | None = None
    ) -> torch.Tensor:
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        logits: torch.Tensor = self.classifier(input_ids=input_ids, attention_mask=attention_mask, **types).logits
        return logits

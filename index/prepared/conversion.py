"""How does a model in torch become an OpenVINO graph? What the conversions of all kinds of models share; imports torch."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from xuesi.core.errors import Misconfigured
from xuesi.core.openvino_runtime import ov


def keep_quiet() -> None:
    """No warnings and progress bars of vendors in this process."""
    warnings.simplefilter(
        "ignore"
    )  # tracing warns of every branch it fixes; whether that did harm is checked at the end
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()


def tokenizer_of(tokenizer: Any, *, named: str, hint: str) -> Any:
    """The `tokenizers.Tokenizer` in one of transformers, which neither cuts nor fills until transformers uses it again.

    `named` is the model in an error's words, `hint` what to do.

    Raises:
        Misconfigured: It has none.
    """
    fast = getattr(tokenizer, "backend_tokenizer", None)
    if fast is None:
        raise Misconfigured(f"{named} has no tokenizer.json.", hint=hint)
    fast.no_truncation()
    fast.no_padding()
    return fast


def save_graph(module: torch.nn.Module, path: Path, *, inputs: Sequence[str], named: str, hint: str) -> None:
    """Trace the module and save its graph with float16 weights. `inputs` are its arguments in order, each (texts, tokens) int64.

    Raises:
        Misconfigured: It cannot be converted; `named` and `hint` as for `tokenizer_of`.
    """
    example = {name: torch.ones((2, 11), dtype=torch.int64) for name in inputs}
    example["input_ids"] = torch.randint(5, 100, (2, 11))
    example["attention_mask"][1, 7:] = 0  # one without padding would be traced into a graph that ignores the mask
    try:
        with torch.no_grad():
            graph = ov.convert_model(
                module.eval(),
                example_input=example,
                input=[(name, [-1, -1], ov.Type.i64) for name in inputs],
            )
    except Exception as exc:
        raise Misconfigured(f"{named} cannot be converted to OpenVINO: {exc}", hint=hint) from exc
    ov.save_model(graph, path, compress_to_fp16=True)

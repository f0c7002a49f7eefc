"""What does a plain CrossEncoder say? Run as a program, because torch changes threads and warnings of its process.

Reads a JSON request from stdin, builds tiny models with random weights in folders, and writes their scores of the pairs to the file named.
"""

import json
import string
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def ask(**request: Any) -> list[list[float]]:
    """Run `_answer(**request)` in a process of its own: the scores of `pairs` by each model that is built."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = [sys.executable, "-m", "tests.plain_cross_encoder", out.name]
        subprocess.run(command, input=json.dumps(request), text=True, cwd=ROOT, check=True, timeout=1200)
        answer: list[list[float]] = json.loads(Path(out.name).read_text())
        return answer


def _answer(*, pairs: list[list[str]], builds: list[dict[str, Any]]) -> list[list[float]]:
    return [build(**its, spread=pairs).predict(pairs).tolist() for its in builds]


def build(  # noqa: PLR0913 a test says what its model is
    *,
    folder: str,
    kind: str,
    activation: str = "Sigmoid",
    labels: int = 1,
    headless: bool = False,
    characters: str = string.printable,
    most: int = 64,
    sizes: dict[str, int] | None = None,
    spread: list[list[str]] | None = None,
) -> Any:
    """A CrossEncoder with random weights, saved in the folder and read from there; `sizes` as transformers' configurations name them.

    The scores of the pairs in `spread` lie apart on both sides of the middle, as those of a trained model do.
    """
    import torch
    from sentence_transformers import CrossEncoder
    from transformers import (
        AutoModel,
        AutoModelForSequenceClassification,
        BertConfig,
        PreTrainedTokenizerFast,
        XLMRobertaConfig,
    )

    torch.manual_seed(0)
    is_bert = kind == "bert"
    tokenizer = _tokenizer(characters, is_bert=is_bert)
    of_kind = BertConfig if is_bert else XLMRobertaConfig
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    shape |= {"vocab_size": tokenizer.get_vocab_size(), "max_position_embeddings": most + 2, "pad_token_id": 1}
    config = of_kind(
        **shape | (sizes or {}), type_vocab_size=2 if is_bert else 1, initializer_range=0.2, num_labels=labels
    )
    made = (AutoModel if headless else AutoModelForSequenceClassification).from_config(config)
    made.save_pretrained(folder)
    names = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>"}
    inputs = ["input_ids", "attention_mask", *(["token_type_ids"] if is_bert else [])]
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=most, model_input_names=inputs, **names
    ).save_pretrained(folder)
    if not headless:
        model = CrossEncoder(folder, device="cpu", activation_fn=getattr(torch.nn, activation)())
        if spread:
            _spread(model, spread)
        model.save_pretrained(folder)
    return CrossEncoder(folder, device="cpu")


def _spread(model: Any, pairs: list[list[str]]) -> None:
    import torch

    logits = model.predict(pairs, activation_fn=torch.nn.Identity())
    head = model[0].model.classifier
    last = getattr(head, "out_proj", head)
    with torch.no_grad():
        last.weight *= 2 / logits.std().item()
        last.bias.fill_(-2 * logits.mean().item() / logits.std().item())


def _tokenizer(characters: str, *, is_bert: bool) -> Any:
    """A token a character; pairs joined as BERT does, or as RoBERTa does."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokens = ["<s>", "<pad>", "</s>", "<unk>", *dict.fromkeys(characters)]
    tokenizer = Tokenizer(models.WordLevel({token: place for place, token in enumerate(tokens)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    pair = "<s> $A </s> $B:1 </s>:1" if is_bert else "<s> $A </s> </s> $B </s>"
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair=pair, special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    Path(sys.argv[1]).write_text(json.dumps(_answer(**json.loads(sys.stdin.read()))))

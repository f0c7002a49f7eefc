"""How are results shown? A table on the terminal, and one HTML page that needs nothing else."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#222;background:#fff}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid #ddd}"
    "th:first-child,td:first-child{text-align:left}.bar{background:#e8ecf3;height:.6rem}.bar span{display:block;height:100%;background:#2f5d9b}"
    "@media(prefers-color-scheme:dark){body{background:#181a1f;color:#ddd}th,td{border-color:#333}.bar{background:#2a2e37}.bar span{background:#7aa5e0}}"
)


def print_table(results: Sequence[Mapping[str, Any]]) -> None:
    """A column for each dataset, a row for each figure."""
    table = Table("", *(Column(result["dataset"], justify="right", no_wrap=True) for result in results))
    for name in _columns(results):
        table.add_row(name, *(_shown(_values(result).get(name)) for result in results))
    Console().print(table)


def write_report(results: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Write `index.html` into the folder: all figures in a table, and a bar for each metric that lies in [0, 1].

    Raises:
        OSError: If the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    columns = _columns(results)
    head = "".join(f"<th>{html.escape(name)}</th>" for name in ("dataset", *columns))
    rows = "".join(_row(result, columns) for result in results)
    bars = "".join(_bars(result) for result in results)
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Xuesi evaluation</title><style>{_STYLE}</style>'
        f"<h1>Xuesi evaluation</h1><table><tr>{head}</tr>{rows}</table>{bars}</html>\n"
    )
    (folder / "index.html").write_text(page, encoding="utf-8")


def _values(result: Mapping[str, Any]) -> dict[str, Any]:
    counts = {
        name: result[name] for name in ("documents", "refused", "passages", "queries", "unanswerable") if name in result
    }
    times = {f"{name} ms": value for name, value in result["latency_ms"].items()}
    return {**counts, **result["metrics"], **times}


def _columns(results: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for result in results for name in _values(result)))


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _row(result: Mapping[str, Any], columns: Sequence[str]) -> str:
    values = _values(result)
    cells = "".join(f"<td>{_shown(values.get(name))}</td>" for name in columns)
    return f"<tr><td>{html.escape(result['dataset'])}</td>{cells}</tr>"


def _bars(result: Mapping[str, Any]) -> str:
    lines = "".join(
        f'<tr><td>{html.escape(name)}</td><td><div class="bar"><span style="width:{100 * value:.1f}%"></span></div></td>'
        f"<td>{value:.3f}</td></tr>"
        for name, value in result["metrics"].items()
        if value is not None and 0 <= value <= 1
    )
    return f"<h2>{html.escape(result['dataset'])}</h2><table>{lines}</table>"

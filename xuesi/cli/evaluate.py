"""`xuesi eval retrieval`, `xuesi eval answers`: how good is it on question sets in BEIR form?"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from xuesi.cli.context import overrides
from xuesi.core.settings import Settings, load_settings

app = typer.Typer(help="Measure retrieval and answers on question sets in BEIR form.", no_args_is_help=True)

Datasets = Annotated[
    list[Path],
    typer.Option("--dataset", metavar="DIR", help="Folder with corpus.jsonl, queries.jsonl, qrels.tsv; repeatable."),
]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting; repeatable.")]
Json = Annotated[
    str | None, typer.Option("--json", metavar="FILE|-", help="Write the results as JSON; - for standard output.")
]
Report = Annotated[Path | None, typer.Option("--report", metavar="DIR", help="Write an HTML report.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Ask at most so many questions a set.")]


@app.command()
def retrieval(
    context: typer.Context,
    dataset: Datasets,
    settings: Sets = None,
    json_file: Json = None,
    report: Report = None,
    limit: Limit = None,
) -> None:
    """nDCG@10, recall, MRR, hit rate and latency."""
    from eval.retrieval import evaluate_retrieval

    _run(
        dataset,
        _settings(context, settings),
        json_file,
        report,
        lambda folder, s: evaluate_retrieval(folder, s, limit=limit),
    )


@app.command()
def answers(
    context: typer.Context,
    dataset: Datasets,
    settings: Sets = None,
    json_file: Json = None,
    report: Report = None,
    limit: Limit = None,
    withhold: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the questions whose right passages are taken away.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Which ones.")] = 0,
) -> None:
    """Gold answer in first and shown statements, citations verified, abstention."""
    from eval.answers import evaluate_answers

    _run(
        dataset, _settings(context, settings), json_file, report,
        lambda folder, s: evaluate_answers(folder, s, limit=limit, withhold=withhold, seed=seed),
    )  # fmt: skip


def _settings(context: typer.Context, pairs: list[str] | None) -> Settings:
    parent = context.find_root().obj or []
    return load_settings(overrides([*parent, *(pairs or [])]))


def _run(
    folders: list[Path],
    settings: Settings,
    json_file: str | None,
    report: Path | None,
    evaluate: Callable[[Path, Settings], dict[str, Any]],
) -> None:
    from eval.report import print_table, write_report

    results = [evaluate(folder, settings) for folder in folders]
    written = json.dumps(results[0] if len(results) == 1 else results, ensure_ascii=False, indent=2)
    if json_file == "-":
        print(written)
    else:
        print_table(results)
        if json_file:
            Path(json_file).write_text(written + "\n", encoding="utf-8")
    if report:
        write_report(results, report)

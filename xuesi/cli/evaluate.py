"""`xuesi eval retrieval`, `xuesi eval answers`: how good is it on question sets in BEIR form? `xuesi eval compare`: what changed between two runs?"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from xuesi.cli.context import overrides
from xuesi.core.errors import InvalidInput
from xuesi.core.settings import Settings, load_settings

app = typer.Typer(help="Measure retrieval and answers on question sets in BEIR form.", no_args_is_help=True)

Datasets = Annotated[
    list[Path],
    typer.Option(
        "--dataset",
        metavar="DIR",
        help="Folder with corpus.jsonl, queries.jsonl, qrels.tsv, or a file of questions to the sample corpus; repeatable.",
    ),
]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting; repeatable.")]
Json = Annotated[
    str | None, typer.Option("--json", metavar="FILE|-", help="Write the results as JSON; - for standard output.")
]
Report = Annotated[Path | None, typer.Option("--report", metavar="DIR", help="Write an HTML report.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Ask at most so many questions a set.")]
Keep = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Keep the built library there, and use one that was built there from the same corpus, settings and model before.",
    ),
]


@app.command()
def retrieval(
    context: typer.Context,
    dataset: Datasets,
    settings: Sets = None,
    json_file: Json = None,
    report: Report = None,
    limit: Limit = None,
    keep: Keep = None,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Measure simpler rankings and LlamaIndex's hybrid beside it.")
    ] = False,
) -> None:
    """nDCG@10, recall, MRR, hit rate and latency."""
    from eval.retrieval import evaluate_retrieval

    _run(
        dataset,
        _settings(context, settings),
        json_file,
        report,
        lambda folder, s: evaluate_retrieval(folder, s, limit=limit, keep=keep, with_baselines=baselines),
    )


@app.command()
def answers(  # noqa: PLR0913, PLR0917 its options
    context: typer.Context,
    dataset: Datasets,
    settings: Sets = None,
    json_file: Json = None,
    report: Report = None,
    limit: Limit = None,
    keep: Keep = None,
    withhold: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the questions whose right passages are taken away.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Which ones.")] = 0,
) -> None:
    """Gold answer in first and shown statements, citations verified, abstention."""
    from eval.answers import evaluate_answers

    _run(
        dataset, _settings(context, settings), json_file, report,
        lambda folder, s: evaluate_answers(folder, s, limit=limit, withhold=withhold, seed=seed, keep=keep),
    )  # fmt: skip


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="JSON of a run of `xuesi eval retrieval`.")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="JSON of another one.")],
    json_file: Json = None,
    report: Report = None,
) -> None:
    """What changed between two runs: figures, whether it may be chance, and the questions that gained and lost most."""
    from eval.comparison import compare as compare_runs
    from eval.comparison import print_comparison, read_results, write_comparison

    check_writable(json_file, report)
    runs = {"before": (before.name, read_results(before)), "after": (after.name, read_results(after))}
    compared = compare_runs(runs["before"][1], runs["after"][1])
    if json_file == "-":
        print(json.dumps(compared, ensure_ascii=False, indent=2))
    else:
        print_comparison(compared)
        if json_file:
            Path(json_file).write_text(json.dumps(compared, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if report:
        write_comparison(compared, runs, report)


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
    from eval.report import as_json, print_table, write_report

    check_writable(json_file, report)
    results = [evaluate(folder, settings) for folder in folders]
    written = as_json(results)
    if json_file == "-":
        print(written)
    else:
        print_table(results)
        if json_file:
            Path(json_file).write_text(written + "\n", encoding="utf-8")
    if report:
        write_report(results, report)


def check_writable(json_file: str | None, report: Path | None) -> None:
    """Refuse what cannot be written before hours of work are lost by it."""
    try:
        if json_file not in (None, "-"):
            Path(str(json_file)).touch()
        if report:
            report.mkdir(parents=True, exist_ok=True)
            (report / "index.html").touch()
    except OSError as error:
        raise InvalidInput(
            f"The results cannot be written to {error.filename}: {error.strerror}.", hint="Name another place."
        ) from error

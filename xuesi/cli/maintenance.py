"""`xuesi reindex`, `xuesi doctor`."""

from collections import Counter
from typing import Annotated, Any

import typer

from xuesi.cli.context import client, print_json, settings_of
from xuesi.cli.model import change_model, shown
from xuesi.core.errors import InvalidInput
from xuesi.core.settings import Settings
from xuesi.core.text import counted

_SHOWN = 8  # of what a finding concerns; JSON has all


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(reindex)
    app.command()(doctor)


def reindex(
    context: typer.Context,
    model: Annotated[
        str | None,
        typer.Option(
            help="Embed the library with this model in the background; it then takes the place of the present one."
        ),
    ] = None,
    base_url: Annotated[
        str, typer.Option(help="Address of that model's server, with /v1, where it is another one.")
    ] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the new model is in force.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Say which model answers, and how far a change is.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Give a change up.")] = False,
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Delete the vectors of models that are not in use.")
    ] = False,
) -> None:
    """Rebuild both indexes from the catalogue, or embed the library with another model, while the old indexes go on answering."""
    settings = settings_of(context)
    if sum((model is not None, status, cancel, drop_old)) > 1 or (not model and (wait or base_url)):
        raise InvalidInput("These options do not go together.", hint="xuesi reindex --help says what each is for.")
    if model is not None:
        change_model(settings, model, base_url=base_url, wait=wait)
    elif status or cancel or drop_old:
        with client(settings) as server:
            if drop_old:
                dropped = server.call("POST", "/embedding-model/drop-old")
                typer.echo(
                    f"freed {dropped['bytes'] / 1e6:.2f} MB: old vectors of {counted(dropped['versions'], 'version')}"
                )
            else:
                typer.echo(
                    shown(
                        server.call("POST", "/embedding-model/cancel")
                        if cancel
                        else server.call("GET", "/embedding-model")
                    )
                )
    else:
        passages, took_s = _rebuild(settings)
        typer.echo(f"rebuilt: {counted(passages, 'passage')} in {took_s:.1f} s")


def _rebuild(settings: Settings) -> tuple[int, float]:
    from index.owner import owner_url
    from xuesi.offline import reindex_offline

    if owner_url(settings.data_dir):
        with client(settings) as server:
            done = server.call("POST", "/reindex")
        return done["passages"], done["took_s"]
    rebuilt = reindex_offline(settings)
    for reason in rebuilt.skipped:
        typer.echo(reason, err=True)
    return rebuilt.passages, rebuilt.took_s


def doctor(
    context: typer.Context,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended.")] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every byte: originals against their sums, indexes against files.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with everything that is concerned.")] = False,
) -> None:
    """Say what is wrong with this installation, and how to mend it; exit 1 if there is an error, 0 if there are warnings only."""
    with client(settings_of(context)) as server:
        method, path = ("POST", "/doctor/repair") if repair else ("GET", "/doctor")
        report = server.call(method, path, params={"deep": deep})
    if as_json:
        print_json(report)
    else:
        _show(report)
    if any(finding["severity"] == "error" for finding in report["findings"]):
        raise typer.Exit(1)


def _show(report: dict[str, Any]) -> None:
    """Findings one below the other, each with what it concerns and what helps."""
    for finding in report["mended"]:
        done = "queued" if finding["by_job"] else "mended"
        typer.echo(f"{typer.style(done.ljust(8), fg='green', bold=True)} {finding['detail']}")
    for finding in report["findings"]:
        colour = {"error": "red", "warning": "yellow", "note": "cyan"}[finding["severity"]]
        typer.echo(f"{typer.style(finding['severity'].ljust(8), fg=colour, bold=True)} {finding['detail']}")
        for item in finding["items"][:_SHOWN]:
            typer.echo(f"           {item}")
        if len(finding["items"]) > _SHOWN:
            typer.echo(f"           and {len(finding['items']) - _SHOWN} more: xuesi doctor --json names all")
        typer.echo(f"         → {finding['hint']}")
    counts = Counter(finding["severity"] for finding in report["findings"])
    told = [counted(counts[kind], kind) for kind in ("error", "warning") if counts[kind]]
    typer.echo(", ".join(told) + "." if told else "Everything is in order.")

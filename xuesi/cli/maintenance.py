"""`xuesi reindex`, `xuesi doctor`."""

from typing import Annotated

import typer

from xuesi.cli.context import client, print_json, settings_of
from xuesi.core.errors import WrongState
from xuesi.core.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(reindex)
    app.command()(doctor)


def reindex(
    context: typer.Context,
    model: Annotated[
        str | None, typer.Option(help="Embed everything anew with this embedding model; the server must be stopped.")
    ] = None,
) -> None:
    """Rebuild both indexes from the catalogue while the old ones go on answering."""
    from xuesi.cli.serving import owner_url

    settings = settings_of(context)
    url = owner_url(settings)
    if url and model:
        raise WrongState(
            f"The server at {url} runs with the model of the present index.",
            hint="Stop it, run this again, then start it with XUESI_EMBEDDING_MODEL set.",
        )
    if url:
        with client(settings) as server:
            done = server.call("POST", "/reindex")
        passages, took_s = done["passages"], done["took_s"]
    else:
        passages, took_s = _offline(settings, model)
    typer.echo(f"rebuilt: {passages} passages in {took_s:.1f} s")
    if model:
        typer.echo(f"start the server with XUESI_EMBEDDING_MODEL={model}")


def _offline(settings: Settings, model: str | None) -> tuple[int, float]:
    from xuesi.wiring import reindex_offline

    chosen = settings.model_copy(update={"embedding_model": model}) if model else settings
    rebuilt = reindex_offline(
        chosen,
        new_model=model is not None,
        progress=lambda done, total: typer.echo(f"embedded {done} of {total} versions", err=True),
    )
    for reason in rebuilt.skipped:
        typer.echo(reason, err=True)
    return rebuilt.passages, rebuilt.took_s


def doctor(
    context: typer.Context,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is wrong with this installation, and how to mend it; exit 1 if anything is."""
    with client(settings_of(context)) as server:
        report = server.call("POST", "/doctor/repair") if repair else server.call("GET", "/doctor")
    if as_json:
        print_json(report)
    else:
        for finding in report["findings"]:
            typer.echo(f"{finding['severity']}: {finding['detail']}\n  → {finding['hint']}")
        typer.echo("Everything is in order." if not report["findings"] else f"{len(report['findings'])} findings.")
    if any(finding["severity"] == "error" for finding in report["findings"]):
        raise typer.Exit(1)

"""`xuesi jobs`, `xuesi retry`."""

from typing import Annotated

import typer

from xuesi.cli.context import client, print_json, settings_of


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(jobs)
    app.command()(retry)


def jobs(
    context: typer.Context,
    state: Annotated[str, typer.Option(help="queued, running, done, failed or cancelled.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the jobs, newest first."""
    with client(settings_of(context)) as server:
        items = list(server.pages("/jobs", **({"state": state} if state else {})))
    if as_json:
        print_json(items)
        return
    for job in items:
        reason = (job.get("error") or {}).get("detail", "")
        of = f"{job['done']}/{job['total']}" if job["total"] else ""
        typer.echo(
            f"{job['id']}  {job['state']:<9}  {job['stage']:<10} {of:<9} {job['document_id']}  {reason}".rstrip()
        )


def retry(context: typer.Context, job_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Queue a failed or cancelled job again."""
    with client(settings_of(context)) as server:
        server.call("POST", f"/jobs/{job_id}/retry")
    typer.echo(f"queued {job_id}")

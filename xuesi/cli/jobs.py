"""`xuesi jobs`, `xuesi retry`, `xuesi cancel`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from xuesi.cli.context import Id, client, password_in, print_json, settings_of
from xuesi.cli.layout import print_table
from xuesi.core.text import counted


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(jobs)
    app.command()(retry)
    app.command()(cancel)


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
    rows = [
        (
            job["id"],
            job["state"],
            "" if job["state"] == "done" else job["stage"],
            f"{job['done']}/{job['total']}" if job["total"] else "",
            pace(job),
            job["file_name"],
            (job.get("error") or {}).get("detail", ""),
        )
        for job in items
    ]
    names = ("id", "state", "stage", "done", "time", "file", "reason")
    print_table(names, rows, shorten="file", below="reason", ending=counted(len(items), "job"))


def pace(job: dict[str, Any]) -> str:
    """How long a job took so far, and how long its stage will take."""
    if job["elapsed_s"] is None:
        return ""
    left = "" if job["eta_s"] is None else f", {clock(job['eta_s'])} left"
    return f"{clock(job['elapsed_s'])}{left}"


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def retry(
    context: typer.Context,
    job_id: Id,
    password_file: Annotated[
        Path | None, typer.Option(help="File that holds the password of an encrypted file.")
    ] = None,
) -> None:
    """Queue a failed or cancelled job again."""
    password = password_in(password_file)
    with client(settings_of(context)) as server:
        server.call("POST", f"/jobs/{job_id}/retry", json={"password": password} if password else {})
    typer.echo(f"queued {job_id}")


def cancel(context: typer.Context, job_id: Id) -> None:
    """Stop a job that waits or runs; what it made so far is not shown."""
    with client(settings_of(context)) as server:
        server.call("POST", f"/jobs/{job_id}/cancel")
    typer.echo(f"cancelled {job_id}")

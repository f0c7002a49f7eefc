"""`xuesi backup`, `xuesi restore`."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from xuesi.cli.context import client, settings_of
from xuesi.core.errors import InvalidInput
from xuesi.core.settings import Settings
from xuesi.core.text import counted


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backup)
    app.command()(restore)


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; replaced when the new one is whole.")],
) -> None:
    """Write everything that the library cannot be rebuilt without into one file, while a server works or without one."""
    if file.is_dir():
        raise InvalidInput(f"{file} is a folder.", hint=f"Name a file in it: {file / 'xuesi.tar'}")
    with _pieces(settings_of(context)) as pieces:
        size = _write(pieces, file)
    typer.echo(f"backed up: {size / 1e6:,.1f} MB in {file}")


@contextlib.contextmanager
def _pieces(settings: Settings) -> Iterator[Iterator[bytes]]:
    from index.owner import owner_url

    if owner_url(settings.data_dir):
        with client(settings) as server, server.stream("POST", "/backup") as pieces:
            yield pieces
    else:
        from xuesi.offline import backup_offline

        with backup_offline(settings) as pieces:
            yield pieces


def _write(pieces: Iterator[bytes], file: Path) -> int:
    """Write beside the file and rename; returns the bytes. The file is for this user's eyes only: it holds every document."""
    part = file.with_name(f"{file.name}.part")
    size = 0
    try:
        with _progress() as bar, _created(part) as target:
            task = bar.add_task("backing up", total=None)
            for piece in pieces:
                target.write(piece)
                size += len(piece)
                bar.update(task, completed=size)
            target.flush()
            os.fsync(target.fileno())
        part.replace(file)
    except OSError as error:
        raise InvalidInput(f"The backup cannot be written to {file}: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)
    return size


def _created(part: Path) -> Any:
    return os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `xuesi backup` wrote.")],
) -> None:
    """Make the library of a backup in an empty data folder; the server must be stopped."""
    from xuesi.offline import restore_offline

    settings = settings_of(context)
    try:
        source = file.open("rb")
    except OSError as error:
        raise InvalidInput(f"The backup {file} cannot be read: {error.strerror}.") from error
    with source, _progress() as bar, bar.wrap_file(source, file.stat().st_size, description="restoring") as shown:
        done = restore_offline(settings, shown)
    held = done.counts
    typer.echo(
        f"restored into {settings.data_dir}: {counted(held['documents'], 'document')}, taken {done.made_at} by Xuesi {done.program}"
    )
    if done.indexed:
        typer.echo(f"indexed: {counted(done.indexed.passages, 'passage')} in {done.indexed.took_s:.1f} s")
    if held["unfinished_jobs"]:
        typer.echo(
            f"{counted(held['unfinished_jobs'], 'job was', 'jobs were')} not finished and will go on when the server starts"
        )
    for problem in done.problems:
        typer.echo(problem, err=True)
    if done.problems:
        raise typer.Exit(1)


def _progress() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )

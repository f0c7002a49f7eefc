"""`xuesi add`, `list`, `show`, `remove`, `replace`."""

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from xuesi.cli.context import Client, client, print_json, settings_of
from xuesi.core.errors import InvalidInput, XuesiError

_FINAL = ("done", "failed", "cancelled")
_POLL_S = 0.3


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(add)
    app.command(name="list")(list_documents)
    app.command()(show)
    app.command()(remove)
    app.command()(replace)


Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files and folders.")],
    kind: Annotated[
        str | None, typer.Option(help="study_text, lecture, research_report, news, regulation or other.")
    ] = None,
    topic: Annotated[list[str] | None, typer.Option(help="A topic; repeatable.")] = None,
    issuer: Annotated[str | None, typer.Option(help="Who issued the documents.")] = None,
    date: Annotated[str | None, typer.Option(help="Day of publication, YYYY-MM-DD.")] = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Whether to wait until the documents are live.")
    ] = True,
    password_file: Annotated[Path | None, typer.Option(help="File that holds the password of encrypted files.")] = None,
) -> None:
    """Add files and folders; exit 0 if every file is live or was there already, 1 if any failed."""
    metadata = {
        "kind": kind,
        "topics": topic,
        "issuer": issuer,
        "published_on": date,
        "password": _password(password_file),
    }
    given = json.dumps({name: value for name, value in metadata.items() if value}, ensure_ascii=False)
    files = list(_files(paths))
    if not files:
        raise InvalidInput(f"There are no files in {', '.join(map(str, paths))}.")
    failures: list[str] = []
    with client(settings_of(context), worker=wait) as server, _progress(len(files)) as progress:
        waiting: dict[str, Path] = {}
        for path in files:
            try:
                with path.open("rb") as source:
                    taken = _upload(server, "/documents", name=path.name, source=source, metadata=given)
            except (XuesiError, OSError) as error:
                failures.append(f"{path}: {error}")
                progress.ended(path, "failed")
                continue
            if taken.get("duplicate"):
                progress.ended(path, "already there")
            else:
                waiting[taken["job"]["id"]] = path
        failures.extend(_await(server, waiting, progress) if wait else ())
        if not wait:
            for path in waiting.values():
                progress.ended(path, "queued")
    for failure in failures:
        typer.echo(failure, err=True)
    if failures:
        raise typer.Exit(1)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(
                p
                for p in path.rglob("*")
                if p.is_file() and not any(part.startswith(".") for part in p.relative_to(path).parts)
            )
        elif path.exists():
            yield path
        else:
            raise InvalidInput(f"There is no file or folder {path}.")


def _password(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise InvalidInput(f"The password file {path} cannot be read: {error.strerror}.") from error


def _upload(server: Client, path: str, *, name: str, source: BinaryIO, metadata: str) -> dict[str, Any]:
    answer = server.call("POST", path, files={"file": (name, source)}, data={"metadata": metadata})
    first: dict[str, Any] = answer["documents"][0]
    return first


def _await(server: Client, waiting: dict[str, Path], progress: "_Progress") -> Iterator[str]:
    """Follow the jobs to their ends; yields a line for each that failed."""
    while waiting:
        for job_id, path in list(waiting.items()):
            job = server.call("GET", f"/jobs/{job_id}")
            if job["state"] not in _FINAL:
                if job["state"] == "running":
                    progress.now(path, job)
                    break  # one worker: those behind it wait
                continue
            del waiting[job_id]
            progress.ended(path, "live" if job["state"] == "done" else job["state"])
            if job["state"] != "done":
                reason = job.get("error") or {}
                yield f"{path}: {reason.get('detail') or job['state']}"
        time.sleep(_POLL_S if waiting else 0)


class _Progress:
    """A line a file that ended, and below them a bar where there is a terminal."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self.console = Console(stderr=True)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._task = self.bar.add_task("adding", total=total)

    def now(self, path: Path, job: dict[str, Any]) -> None:
        of = f" {job['done']}/{job['total']}" if job["total"] else ""
        self.bar.update(self._task, description=f"{path.name[:40]} · {job['stage']}{of}")

    def ended(self, path: Path, how: str) -> None:
        self.console.print(f"{how:>13}  {path}", highlight=False, markup=False, soft_wrap=True)
        self.bar.advance(self._task)


@contextlib.contextmanager
def _progress(total: int) -> Iterator[_Progress]:
    progress = _Progress(total)
    with progress.bar:
        yield progress


def list_documents(
    context: typer.Context,
    q: Annotated[str, typer.Argument(help="Words of title or issuer.")] = "",
    kind: Annotated[str, typer.Option()] = "",
    topic: Annotated[str, typer.Option()] = "",
    state: Annotated[str, typer.Option(help="State of the newest version: live, failed, …")] = "",
    as_json: Json = False,
) -> None:
    """List the documents, newest first."""
    asked = {name: value for name, value in {"q": q, "kind": kind, "topic": topic, "state": state}.items() if value}
    with client(settings_of(context)) as server:
        items = list(server.pages("/documents", **asked))
    if as_json:
        print_json(items)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("id", "state", "title", "kind", "date", "pages"):
        table.add_column(column, overflow="fold", no_wrap=column == "id")
    for item in items:
        table.add_row(
            item["id"],
            item["state"],
            item["title"],
            item["kind"],
            item["published_on"] or "",
            str(item["pages"] or ""),
        )
    console = Console(width=None if os.isatty(1) else 240)  # into a pipe or file: nothing is folded
    console.print(table)
    console.print(f"{len(items)} documents", style="dim")


def show(context: typer.Context, document_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show a document with its versions, as JSON."""
    with client(settings_of(context)) as server:
        found = server.call("GET", f"/documents/{document_id}")
        print_json({**found, "versions": server.call("GET", f"/documents/{document_id}/versions")["items"]})


def remove(context: typer.Context, document_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Remove a document: it is found no more from this moment on."""
    with client(settings_of(context)) as server:
        server.call("DELETE", f"/documents/{document_id}")
    typer.echo(f"removed {document_id}")


def replace(
    context: typer.Context,
    document_id: Annotated[str, typer.Argument(metavar="ID")],
    path: Annotated[Path, typer.Argument()],
    wait: Annotated[bool, typer.Option("--wait/--no-wait")] = True,
    password_file: Annotated[
        Path | None, typer.Option(help="File that holds the password of an encrypted file.")
    ] = None,
) -> None:
    """Give a document a new version; the current one answers until the new one is live."""
    password = _password(password_file)
    metadata = json.dumps({"password": password} if password else {})
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.")
    with client(settings_of(context), worker=wait) as server, _progress(1) as progress, path.open("rb") as source:
        taken = _upload(server, f"/documents/{document_id}/versions", name=path.name, source=source, metadata=metadata)
        if taken.get("duplicate"):
            progress.ended(path, "already there")
            return
        failures = list(_await(server, {taken["job"]["id"]: path}, progress)) if wait else []
    for failure in failures:
        typer.echo(failure, err=True)
    if failures:
        raise typer.Exit(1)

"""`xuesi add`: how do files, folders and addresses come in from the command line?"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from xuesi.cli.context import Client, client, password_in, said, settings_of
from xuesi.cli.following import Progress, follow, progress_of, upload
from xuesi.core.errors import Forbidden, InvalidInput, StoreUnavailable, Unavailable, XuesiError

# The server says of others than http(s) that it fetches none.
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_ASKED_AT_ONCE = 200  # files of which the server is asked at once whether it has them


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(add)


def add(
    context: typer.Context,
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH…", help="Files, folders, and addresses of web pages or documents.")
    ],
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
    """Add files, folders and what stands at web addresses; exit 0 if every file is live or was there already, 1 if any failed."""
    metadata = {
        "kind": kind,
        "topics": topic,
        "issuer": issuer,
        "published_on": date,
        "password": password_in(password_file),
    }
    given = json.dumps({name: value for name, value in metadata.items() if value}, ensure_ascii=False)
    failures: list[str] = []
    addresses = [path for path in paths if _ADDRESS.match(path)]
    files = list(_files([Path(path) for path in paths if path not in addresses], failures))
    if not files and not addresses and not failures:
        raise InvalidInput(f"There are no files in {', '.join(map(str, paths))}.")
    with client(settings_of(context), worker=wait) as server, progress_of(len(files) + len(addresses)) as progress:
        try:
            waiting = _send(server, files, given, progress=progress, failures=failures, wait=wait)
            waiting |= _send_addresses(server, addresses, given, progress=progress, failures=failures, wait=wait)
            failures.extend(follow(server, waiting, progress) if wait else ())
            if progress.total != 1:
                progress.summary()
        except KeyboardInterrupt:
            progress.summary()
            typer.echo("Interrupted. What was sent is kept; run the same command again to go on.", err=True)
            raise typer.Exit(130) from None
        finally:  # however it ended, each file that failed is named
            for failure in failures:
                progress.say(failure)
    if failures:
        raise typer.Exit(1)


def _send(
    server: Client, files: list[Path], metadata: str, *, progress: "Progress", failures: list[str], wait: bool
) -> dict[str, str]:
    """Send what is not in the library yet, one file after the other; the jobs that are to be waited for, if any are."""
    waiting: dict[str, str] = {}
    for start in range(0, len(files), _ASKED_AT_ONCE):
        part = _hashed(files[start : start + _ASKED_AT_ONCE], progress, failures)
        known = server.call("POST", "/documents/known", json={"sha256": list(set(part.values()))})["known"]
        for path, sha256 in part.items():
            try:
                if sha256 in known:
                    progress.ended(path, "already there", document=known[sha256])
                    continue
                with path.open("rb") as source:
                    taken = upload(server, "/documents", name=path.name, source=source, metadata=metadata)
                waiting |= _noted(taken, str(path), progress=progress, failures=failures, wait=wait)
            except (XuesiError, OSError) as error:
                if isinstance(error, (Forbidden, Unavailable)):  # the next file would fare no better
                    raise
                failures.append(f"{path}: {error}")
                progress.ended(path, "failed")
    return waiting


def _send_addresses(
    server: Client, addresses: list[str], metadata: str, *, progress: "Progress", failures: list[str], wait: bool
) -> dict[str, str]:
    """Have the server fetch what stands there; the jobs that are to be waited for, if any are."""
    waiting: dict[str, str] = {}
    for address in addresses:
        asked = {"url": address, "metadata": json.loads(metadata)}
        try:
            taken = server.call("POST", "/documents/from-url", json=asked)["documents"]
            waiting |= _noted(taken, address, progress=progress, failures=failures, wait=wait)
        except XuesiError as error:
            if isinstance(error, (Forbidden, StoreUnavailable)):
                raise
            failures.append(f"{address}: {error}")
            progress.ended(address, "failed")
    return waiting


def _noted(
    taken: list[dict[str, Any]], given: str, *, progress: "Progress", failures: list[str], wait: bool
) -> dict[str, str]:
    """Note what became of a file, or of each file inside one that holds others; the jobs that are to be waited for, if any are."""
    waiting: dict[str, str] = {}
    progress.more(len(taken) - 1)
    for one in taken:
        inside = one["file_name"].partition("/")[2]
        place = f"{given}/{inside}" if inside else given
        if one.get("problem"):
            failures.append(f"{place}: {said(one['problem'])}")
            progress.ended(place, "failed")
        elif not one.get("duplicate") and wait:
            waiting[one["job"]["id"]] = place
        elif one.get("duplicate"):
            progress.ended(place, "already there", document=one["document"]["id"])
        else:
            progress.ended(place, "queued")
    return waiting


def _hashed(files: list[Path], progress: "Progress", failures: list[str]) -> dict[Path, str]:
    """The files that can be read, with the SHA-256 of their bytes."""
    found = {}
    for path in files:
        try:
            with path.open("rb") as source:
                found[path] = hashlib.file_digest(source, "sha256").hexdigest()
        except OSError as error:
            failures.append(f"{path} cannot be read: {error.strerror}.")
            progress.ended(path, "failed")
    return found


def _files(paths: Iterable[Path], failures: list[str]) -> Iterator[Path]:
    """The files named and those in the folders named, but hidden ones; folders behind links are not entered, so nothing goes in circles."""

    def note(error: OSError) -> None:
        failures.append(f"{error.filename} cannot be read: {error.strerror}.")

    for path in paths:
        if path.is_dir():
            for folder, inner, names in os.walk(path, onerror=note):
                inner[:] = sorted(name for name in inner if not name.startswith("."))
                places = (Path(folder) / name for name in sorted(names) if not name.startswith("."))
                yield from (place for place in places if place.is_file() or place.is_symlink())
        elif path.exists():
            yield path
        else:
            raise InvalidInput(f"There is no file or folder {path}.")

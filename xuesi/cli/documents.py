"""`xuesi list`, `show`, `replace`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from xuesi.cli.context import Id, client, password_in, print_json, settings_of
from xuesi.cli.following import follow, progress_of, upload
from xuesi.cli.layout import print_table
from xuesi.core.errors import DuplicateDocument, InvalidInput
from xuesi.core.text import counted


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(name="list")(list_documents)
    app.command()(show)
    app.command()(replace)


Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def list_documents(
    context: typer.Context,
    q: Annotated[str, typer.Argument(metavar="WORDS", help="Words of title or issuer.")] = "",
    kind: Annotated[str, typer.Option(help="study_text, lecture, research_report, news, regulation or other.")] = "",
    topic: Annotated[str, typer.Option(help="A topic that they have.")] = "",
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
    rows = [
        (
            item["id"],
            "superseded" if item["state"] == "live" and item["successor"] else item["state"],
            item["title"],
            item["kind"],
            item["published_on"] or "",
            str(item["pages"] or ""),
        )
        for item in items
    ]
    names = ("id", "state", "title", "kind", "date", "pages")
    print_table(names, rows, shorten="title", ending=counted(len(items), "document"))


def show(context: typer.Context, document_id: Id) -> None:
    """Show a document with its versions, as JSON."""
    with client(settings_of(context)) as server:
        found = server.call("GET", f"/documents/{document_id}")
        print_json({**found, "versions": list(server.pages(f"/documents/{document_id}/versions"))})


def replace(
    context: typer.Context,
    document_id: Id,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The file of the new version.")],
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Whether to wait until the new version is live.")
    ] = True,
    password_file: Annotated[
        Path | None, typer.Option(help="File that holds the password of an encrypted file.")
    ] = None,
) -> None:
    """Give a document a new version; the current one answers until the new one is live."""
    password = password_in(password_file)
    metadata = json.dumps({"password": password} if password else {})
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.")
    with client(settings_of(context), worker=wait) as server, progress_of(1) as progress, path.open("rb") as source:
        (taken,) = upload(
            server, f"/documents/{document_id}/versions", name=path.name, source=source, metadata=metadata
        )
        if taken.get("duplicate"):
            holder = taken["document"]
            if holder["id"] != document_id:
                raise DuplicateDocument(
                    f"Nothing was replaced: {path} is the document {holder['title']} already ({holder['id']}).",
                    hint=f"To have that one in the place of this one: xuesi supersede {document_id} {holder['id']}",
                )
            progress.ended(path, "already there")
            return
        failures = list(follow(server, {taken["job"]["id"]: str(path)}, progress)) if wait else []
    for failure in failures:
        typer.echo(failure, err=True)
    if failures:
        raise typer.Exit(1)

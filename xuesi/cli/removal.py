"""`xuesi remove`, `trash`, `undelete`, `supersede`."""

from typing import Annotated

import typer

from xuesi.cli.context import Id, an_id, client, print_json, settings_of
from xuesi.cli.layout import print_table
from xuesi.core.errors import InvalidInput
from xuesi.core.text import counted


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(remove)
    app.command()(trash)
    app.command()(undelete)
    app.command()(supersede)


def remove(
    context: typer.Context,
    document_id: Id,
    now: Annotated[bool, typer.Option("--now", help="Purge it: it cannot be restored any more.")] = False,
) -> None:
    """Remove a document: it is found no more from this moment on, and can be restored for some days."""
    settings = settings_of(context)
    with client(settings) as server:
        server.call("DELETE", f"/documents/{document_id}", params={"now": now})
    typer.echo(f"removed {document_id}")
    if now:
        typer.echo("Its traces leave the disk as soon as the server has rewritten its indexes.")
    elif settings.trash_days:
        typer.echo(
            f"To have it back within {settings.trash_days:g} day{'' if settings.trash_days == 1 else 's'}: xuesi undelete {document_id}"
        )


def trash(context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the removed documents that can be restored."""
    with client(settings_of(context)) as server:
        items = list(server.pages("/trash"))
    if as_json:
        print_json(items)
        return
    rows = [(item["id"], f"{item['purge_after'][:16].replace('T', ' ')} UTC", item["title"]) for item in items]
    ending = f"{counted(len(items), 'document')} can be restored"
    print_table(("id", "until", "title"), rows, shorten="title", ending=ending)


def undelete(context: typer.Context, document_id: Id) -> None:
    """Take a removed document back."""
    with client(settings_of(context)) as server:
        found = server.call("POST", f"/documents/{document_id}/restore")
    typer.echo(f"restored {document_id}  {found['title']}")


def supersede(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar="OLD", callback=an_id, help="The document that is out of date.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The document in its place.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Let OLD stand for itself again.")] = False,
) -> None:
    """Put a document in the place of another: search and answers use the new one, and the old one for days before it."""
    if undo == bool(new):
        raise InvalidInput("Name the document in its place, or --undo.", hint="xuesi supersede OLD NEW")
    with client(settings_of(context)) as server:
        server.call("PATCH", f"/documents/{old}", json={"superseded_by": None if undo else new})
    typer.echo(f"{old} stands for itself again" if undo else f"{new} is in the place of {old}")

"""`xuesi watched`."""

from typing import Annotated

import typer

from xuesi.cli.context import client, print_json, settings_of
from xuesi.core.text import counted


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(watched)


def watched(
    context: typer.Context,
    look: Annotated[bool, typer.Option("--look", help="Have the server look at the folders at once.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the watched folders (setting `watched_folders`), and the files in them that are gone or could not be taken."""
    with client(settings_of(context)) as server:
        if look:
            server.call("POST", "/watched/look")
        found = {"folders": server.call("GET", "/watched")["folders"], "items": list(server.pages("/watched"))}
    if as_json:
        print_json(found)
        return
    for folder in found["folders"]:
        how = counted(folder["files"], "file") if folder["reachable"] else "not reached"
        typer.echo(f"{folder['path']}  {how}")
    for item in found["items"]:
        gone = item["missing_since"]
        typer.echo(f"{item['path']}")
        typer.echo(
            f"  gone since {gone[:16].replace('T', ' ')} UTC; its document {item['document_id']} is kept"
            if gone
            else f"  {item['problem']}"
        )
    if not found["folders"]:
        typer.echo("No folder is watched. Name some with XUESI_WATCHED_FOLDERS and run: xuesi serve")

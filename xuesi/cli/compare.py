"""`xuesi compare`."""

from typing import Annotated, Any

import typer

from xuesi.cli.context import Id, an_id, client, print_json, settings_of
from xuesi.core.errors import InvalidInput, VersionNotFound

_STYLES: dict[str, tuple[str, str]] = {
    "removed": ("-", "red"),
    "added": ("+", "green"),
    "moved": (">", "blue"),
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(compare)


def compare(
    context: typer.Context,
    document_id: Id,
    version: Annotated[int | None, typer.Option(help="The later version; without it the one that answers.")] = None,
    against: Annotated[int | None, typer.Option(help="The earlier version; without it the one before.")] = None,
    other: Annotated[str, typer.Option("--with", metavar="ID", help="Compare with a version of this document.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how two versions differ, sentence by sentence: - removed, + added, ~ changed with the words that changed, > moved."""
    with client(settings_of(context)) as server:
        new = version or _answering(server.call("GET", f"/documents/{document_id}"))
        old = against or (_answering(server.call("GET", f"/documents/{an_id(other)}")) if other else new - 1)
        if old < 1:
            raise VersionNotFound(f"Document {document_id} has no version before {new}.", hint="Name one: --against N")
        if (document_id, new) == (other or document_id, old):
            raise InvalidInput("A version does not differ from itself.", hint="Name another: --against N")
        asked = {"against": old, "against_document": other, "only_changes": True}
        report = server.call("GET", f"/documents/{document_id}/versions/{new}/diff", params=asked)
    if as_json:
        print_json(report)
        return
    before: dict[str, Any] | None = None
    for change in report["changes"]:
        if change["how"] == "changed" and change["op"] == "delete":
            before = change
        elif change["how"] == "changed" and before is not None:
            typer.echo(f"{typer.style('~', fg='yellow', bold=True)} {_marked(before, 'red', '[-', '-]')}")
            typer.echo(f"  {_marked(change, 'green', '[+', '+]')}")
        elif change["how"] != "moved" or change["op"] == "insert":
            sign, colour = _STYLES[change["how"]]
            typer.echo(f"{typer.style(sign, fg=colour, bold=True)} {typer.style(_line(change['text']), fg=colour)}")
    counts = report["counts"]
    typer.echo(", ".join(f"{counts[how]} {how}" for how in ("changed", "added", "removed", "moved", "same")))


def _answering(document: dict[str, Any]) -> int:
    number: int = document["version"] or document["newest_version"]
    return number


def _marked(change: dict[str, Any], colour: str, opening: str, closing: str) -> str:
    """The sentence with its changed words in colour, and between brackets for where there is none."""
    text, start, at, out = change["text"], change["span"][0], 0, ""
    for first, last in change["marks"]:
        words = typer.style(f"{opening}{text[first - start : last - start]}{closing}", fg=colour)
        out += text[at : first - start] + words
        at = last - start
    return _line(out + text[at:])


def _line(text: str) -> str:
    return " ".join(text.split())

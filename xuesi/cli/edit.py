"""`xuesi edit`, `suggestions`, `topics`, `dictionary`, `near-duplicates`: what is known of documents, one by one and many at once."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from xuesi.cli.context import Id, client, print_json, said, settings_of
from xuesi.core.errors import InvalidInput

Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="As xuesi list shows them.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(edit)
    app.command()(suggestions)
    app.command()(topics)
    app.command()(dictionary)
    app.command(name="near-duplicates")(near_duplicates)


def edit(  # noqa: PLR0913, PLR0917 a field, an option
    context: typer.Context,
    ids: Ids,
    title: Annotated[str | None, typer.Option(help="Title; for one document only.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="study_text, lecture, research_report, news, regulation or other.")
    ] = None,
    issuer: Annotated[str | None, typer.Option(help="Who issued it.")] = None,
    number: Annotated[str | None, typer.Option(help="The issuer's number of it, such as 〔2023〕15号.")] = None,
    date: Annotated[str | None, typer.Option(help="Day of publication, YYYY-MM-DD.")] = None,
    effective: Annotated[str | None, typer.Option(help="Day from which it is in force, YYYY-MM-DD.")] = None,
    topic: Annotated[list[str] | None, typer.Option(help="A topic; repeatable. Replaces those it has.")] = None,
    accept: Annotated[
        list[str] | None, typer.Option(help="A field whose suggestion is taken over; repeatable.")
    ] = None,
) -> None:
    """Change what is known of documents; exit 1 if one could not be changed."""
    named = {
        "title": title,
        "kind": kind,
        "issuer": issuer,
        "document_number": number,
        "published_on": date,
        "effective_on": effective,
        "topics": topic,
    }
    changes = {name: value for name, value in named.items() if value is not None}
    if not changes and not accept:
        raise InvalidInput("Nothing is to be changed.", hint="Name a field, or one to --accept.")
    if title is not None and len(ids) > 1:
        raise InvalidInput("A title fits one document only.", hint="Leave --title out, or name one document.")
    failed = False
    with client(settings_of(context)) as server:
        if accept:
            failed |= _told(server.call("POST", "/documents/accept", json={"ids": ids, "fields": accept}))
        if changes:
            failed |= _told(server.call("PATCH", "/documents", json={"ids": ids, "changes": changes}))
    if failed:
        raise typer.Exit(1)


def _told(answer: Any) -> bool:
    """Say what became of each document. Whether one was not changed."""
    failed = False
    for one in answer["documents"]:
        if one["problem"]:
            failed = True
            typer.echo(f"{one['id']}: {said(one['problem'])}", err=True)
        else:
            typer.echo(f"changed {one['id']}  {one['document']['title']}")
    return failed


def suggestions(context: typer.Context, document_id: Id, as_json: Json = False) -> None:
    """Show what a document's file says of itself, and to which topics it is close."""
    with client(settings_of(context)) as server:
        items = server.call("GET", f"/documents/{document_id}/suggestions")["items"]
    if as_json:
        print_json(items)
        return
    if not items:
        typer.echo("The file says nothing of itself that is not known, and is close to no topic.")
    for one in items:
        quote = " ".join(one["quote"].split())
        typer.echo(
            f"{one['field']:<16} {one['value']}  [{one['source']}] {quote if quote != one['value'] else ''}".rstrip()
        )


def topics(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="JSON list of topics, {name, description}, that replaces it."),
    ] = None,
) -> None:
    """Show the topic list, or replace it by that in a file."""
    with client(settings_of(context)) as server:
        if file is not None:
            server.call("PUT", "/topics", json={"items": _read(file)})
        items = list(server.pages("/topics"))
    print_json(items)


def dictionary(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Text in UTF-8, a name or set phrase a line, that replaces it."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the names and set phrases that are found whole, or replace them by those in a file; that takes effect at once."""
    with client(settings_of(context)) as server:
        if file is not None:
            server.call("PUT", "/dictionary", json={"items": [{"text": line} for line in _lines(file)]})
        items = list(server.pages("/dictionary"))
    if as_json:
        print_json(items)
        return
    for one in items:
        typer.echo(one["text"])


def _lines(file: Path) -> list[str]:
    """The lines of a text file that are not blank."""
    try:
        return [line for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file} cannot be read as text in UTF-8: {error}.") from error


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file} cannot be read as JSON: {error}.") from error


def near_duplicates(
    context: typer.Context,
    merge: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="ID OTHER", help="Make the file of ID the newest version of OTHER; ID goes."),
    ] = None,
    apart: Annotated[tuple[str, str] | None, typer.Option(metavar="ID OTHER", help="Keep both.")] = None,
    as_json: Json = False,
) -> None:
    """List documents whose texts are nearly the same, or settle a pair."""
    with client(settings_of(context)) as server:
        for chosen, how in ((merge, "new_version"), (apart, "apart")):
            if chosen:
                asked = {"document_id": chosen[0], "other_id": chosen[1], "as": how}
                server.call("POST", "/near-duplicates/settle", json=asked)
        items = list(server.pages("/near-duplicates"))
    if as_json:
        print_json(items)
        return
    if not items:
        typer.echo("No two documents are nearly the same.")
    for pair in items:
        typer.echo(f"{pair['similarity']:.0%}")
        for side in (pair["document"], pair["other"]):
            typer.echo(f"  {side['document_id']}  {side['added_at'][:10]}  {side['title']}")

"""`xuesi search`, `xuesi ask`."""

from typing import Annotated, Any

import typer

from xuesi.cli.context import client, print_json, settings_of

Json = Annotated[bool, typer.Option("--json", help="Print the server's answer as JSON.")]

AsOf = Annotated[
    str, typer.Option("--as-of", metavar="DATE", help="Ask of the wordings in force on that day, YYYY-MM-DD.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(search)
    app.command()(ask)


def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument()],
    limit: Annotated[int, typer.Option(min=1, max=100)] = 10,
    as_of: AsOf = "",
    as_json: Json = False,
) -> None:
    """Find passages."""
    with client(settings_of(context)) as server:
        found = server.call("POST", "/search", json={"query": query, "limit": limit, **_filters(as_of)})
    if as_json:
        print_json(found)
        return
    for hit in found["hits"]:
        passage = hit["passage"]
        typer.echo(f"{hit['rank']:>2}  {hit['score']:.3f}  {passage['title']}{_where(passage)}")
        typer.echo(f"    {' '.join(passage['text'].split())[:300]}")
        typer.echo(_superseded(hit) + "\n" if not hit["current"] else "")
    typer.echo(f"{len(found['hits'])} passages in {found['took_ms']:.0f} ms")


def _where(passage: dict[str, Any]) -> str:
    first, last = passage["pages"]
    return f", p. {first}" + (f"-{last}" if last != first else "")


def _filters(as_of: str) -> dict[str, Any]:
    return {"filters": {"as_of": as_of}} if as_of else {}


def _superseded(found: dict[str, Any]) -> str:
    """What is said of a hit or citation that is not current."""
    successor = found["superseded_by"]
    now = f" Now: {successor['title']}  {successor['url']}" if successor else ""
    return f"    ! No longer current.{now}"


def ask(
    context: typer.Context, question: Annotated[str, typer.Argument()], as_of: AsOf = "", as_json: Json = False
) -> None:
    """Answer a question from the material, with the place of every sentence."""
    with client(settings_of(context)) as server:
        answer = server.call("POST", "/ask", json={"question": question, **_filters(as_of)})
    if as_json:
        print_json(answer)
        return
    if answer["status"] != "answered":
        typer.echo("The material does not answer this. Nearest passages:  材料中没有找到答案，最接近的段落：\n")
        for hit in answer["nearest"]:
            typer.echo(
                f"  {hit['passage']['title']}{_where(hit['passage'])}\n    {' '.join(hit['passage']['text'].split())[:160]}"
            )
        return
    for statement in answer["statements"]:
        typer.echo(statement["text"] + "".join(f"[{number}]" for number in statement["citations"]))
    typer.echo("")
    for citation in answer["citations"]:
        day = f", {citation['published_on']}" if citation["published_on"] else ""
        typer.echo(f"[{citation['number']}] {citation['title']}{day}, p. {citation['page']}  {citation['url']}")
        if not citation["current"]:
            typer.echo(_superseded(citation))

"""`xuesi search`, `xuesi ask`."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import typer

from xuesi.cli.context import Client, client, print_json, settings_of
from xuesi.cli.layout import shortened, terminal_width, wrapped
from xuesi.core.errors import InvalidInput
from xuesi.core.settings import Settings
from xuesi.core.text import counted

_INDENT = "    "
_EXCERPT = 300  # cells of a passage's text on a terminal

Json = Annotated[bool, typer.Option("--json", help="Print the server's answer as JSON.")]


def _a_day(given: str) -> str:
    """Refuse what is no day. Raises InvalidInput."""
    if given:
        try:
            date.fromisoformat(given)
        except ValueError as error:
            raise InvalidInput(
                f"--as-of {given} is no day.", hint="Write year, month and day: --as-of 2024-05-01"
            ) from error
    return given


AsOf = Annotated[
    str,
    typer.Option(
        "--as-of", metavar="DATE", callback=_a_day, help="Ask of the wordings in force on that day, YYYY-MM-DD."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(search)
    app.command()(ask)


def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="What to look for; in quotes if it has spaces.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 10,
    as_of: AsOf = "",
    as_json: Json = False,
) -> None:
    """Find passages, the best first."""
    settings = settings_of(context)
    with client(settings) as server:
        site = _site(server, settings)
        found = server.call("POST", "/search", json={"query": query, "limit": limit, **_filters(as_of)})
    if as_json:
        print_json(found)
        return
    _show_missing(found["phrases"])
    _show_understood(found["understood"])
    for hit in found["hits"]:
        _show_hit(hit, label=f"{hit['rank']:>2}  {hit['score']:.3f}  ", site=site)
    typer.echo(f"{counted(len(found['hits']), 'passage')} in {found['took_ms']:.0f} ms")
    _say_how_to_open(server, found["hits"])


def _show_hit(hit: dict[str, Any], *, label: str, site: str) -> None:
    """Title and page, the headings above, the beginning of the text, and the address that opens it there, each on lines of its own."""
    passage, width = hit["passage"], terminal_width()
    first, last = passage["pages"]
    pages = f"p. {first}" + (f"-{last}" if last != first else "")
    typer.echo(wrapped(f"{passage['title']}, {pages}", width=width, indent=_INDENT, first=label))
    if passage["heading_path"]:
        typer.secho(wrapped(" › ".join(passage["heading_path"]), width=width, indent=_INDENT), dim=True)
    text = shortened(passage["text"], _EXCERPT) if width else passage["text"]
    typer.echo(wrapped(text, width=width, indent=_INDENT))
    typer.echo(f"{_INDENT}{site}{passage['url']}")
    _show_successor(hit, site)
    typer.echo("")


def _show_missing(phrases: Sequence[dict[str, Any]]) -> None:
    """What is quoted and no passage has."""
    for phrase in phrases:
        if phrase["source"] == "quoted" and not phrase["found"]:
            typer.echo(wrapped(f"No passage says “{phrase['text']}” word for word.", width=terminal_width()))


def _show_understood(meant: dict[str, Any]) -> None:
    """On one line what is preferred, if anything."""
    named = [f"{it['text']} (published {it['from'] or '…'} to {it['to'] or '…'})" for it in meant["periods"]]
    named += dict.fromkeys(
        it["text"] if it["title"] in it["text"] else f"{it['text']} ({it['title']})" for it in meant["documents"]
    )
    if named:
        typer.echo(wrapped(f"Preferred: {'; '.join(named)}", width=terminal_width(), indent=_INDENT, first="") + "\n")


def _show_successor(found: dict[str, Any], site: str) -> None:
    """What is said of a hit or citation that is not current."""
    if found["current"]:
        return
    successor = found["superseded_by"]
    now = f" Now: {successor['title']}" if successor else ""
    typer.echo(wrapped(f"No longer current.{now}", width=terminal_width(), indent=_INDENT, first="  ! "))
    if successor:
        typer.echo(f"{_INDENT}{site}{successor['url']}")


def _site(server: Client, settings: Settings) -> str:
    """Where a browser finds the pages: at the server that runs, or where `xuesi serve` will."""
    from xuesi.cli.serving import url_of

    return server.base_url if server.lasts else url_of(settings.host, settings.port)


def _say_how_to_open(server: Client, shown: Sequence[Any]) -> None:
    if not shown:
        typer.echo("There is no passage to look in. xuesi list names the documents; xuesi add PATH takes some in.")
    elif not server.lasts:
        typer.echo("The addresses open in a browser while the server runs: xuesi serve")


def _filters(as_of: str) -> dict[str, Any]:
    return {"filters": {"as_of": as_of}} if as_of else {}


def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="A question; in quotes if it has spaces.")],
    as_of: AsOf = "",
    mode: Annotated[
        str,
        typer.Option(
            help="extractive: in the material's own words; generative: in a chat model's; auto: in a model's if there is one."
        ),
    ] = "auto",
    show_withheld: Annotated[
        bool, typer.Option("--show-withheld", help="Show what a model wrote and the material does not support.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Answer a question from the material, with the place of every sentence."""
    settings = settings_of(context)
    with client(settings) as server:
        site = _site(server, settings)
        answer = server.call(
            "POST", "/ask", json={"question": question, "mode": mode, "show_withheld": show_withheld, **_filters(as_of)}
        )
    if as_json:
        print_json(answer)
        return
    _show_missing(answer["phrases"])
    _show_understood(answer["understood"])
    if answer["status"] == "answered":
        _show_answer(answer, site)
    else:
        typer.echo("The material does not answer this. 材料中没有找到答案。")
        if answer["nearest"]:
            typer.echo("Nearest passages 最接近的段落：\n")
        for number, hit in enumerate(answer["nearest"], start=1):
            _show_hit(hit, label=f"{number:>2}  ", site=site)
    _say_how_to_open(server, answer["citations"] or answer["nearest"])


def _show_answer(answer: dict[str, Any], site: str) -> None:
    """The statements with the numbers of their citations, and below them each citation with its address."""
    width = terminal_width()
    for statement in answer["statements"]:
        numbers = "".join(f"[{number}]" for number in statement["citations"])
        typer.echo(wrapped(f"{statement['text']}{numbers}", width=width))
    typer.echo("")
    _show_model(answer)
    for citation in answer["citations"]:
        day = f", {citation['published_on']}" if citation["published_on"] else ""
        named = f"{citation['title']}{day}, p. {citation['page']}"
        typer.echo(wrapped(named, width=width, indent=_INDENT, first=f"[{citation['number']}] "))
        typer.echo(f"{_INDENT}{site}{citation['url']}")
        _show_successor(citation, site)


def _show_model(answer: dict[str, Any]) -> None:
    """What is said of a chat model's part in the answer."""
    told: list[str] = []
    if answer["mode"] == "generative":
        told.append("Written by a model; every sentence was checked against the material.")
    if answer["fallback"]:
        told.append(
            f"The model gave no answer that can be used ({answer['fallback']}): these are the material's own words."
        )
    if answer["cut_short"]:
        told.append(f"The model did not finish ({answer['cut_short']}).")
    if answer["withheld"]:
        told.append(f"Left out as not supported by the material: {counted(answer['withheld'], 'sentence')}.")
    told += [f"  not supported ({it['reason']}): {it['text']}" for it in answer["withheld_statements"] or ()]
    for line in told:
        typer.secho(wrapped(line, width=terminal_width()), dim=True)
    if told:
        typer.echo("")

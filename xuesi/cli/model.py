"""How is the library given another embedding model? A running server does it in the background; where none runs, this command does it."""

import time
from typing import Any

import typer

from xuesi.cli.context import Client, client
from xuesi.cli.jobs import clock
from xuesi.core.errors import WrongState
from xuesi.core.settings import Settings
from xuesi.core.text import counted

_LOOK_S = 1.0


def change_model(settings: Settings, name: str, *, base_url: str, wait: bool) -> None:
    """Begin the change, and with `wait` follow it to its end."""
    from index.owner import owner_url

    if not owner_url(settings.data_dir):
        _change_here(settings, name, base_url=base_url)
        return
    with client(settings) as server:
        begun = server.call("POST", "/embedding-model", json={"model": name, "base_url": base_url})
        if begun["next"] is None:
            typer.echo(f"{name} is in force already")
        elif wait:
            _follow(server, wanted=begun["next"]["fingerprint"])
        else:
            typer.echo(shown(begun))
            typer.echo("The server does it in the background; how far it is: xuesi reindex --status")


def shown(model: dict[str, Any]) -> str:
    """Which model answers, and in a second line how far the change to another one is."""
    lines = [f"in force: {model['model']}  ({model['fingerprint']})"]
    if following := model["next"]:
        lines.append(f"next: {following['model']}  ({following['fingerprint']}), {_how_far(following)}")
        if problem := following["problem"]:
            lines.append(f"  → it does not get on and is tried again. {problem['detail']}")
    return "\n".join(lines)


def _how_far(following: dict[str, Any]) -> str:
    if following["stage"] == "indexing":
        return "building its indexes"
    left = "" if following["eta_s"] is None else f", {clock(following['eta_s'])} left"
    return f"{following['done']} of {counted(following['total'], 'passage')} embedded{left}"


def _follow(server: Client, *, wanted: str) -> None:
    """Say what is new until the change ends. Raises WrongState if it was given up."""
    told = ""
    while True:
        model = server.call("GET", "/embedding-model")
        following = model["next"]
        if following is None or following["fingerprint"] != wanted:
            break
        now = _how_far(following) + (f"  → {following['problem']['detail']}" if following["problem"] else "")
        if now != told:
            typer.echo(now, err=True)
        told = now
        time.sleep(_LOOK_S)
    if model["fingerprint"] != wanted:
        raise WrongState("The change of the embedding model was given up.", hint="xuesi reindex --status")
    typer.echo(f"in force: {model['model']}  ({wanted})")


def _change_here(settings: Settings, name: str, *, base_url: str) -> None:
    from xuesi.offline import change_model_offline

    passages = change_model_offline(
        settings,
        name,
        base_url=base_url,
        progress=lambda done, total: typer.echo(f"{done} of {counted(total, 'passage')} embedded", err=True),
    )
    typer.echo(f"in force: {name}, {counted(passages, 'passage')}")

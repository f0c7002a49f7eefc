"""Writes the reference pages that follow from the program: `make docs`. tests/meta/test_reference.py fails when one is out of date."""

import inspect
import typing
from pathlib import Path

import typer.main
from fastapi import FastAPI
from pydantic_core import PydanticUndefined

from api.problems import status_of
from api.routes.error_pages import FRAMEWORK
from xuesi.cli.context import all_errors, exit_code
from xuesi.cli.main import app as command_line
from xuesi.core.errors import XuesiError
from xuesi.core.settings import Settings

_FOLDER = Path(__file__).parent / "reference"
_METHODS = ("get", "post", "patch", "put", "delete")


def settings_page() -> str:
    """Every setting: name, type and bounds, default, meaning."""
    lines = [
        "# Settings",
        "",
        "Each is an environment variable `XUESI_<NAME>`, a key of `xuesi.toml` in the current folder, and an option `--set name=value`; the command line wins",
        "over the environment, the environment over the file. An unknown name is an error everywhere. A secret (`admin_token`, `embedding_api_key`,",
        "`llm_api_key`) may stand in a file that `XUESI_<NAME>_FILE` names.",
        "",
        "| name | allowed | default | meaning |",
        "|---|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, PydanticUndefined, "") else f"`{field.default}`"
        lines.append(f"| `{name}` | {_allowed(field.annotation, field.metadata)} | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def _allowed(annotation: typing.Any, metadata: list[typing.Any]) -> str:
    kinds = {int: "whole number", float: "number", str: "text", Path: "folder"}
    words = [kinds.get(annotation, "text, secret")]
    for bound in metadata:
        for attribute, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<")):
            if hasattr(bound, attribute):
                words.append(f"{sign} {getattr(bound, attribute):.15g}")
        if getattr(bound, "pattern", None):
            words = [bound.pattern.strip("^$()").replace("|", ", ")]
    return " ".join(words)


def errors_page() -> str:
    """Every error: code, HTTP status, exit code, meaning."""
    lines = [
        "# Errors",
        "",
        "Over HTTP an error is `application/problem+json` (RFC 9457) with `type, title, status, detail, instance, code, request_id` and, where there is",
        "something to do, `hint`; the command line prints the same words and ends with the exit code. `type` is `/errors/<code>`, a page that the server has.",
        "",
        "| code | HTTP | exit | title | when |",
        "|---|---|---|---|---|",
    ]
    for kind in sorted(all_errors(), key=lambda kind: kind.code):
        if kind is not XuesiError:
            when = " ".join((inspect.getdoc(kind) or "").split())
            lines.append(f"| `{kind.code}` | {status_of(kind)} | {exit_code(kind(''))} | {kind.title} | {when} |")
    lines += [f"| `{code}` | {status} | - | {title} | {when} |" for code, (title, status, when) in FRAMEWORK.items()]
    return "\n".join(lines) + "\n"


def http_page(app: FastAPI) -> str:
    """Every path of the HTTP interface with its methods and what they do."""
    lines = [
        "# HTTP",
        "",
        "The machine-readable description is served at `/api/openapi.json`.",
        "",
        "| method | path | what it does |",
        "|---|---|---|",
    ]
    for path, methods in app.openapi()["paths"].items():
        given = [(method, methods[method].get("description", "")) for method in _METHODS if method in methods]
        lines += [f"| {method.upper()} | `{path}` | {_first_paragraph(text)} |" for method, text in given]
    return "\n".join(lines) + "\n"


def _first_paragraph(text: str) -> str:
    return text.strip().split("\n\n")[0].replace("\n", " ")


def cli_page() -> str:
    """Every command with its options."""
    lines = ["# Command line", "", "Global: `xuesi --set KEY=VALUE …` overrides a setting.", ""]
    root = typer.main.get_command(command_line)
    for path, command in _commands(root, "xuesi"):
        usage = " ".join(
            _shown(parameter)
            for parameter in command.params
            if not getattr(parameter, "hidden", False) and parameter.name != "help"
        )
        lines += [f"## `{f'{path} {usage}'.strip()}`", "", command.help or "", ""]
        explained = [
            p
            for p in command.params
            if getattr(p, "help", None) and not getattr(p, "hidden", False) and p.name != "help"
        ]
        lines += [*(f"- `{_shown(parameter).strip('[]')}`: {parameter.help}" for parameter in explained), ""]
    exits = "Exit codes: 0 done, 1 something that was asked for failed, 2 unusable input, 3 not found, 4 conflict, 70 internal, 75 try again later, 77 not allowed, 78 configuration, 130 interrupted."
    return "\n".join([*lines, exits]) + "\n"


def _commands(command: typing.Any, path: str) -> typing.Iterator[tuple[str, typing.Any]]:
    """The commands with their full names; typer brings its own click, whose types it does not show."""
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in children.items():
        yield from _commands(child, f"{path} {name}")


def _shown(parameter: typing.Any) -> str:
    if parameter.param_type_name == "argument":
        name = parameter.metavar or str(parameter.name).upper()
        return name if parameter.required else f"[{name.strip('[]')}]"
    flags = "/".join([*parameter.opts, *parameter.secondary_opts])
    value = "" if getattr(parameter, "is_flag", False) else f" {(parameter.name or '').upper()}"
    return f"[{flags}{value}]"


def pages() -> dict[str, str]:
    """File name to content."""
    from api.app import describe  # noqa: PLC0415 the heaviest import last

    return {
        "settings.md": settings_page(),
        "errors.md": errors_page(),
        "http.md": http_page(describe()),
        "cli.md": cli_page(),
    }


if __name__ == "__main__":
    for name, content in pages().items():
        (_FOLDER / name).write_text(content, encoding="utf-8")
        print(_FOLDER / name)

"""The `xuesi` command: its subcommands, its global option, and how an error ends it."""

import os
import sys
import traceback
from typing import Annotated

import typer

from xuesi.cli import add, ask, backup, compare, documents, edit, evaluate, jobs, maintenance, removal, server, watched
from xuesi.cli.context import exit_code, show_error
from xuesi.core.errors import XuesiError

app = typer.Typer(
    name="xuesi",
    help="Knowledge base and retrieval assistant for study materials: cited answers that open in the original. 学思：有出处的回答。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (server, add, documents, edit, compare, removal, watched, jobs, ask, maintenance, backup):
    module.register(app)
app.add_typer(evaluate.app, name="eval")


@app.callback()
def options(
    context: typer.Context,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting; repeatable.")
    ] = None,
) -> None:
    """Settings come from --set, XUESI_* variables and xuesi.toml, the first one winning."""
    context.obj = list(settings or [])


def run() -> None:
    """Run the command; an error becomes a sentence and an exit code. What nobody foresaw is shown whole, since somebody has to mend it."""
    try:
        app()
    except XuesiError as error:
        show_error(error)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 the exit code must not be that of files which could not be added
        traceback.print_exc()
        print(f"This is a mistake in Xuesi: {type(error).__name__}.", file=sys.stderr)
        sys.exit(os.EX_SOFTWARE)

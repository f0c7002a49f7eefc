"""What do all commands share? Settings with overrides, errors shown and turned into exit codes, the client of the server."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from xuesi.core import errors
from xuesi.core.errors import XuesiError
from xuesi.core.settings import Settings, load_settings

_EXIT_CODES: tuple[tuple[type[XuesiError], int], ...] = (
    (errors.InvalidInput, 2),
    (errors.NotFound, 3),
    (errors.Conflict, 4),
    (errors.LimitReached, os.EX_TEMPFAIL),
    (errors.Unavailable, os.EX_TEMPFAIL),
    (errors.Forbidden, os.EX_NOPERM),
    (errors.Misconfigured, os.EX_CONFIG),
)


def exit_code(error: XuesiError) -> int:
    """The process's exit code for an error, as docs/reference/cli.md lists them."""
    return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), os.EX_SOFTWARE)


def show_error(error: XuesiError) -> None:
    """What happened, to what, and what to do: on standard error, in two lines."""
    print(f"{error.title}: {error.detail}", file=sys.stderr)
    if error.hint:
        print(f"  → {error.hint}", file=sys.stderr)


def overrides(pairs: Sequence[str]) -> dict[str, str]:
    """`--set` pairs as a dictionary. Raises InvalidInput where one has no `=`."""
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise errors.InvalidInput(f"--set {pair} is not of the form KEY=VALUE.")
        given[name.strip()] = value
    return given


def settings_of(context: typer.Context, extra: Sequence[str] = ()) -> Settings:
    """The settings that this command runs under."""
    return load_settings(overrides([*(context.obj or []), *extra]))


def an_id(given: str) -> str:
    """Refuse what would name another place than that of the thing with this id. Raises NotFound."""
    if not given.replace("-", "").isalnum():
        raise errors.NotFound(f"{given!r} is no id.", hint="xuesi list and xuesi jobs show the ids.")
    return given


Id = Annotated[str, typer.Argument(metavar="ID", callback=an_id, help="As xuesi list or xuesi jobs shows it.")]


class Client:
    """Xuesi's HTTP interface from the command line; problems come back as the errors they were made of."""

    def __init__(self, base_url: str, *, token: str | None, lasts: bool = True) -> None:
        """`lasts`: whether the server is there when this command has ended."""
        import httpx

        self.base_url, self.lasts = base_url, lasts
        headers = {b"Authorization": f"Bearer {token}".encode()} if token else {}
        self._http = httpx.Client(
            base_url=f"{base_url}/api/v1", headers=headers, timeout=httpx.Timeout(600.0, connect=5.0), trust_env=False
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Call and decode. Raises the XuesiError that the server reports, StoreUnavailable if it does not answer."""
        import httpx

        try:
            response = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise errors.StoreUnavailable(
                f"The server at {self._http.base_url} does not answer ({error}).",
                hint="Run the command again: where no server runs, it becomes the server itself.",
            ) from error
        if not response.is_success:  # a redirection too: it has done nothing
            raise _error_of(_problem_of(response))
        return response.json() if response.content else None

    @contextlib.contextmanager
    def stream(self, method: str, path: str) -> Iterator[Iterator[bytes]]:
        """Call, and give the answer's body in pieces as it comes. Raises as `call`, also when it breaks off."""
        import httpx

        try:
            with self._http.stream(method, path) as response:
                if not response.is_success:
                    response.read()
                    raise _error_of(_problem_of(response))
                yield response.iter_raw()
        except httpx.HTTPError as error:
            raise errors.StoreUnavailable(
                f"The answer of the server at {self._http.base_url} broke off ({error})."
            ) from error

    def pages(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """All items of a list, part by part."""
        cursor: str | None = ""
        while cursor is not None:
            part = self.call("GET", path, params={**params, "limit": 100, **({"cursor": cursor} if cursor else {})})
            yield from part["items"]
            cursor = part["next"]


def _problem_of(response: Any) -> dict[str, Any]:
    is_json = "json" in response.headers.get("content-type", "")
    return dict(response.json()) if is_json else {"detail": response.text}


def _error_of(problem: dict[str, Any]) -> XuesiError:
    known = {kind.code: kind for kind in all_errors()}
    kind = known.get(problem.get("code", ""), XuesiError)
    return kind(
        problem.get("detail") or "The server gave no reason.",
        hint=problem.get("hint", ""),
        request_id=problem.get("request_id", ""),
    )


def said(problem: Mapping[str, Any]) -> str:
    """What a problem says, and what to do about it, in one line."""
    return f"{problem['detail']} {problem.get('hint') or ''}".strip()


def all_errors() -> Iterator[type[XuesiError]]:
    """Every error class, the base included."""
    waiting: list[type[XuesiError]] = [XuesiError]
    while waiting:
        kind = waiting.pop()
        yield kind
        waiting.extend(kind.__subclasses__())


@contextlib.contextmanager
def client(settings: Settings, *, worker: bool = False) -> Iterator[Client]:
    """A client of the server that owns the data folder; where none runs, this process is the server for as long as the block lasts.

    Args:
        settings: Which data folder.
        worker: Whether a worker is needed, should this process be the server.

    Raises:
        DataFolderBusy: If another process owns the folder and serves nothing.
    """
    from index.owner import owner_url
    from xuesi.cli.serving import served

    token = settings.admin_token.get_secret_value() if settings.admin_token else None
    own: dict[str, Any] = {"host": "127.0.0.1", "port": 0}
    if "log_level" not in settings.model_fields_set:  # the command itself says what becomes of its files
        own["log_level"] = "error"
    with contextlib.ExitStack() as stack:
        lasts = True
        while not (url := owner_url(settings.data_dir)):
            try:
                url = stack.enter_context(served(settings.model_copy(update=own), worker=worker))
                lasts = False
                break
            except errors.DataFolderBusy:
                if url is not None:
                    raise
                # Another command began at the same time and was quicker; it may have ended by now too.
        yield stack.enter_context(contextlib.closing(Client(url, token=token, lasts=lasts)))


def password_in(path: Path | None) -> str | None:
    """The password that stands in the file, if one is named. Raises InvalidInput if it cannot be read."""
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise errors.InvalidInput(f"The password file {path} cannot be read: {error.strerror}.") from error


def print_json(value: Any) -> None:
    """JSON on standard output, and nothing else."""
    print(json.dumps(value, ensure_ascii=False, indent=2))

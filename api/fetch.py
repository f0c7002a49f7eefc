"""How is a document fetched by its address without reaching into the network that the server stands in?

Every address that a name resolves to must be a public one, the connection goes to the address that was checked (so that a name cannot resolve
differently the second time), and each redirect is followed by hand through the same door. The time is that of all together, however slowly the bytes
come; and what is packed for the way is unpacked in small steps, so that its size is known before it fills the memory.
"""

import asyncio
import ipaddress
import mimetypes
import socket
import tempfile
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from email.message import Message
from pathlib import PurePosixPath
from typing import BinaryIO
from urllib.parse import unquote

import httpx

from xuesi.core.errors import DocumentTooLarge, InvalidInput, Unavailable, UnsafeUrl

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_MOST_REDIRECTS = 5
_IN_MEMORY_BYTES = 1_000_000
_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")  # some Pythons call it public; a cloud's metadata are there
_UNICAST6 = ipaddress.ip_network(
    "2000::/3"
)  # all that is given out in IPv6; what wraps IPv4 without a register (NAT64, ::127.0.0.1) lies outside
_ENCODINGS = {"": 0, "identity": 0, "gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS}
_STEP_BYTES = 1 << 16
_EXTENSIONS = {"text/html": ".html", "application/xhtml+xml": ".html", "text/plain": ".txt", "text/markdown": ".md"}


@dataclass(frozen=True, slots=True)
class Network:
    """The way out: how names are resolved and, in tests, what answers instead of sockets."""

    resolve: Resolve
    transport: httpx.AsyncBaseTransport | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: `file` stands at its beginning and belongs to the caller; `url` is where it stood in the end, after all redirects."""

    file: BinaryIO
    file_name: str
    url: str


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system knows them. Raises OSError where it knows none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def fetch(url: str, *, limit_bytes: int, timeout_s: float, network: Network) -> Fetched:
    """Fetch what stands at the address.

    Raises:
        UnsafeUrl: If the address, or one it leads to, is no public http(s) address.
        DocumentTooLarge: If more than `limit_bytes` come.
        InvalidInput: If the other server refuses.
        Unavailable: If it does not answer in time.
    """
    try:
        # No proxy from the environment: the connection must go to the address that was checked.
        async with asyncio.timeout(timeout_s), _client(network, timeout_s) as client:
            return await _follow(client, url, limit_bytes=limit_bytes, network=network)
    except TimeoutError as error:
        raise Unavailable(f"{url} did not answer within {timeout_s:g} s.", hint="Try again later.") from error
    except httpx.HTTPError as error:
        raise Unavailable(
            f"{url} cannot be fetched: {error or type(error).__name__}.", hint="Try again later."
        ) from error


def is_public(address: str) -> bool:
    """Whether an address lies in the public internet, also where one of IPv6 only wraps one of IPv4."""
    try:
        ip: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or ip
        if isinstance(ip, ipaddress.IPv6Address) and (ip not in _UNICAST6 or ip.teredo):
            return False
    return ip.is_global and not ip.is_multicast and ip not in _PROTOCOLS


def _client(network: Network, timeout_s: float) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=network.transport,
        timeout=timeout_s,
        trust_env=False,
        headers={"User-Agent": "Xuesi", "Accept-Encoding": "gzip"},
    )


async def _follow(client: httpx.AsyncClient, url: str, *, limit_bytes: int, network: Network) -> Fetched:
    at = _parse(url)
    for _ in range(_MOST_REDIRECTS + 1):
        response = await client.send(await _pinned(client, at, network), stream=True)
        async with aclosing(response):
            if response.has_redirect_location:
                at = _parse(str(at.join(response.headers["location"])))
                continue
            if response.status_code != 200:
                raise InvalidInput(
                    f"{at} answers {response.status_code} {response.reason_phrase}.".replace(" .", "."),
                    hint="Open the address in a browser: it must give the document itself.",
                )
            file = await _save(response, limit_bytes=limit_bytes)
            return Fetched(file, _file_name(at, response.headers), str(at.copy_with(fragment=None)))
    raise UnsafeUrl(
        f"{url} leads on more than {_MOST_REDIRECTS} times.",
        hint="Give the address at which the document itself stands.",
    )


def _parse(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise UnsafeUrl(
            f"{url[:200]} is no address: {error}.", hint="Give the whole address, with https://."
        ) from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise UnsafeUrl(f"{url[:200]} is no http or https address.", hint="Give the whole address, with https://.")
    if parsed.userinfo:
        raise UnsafeUrl(
            "An address with a name and password in it is not fetched.",
            hint="Save the document and add the file itself.",
        )
    return parsed


async def _pinned(client: httpx.AsyncClient, url: httpx.URL, network: Network) -> httpx.Request:
    """The request with the checked address in the host's place; name and certificate are still the host's."""
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        addresses = await network.resolve(url.host, port)
    except (OSError, UnicodeError) as error:
        raise InvalidInput(f"There is no host {url.host}.", hint="Check the address.") from error
    if not addresses or not all(is_public(address) for address in addresses):
        raise UnsafeUrl(
            f"{url.host} is not in the public internet, so it is not fetched.",
            hint="Save the document and add the file itself.",
        )
    return client.build_request(
        "GET",
        url.copy_with(host=addresses[0], fragment=None),
        headers={"Host": url.netloc.decode("ascii")},
        extensions={"sni_hostname": url.raw_host.decode("ascii")},
    )


async def _save(response: httpx.Response, *, limit_bytes: int) -> BinaryIO:
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 closed by the caller, or below
    try:
        async for piece in _unpacked(response):
            await asyncio.to_thread(file.write, piece)  # a slow disk holds up this document and nobody else
            if file.tell() > limit_bytes:
                raise DocumentTooLarge(f"The document is larger than {limit_bytes // 1_000_000} MB.")  # noqa: TRY301 the file must be closed
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file  # type: ignore[return-value] # a SpooledTemporaryFile[bytes] is one but for its declared bases


async def _unpacked(response: httpx.Response) -> AsyncIterator[bytes]:
    """The document in small pieces, unpacked if it was packed for the way, once and with gzip: one layer of it grows a thousandfold at most.

    Raises:
        InvalidInput: If it is packed in a way that was not asked for, or badly.
    """
    named = response.headers.get("content-encoding", "").strip().lower()
    if named not in _ENCODINGS:
        raise InvalidInput(
            f"The server sends the document packed ({named[:40]}), which was not asked for.",
            hint="Save the document and add the file itself.",
        )
    unpacker = zlib.decompressobj(_ENCODINGS[named]) if _ENCODINGS[named] else None
    async for chunk in response.aiter_raw():
        if unpacker is None:
            yield chunk
            continue
        rest = chunk
        while rest and not unpacker.eof:
            try:
                piece = unpacker.decompress(rest, _STEP_BYTES)
            except zlib.error as error:
                raise InvalidInput("The document came packed and damaged.", hint="Try again later.") from error
            rest = unpacker.unconsumed_tail
            yield piece
    if unpacker is not None and not unpacker.eof:
        raise Unavailable("The document came only in part.", hint="Try again later.")


def _file_name(url: httpx.URL, headers: httpx.Headers) -> str:
    """The name that the server gives, or the address's last part; with the ending of its media type where the name has no known one."""
    disposition = Message()
    disposition["Content-Disposition"] = headers.get("content-disposition", "")
    name = disposition.get_filename() or unquote(PurePosixPath(url.path).name) or url.host
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not media_type or media_type == mimetypes.guess_type(name)[0]:
        return name
    if media_type == "text/plain" and PurePosixPath(name).suffix:
        return name  # servers say so of Markdown and of much else that they do not know
    return name + (_EXTENSIONS.get(media_type) or mimetypes.guess_extension(media_type) or "")

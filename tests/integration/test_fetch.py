"""Documents are fetched from the public internet only, whatever a name, an address or a redirect pretends."""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import httpx
import pytest

from api.fetch import Network, fetch, is_public, resolve
from xuesi.core.errors import DocumentTooLarge, InvalidInput, Unavailable, UnsafeUrl, XuesiError

PUBLIC = "93.184.215.14"
Answer = Callable[[httpx.Request], httpx.Response]


def _page(_: httpx.Request) -> httpx.Response:
    return httpx.Response(
        200, stream=httpx.ByteStream(b"<p>text</p>"), headers={"content-type": "text/html; charset=utf-8"}
    )


def _get(
    url: str,
    answer: Answer = _page,
    *,
    names: Mapping[str, Sequence[str]] | None = None,
    limit_bytes: int = 1000,
    timeout_s: float = 5.0,
) -> tuple[str, bytes]:
    """Name and bytes of what is fetched."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        del port
        found = (names or {}).get(host, [PUBLIC])
        if not found:
            raise OSError("no such host")
        return found

    network = Network(resolve, httpx.MockTransport(answer))
    fetched = asyncio.run(fetch(url, limit_bytes=limit_bytes, timeout_s=timeout_s, network=network))
    with fetched.file as file:
        return fetched.file_name, file.read()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "::127.0.0.1", "fec0::1",
        "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "2002:a9fe:a9fe::1", "2001:db8::1", "not an address",
    ],
)  # fmt: skip
def test_address_that_is_not_public_is_refused(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(UnsafeUrl):
        _get("http://host.example/a", names={"host.example": [address]})


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_address_is_fetched(address: str) -> None:
    assert is_public(address)
    assert _get("https://host.example/a", names={"host.example": [address]})[1] == b"<p>text</p>"


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(UnsafeUrl):
        _get("http://host.example/", names={"host.example": [PUBLIC, "10.0.0.1"]})


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://host.example/a", "gopher://host.example", "//host.example/a", "host.example/a", "", "http://", "http:///a",
     "http://user:word@host.example/", "http://[::1", "javascript:alert(1)"],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(UnsafeUrl) as refused:
        _get(url)
    assert refused.value.hint


def test_connection_goes_to_the_checked_address_under_the_hosts_name() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return _page(request)

    _get("https://host.example:8443/a?b=c#d", answer)
    assert seen[0].url == f"https://{PUBLIC}:8443/a?b=c"
    assert seen[0].headers["host"] == "host.example:8443"
    assert seen[0].extensions["sni_hostname"] == "host.example"


def test_name_that_resolves_elsewhere_the_second_time_gains_nothing() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    seen: list[str] = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        del host, port
        return next(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return _page(request)

    network = Network(rebinding, httpx.MockTransport(answer))
    asyncio.run(fetch("http://host.example/", limit_bytes=1000, timeout_s=5, network=network)).file.close()
    assert seen == [PUBLIC]


@pytest.mark.parametrize(
    "target",
    ["http://inside.example/", "http://127.0.0.1/", "http://[::1]/", "file:///etc/passwd", "//inside.example/x"],
)
def test_redirect_into_the_own_network_is_refused(target: str) -> None:
    names = {"inside.example": ["10.1.2.3"], "127.0.0.1": ["127.0.0.1"], "::1": ["::1"]}
    with pytest.raises(UnsafeUrl):
        _get("http://host.example/", lambda _: httpx.Response(302, headers={"location": target}), names=names)


def test_five_redirects_are_followed_and_six_are_not() -> None:
    def after(count: int) -> Answer:
        def answer(request: httpx.Request) -> httpx.Response:
            at = int(request.url.path.strip("/") or 0)
            return _page(request) if at == count else httpx.Response(302, headers={"location": f"/{at + 1}"})

        return answer

    assert _get("http://host.example/0", after(5))[1] == b"<p>text</p>"
    with pytest.raises(UnsafeUrl, match="more than 5"):
        _get("http://host.example/0", after(6))


def test_document_over_the_limit_is_refused_while_it_comes() -> None:
    with pytest.raises(DocumentTooLarge):
        _get("http://host.example/", lambda _: httpx.Response(200, stream=httpx.ByteStream(b"x" * 1001)))


@pytest.mark.parametrize(
    "host", ["2130706433", "017700000001", "0x7f000001", "0177.0.0.1", "127.1", "0", "0x7f.1", "[::ffff:7f00:1]", "[::]", "localhost"]
)  # fmt: skip
def test_loopback_in_every_spelling_is_refused(host: str) -> None:
    network = Network(resolve, httpx.MockTransport(_page))
    with pytest.raises((UnsafeUrl, InvalidInput)):
        asyncio.run(fetch(f"http://{host}/", limit_bytes=1000, timeout_s=30, network=network))


def _packed(data: bytes, encoding: str) -> Answer:
    return lambda _: httpx.Response(200, stream=httpx.ByteStream(data), headers={"content-encoding": encoding})


def test_what_is_packed_for_the_way_is_unpacked_once() -> None:
    text = "调查研究".encode() * 100
    assert _get("http://host.example/a.txt", _packed(gzip.compress(text), "GZIP"), limit_bytes=2000)[1] == text
    with pytest.raises(Unavailable, match="part"):
        _get("http://host.example/a.txt", _packed(gzip.compress(text)[:-10], "gzip"), limit_bytes=2000)
    with pytest.raises(InvalidInput, match="damaged"):
        _get("http://host.example/a.txt", _packed(text, "gzip"), limit_bytes=2000)


def test_what_unpacks_to_more_than_any_memory_is_left_off_in_small_steps() -> None:
    bomb = gzip.compress(bytes(200_000_000), compresslevel=1)
    tracemalloc.start()
    try:
        with pytest.raises(DocumentTooLarge):
            _get("http://host.example/", _packed(bomb, "gzip"), limit_bytes=1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd", "compress"])
def test_packing_that_was_not_asked_for_is_refused(encoding: str) -> None:
    with pytest.raises(InvalidInput, match="not asked for"):
        _get("http://host.example/", _packed(b"x", encoding))


def test_bytes_that_drip_for_ever_end_with_the_time_of_all_together() -> None:
    class Drip(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0.02)
                yield b"x"

    with pytest.raises(Unavailable, match=r"0\.5 s"):
        _get("http://host.example/", lambda _: httpx.Response(200, stream=Drip()), timeout_s=0.5, limit_bytes=10**9)


def test_the_last_address_is_told_without_its_fragment() -> None:
    async def public(_host: str, _port: int) -> Sequence[str]:
        return [PUBLIC]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/old":
            return httpx.Response(301, headers={"location": "https://other.example/new?x=1#part"})
        return _page(request)

    network = Network(public, httpx.MockTransport(answer))
    fetched = asyncio.run(fetch("http://host.example/old", limit_bytes=1000, timeout_s=5, network=network))
    fetched.file.close()
    assert fetched.url == "https://other.example/new?x=1"


def test_server_that_does_not_answer_in_time_is_given_up() -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        return _page(request)

    with pytest.raises(Unavailable, match=r"0\.2 s"):
        _get("http://host.example/", never, timeout_s=0.2)  # type: ignore[arg-type] # the transport takes both


def _broken(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize(
    ("answer", "names", "error"),
    [
        (lambda _: httpx.Response(404), {}, InvalidInput),
        (lambda _: httpx.Response(302), {}, InvalidInput),
        (_page, {"host.example": []}, InvalidInput),
        (_broken, {}, Unavailable),
    ],
)
def test_failure_of_the_other_side_is_told(
    answer: Answer, names: Mapping[str, Sequence[str]], error: type[XuesiError]
) -> None:
    with pytest.raises(error, match=r"host\.example"):
        _get("http://host.example/a", answer, names=names)


@pytest.mark.parametrize(
    ("path", "headers", "name"),
    [
        ("/files/%E5%AD%A6%E4%B9%A0.pdf", {"content-type": "application/pdf"}, "学习.pdf"),
        ("/", {"content-type": "text/html"}, "host.example.html"),
        ("/show.php", {"content-type": "text/html; charset=gbk"}, "show.php.html"),
        ("/get", {"content-type": "application/pdf", "content-disposition": "attachment; filename*=UTF-8''%E5%AD%A6.pdf"}, "学.pdf"),
        ("/a.md", {"content-type": "text/plain"}, "a.md"),
        ("/a.txt", {}, "a.txt"),
    ],
)  # fmt: skip
def test_file_is_named_after_what_the_server_says(path: str, headers: dict[str, str], name: str) -> None:
    fetched = _get(
        f"http://host.example{path}", lambda _: httpx.Response(200, stream=httpx.ByteStream(b"x"), headers=headers)
    )
    assert fetched == (name, b"x")

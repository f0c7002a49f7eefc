"""Does a wording stop answering the moment it is removed, replaced or superseded? Over HTTP, with a running server, worker and the embedded model."""

import time
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.conftest import Program

_GUARD_S = 300.0
RULE = "走访记录应当在返回后{days}个工作日内交给资料室存档，逾期的由小组长书面说明原因。"
OTHER = "读书班每期五天，上午自学原著，下午分组讨论，最后一天交流体会。"
MARKER = "鸬鹚埠渔具普查底稿第四十一号"


class Site:
    """The HTTP interface of the running server."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def add(self, name: str, text: str, *, to: str = "") -> str:
        """Add a document, or a version of one, and wait until it is live; the document's id."""
        path = f"/documents/{to}/versions" if to else "/documents"
        taken = self.http.post(path, files={"file": (name, text.encode())}).json()["documents"][0]
        deadline = time.monotonic() + _GUARD_S
        while (job := self.http.get(f"/jobs/{taken['job']['id']}").json())["state"] in ("queued", "running"):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert job["state"] == "done", job
        document: str = taken["document"]["id"]
        return document

    def found(self, query: str, **filters: Any) -> list[str]:
        """The texts of all hits."""
        body = {"query": query, "limit": 100, "filters": filters}
        return [hit["passage"]["text"] for hit in self.http.post("/search", json=body).json()["hits"]]

    def quoted(self, question: str) -> str:
        """All that an answer says, cites or shows as near."""
        answer = self.http.post("/ask", json={"question": question}).json()
        assert answer["status"] in ("answered", "not_in_material"), answer
        return str(answer)


def test_what_is_removed_replaced_or_superseded_is_found_no_more_from_that_moment(program: Program) -> None:
    with program.serving() as url, httpx.Client(base_url=f"{url}/api/v1", timeout=120) as http:
        site = Site(http)
        site.add("读书班.txt", OTHER)
        old = RULE.format(days="十五")
        document = site.add("存档规定.txt", old)
        assert old in site.found(old)

        # Replaced: the old one answers until the new one is live, and then no more.
        new = RULE.format(days="二十")
        site.add("存档规定.txt", new, to=document)
        assert (old in site.found(old), new in site.found(old)) == (False, True)
        assert "十五个工作日" not in site.quoted("走访记录几个工作日内交给资料室？")

        # Superseded by another document.
        newest = RULE.format(days="三十")
        successor = site.add("存档新规定.txt", newest)
        assert {new, newest} <= set(site.found(old))
        assert site.http.patch(f"/documents/{document}", json={"superseded_by": successor}).status_code == 200
        assert (new in site.found(new), newest in site.found(new)) == (False, True)
        assert "二十个工作日" not in site.quoted("走访记录几个工作日内交给资料室？")
        assert new in site.found(new, document_id=document)  # who names it asks of it

        # Removed, and taken back.
        assert site.http.delete(f"/documents/{successor}").status_code == 204
        assert (newest in site.found(newest), new in site.found(newest)) == (False, True)
        assert "三十个工作日" not in site.quoted("走访记录几个工作日内交给资料室？")
        assert site.http.post(f"/documents/{successor}/restore").status_code == 200
        deadline = time.monotonic() + _GUARD_S
        while newest not in site.found(newest):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert new not in site.found(newest)

        # Removed for good: no byte is left in the data folder, the rest answers.
        gone = site.add(f"{MARKER}.txt", f"{MARKER}。渔具按户登记，一户一页。")
        assert _holding(program.data_dir)
        assert site.http.delete(f"/documents/{gone}", params={"now": True}).status_code == 204
        assert not [text for text in site.found(MARKER) if MARKER in text]
        deadline = time.monotonic() + _GUARD_S
        while left := _holding(program.data_dir):
            assert time.monotonic() < deadline, left
            time.sleep(0.5)
        assert OTHER in site.found(OTHER)
        assert site.http.get("/doctor", params={"deep": True}).json()["findings"] == []
    assert not _holding(program.data_dir)  # nor is it written again when the server ends


def _holding(folder: Path) -> list[str]:
    """The files in whose bytes the marker stands, as text or as JSON, names included."""
    needles = (MARKER.encode(), MARKER.encode("unicode_escape"), MARKER.encode("utf-16-le"))
    found = []
    for place in folder.rglob("*"):
        if "models" in place.parts or not place.is_file():
            continue
        try:
            data = place.read_bytes()
        except FileNotFoundError:  # an old index, going
            continue
        if MARKER in place.name or any(needle in data for needle in needles):
            found.append(str(place.relative_to(folder)))
    return found

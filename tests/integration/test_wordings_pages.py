"""What is current and what is not, in the pages: as of a day, superseded sources, versions side by side, and the trash; all without scripts."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx2
import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient

from api.app import create_app
from tests.answer_samples import a_hit, found
from tests.api_library import BASE, opened, read
from xuesi.core.domain import NO_FILTERS, Answer, Citation, DocumentId, Filters, Hit, Span, Statement, Successor
from xuesi.core.ports import SearchResult, Signature
from xuesi.services import Services

API = "/api/v1"
CHINESE, ENGLISH = ({"accept": "text/html", "accept-language": code} for code in ("zh-CN", "en"))
OLD = "第一条 借阅期限为十五天。\n第二条 每名读者一次可以借阅三册。\n第三条 资料室周末不开放。\n第四条 损坏的照价赔偿。"
NEW = "第一条 借阅期限为三十天。\n第三条 资料室周末不开放。\n第四条 损坏的照价赔偿。\n第二条 每名读者一次可以借阅三册。\n电子版不限册数。"


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with opened(tmp_path_factory.mktemp("wordings") / "var") as services:
        yield services


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    with TestClient(create_app(services), base_url=BASE, headers=CHINESE) as client:
        yield client


@pytest.fixture(scope="module")
def regulation(services: Services) -> DocumentId:
    """A document of two versions, the second one live."""
    with TestClient(create_app(services), base_url=BASE) as client:
        document = _add(client, services, "借阅办法.txt", OLD)
        answer = client.post(f"{API}/documents/{document}/versions", files={"file": ("借阅办法.txt", NEW.encode())})
        assert answer.status_code == 202
    read(services, document, text=NEW)
    return DocumentId(document)


def _add(client: TestClient, services: Services, name: str, text: str) -> str:
    answer = client.post(f"{API}/documents", files={"file": (name, text.encode())}).json()
    document: str = answer["documents"][0]["document"]["id"]
    read(services, document, text=text)
    return document


def soup(response: httpx2.Response) -> BeautifulSoup:
    assert response.status_code == 200, response.text
    page = BeautifulSoup(response.text, "html.parser")
    for template in page.select("template"):  # a browser shows nothing of it
        template.decompose()
    return page


def _states(page: BeautifulSoup) -> list[str]:
    return [state.text for state in page.select(".state")]


# Comparing -----------------------------------------------------------------------------------------------------------


def test_two_versions_stand_side_by_side_with_what_changed_marked(client: TestClient, regulation: str) -> None:
    page = soup(client.get(f"/documents/{regulation}/compare?old=1&new=2"))
    assert [it.get_text(" ", strip=True) for it in page.select(".tally li")] == ["1 句有改动", "1 句新增", "0 句删去", "1 句移动", "2 句相同"]  # fmt: skip
    (changed,) = page.select(".row-changed")
    assert [mark.text for mark in changed.select("mark")] == ["十五", "三十"]
    stood, stands = page.select(".row-moved")
    assert "已移至别处" in stood.text
    assert "从别处移来" in stands.text
    (added,) = page.select(".row-added")
    before, after = added.select("td")
    assert ("电子版不限册数" in after.text, before.text.strip()) == (True, "")
    start = NEW.index("电子版")
    assert after.select("a")[0]["href"] == f"/documents/{regulation}/versions/2?start={start}&end={len(NEW)}#mark"


def test_the_difference_travels_with_moves_and_changed_words(client: TestClient, regulation: str) -> None:
    path = f"{API}/documents/{regulation}/versions/2/diff"
    report = client.get(path, params={"against": 1}).json()
    assert report["counts"] == {"same": 2, "changed": 1, "moved": 1, "removed": 0, "added": 1}
    old, new = (it for it in report["changes"] if it["how"] == "changed")
    assert (old["op"], new["op"], old["other"], new["other"]) == ("delete", "insert", new["span"], old["span"])
    assert [OLD[a:b] for a, b in old["marks"]] == ["十五"]
    assert [NEW[a:b] for a, b in new["marks"]] == ["三十"]
    assert "".join(it["text"] for it in report["changes"] if it["op"] != "delete") == NEW.replace("\n", "")
    assert "".join(it["text"] for it in report["changes"] if it["op"] != "insert").count("每名读者") == 1
    fewer = client.get(path, params={"against": 1, "only_changes": True}).json()
    assert fewer["changes"] == [it for it in report["changes"] if it["op"] != "equal"]


def test_the_document_s_page_lets_versions_be_chosen_and_the_reader_leads_to_the_difference(
    client: TestClient, regulation: str
) -> None:
    page = soup(client.get(f"/documents/{regulation}"))
    chosen = {select["name"]: select.select("option[selected]")[0]["value"] for select in page.select("form.filters select")}  # fmt: skip
    assert chosen == {"old": "1", "new": "2"}
    old = soup(client.get(f"/documents/{regulation}/versions/1"))
    (link,) = old.select(".notice a[href*=compare]")
    assert soup(client.get(str(link["href"]))).select(".row-changed")


def test_the_same_text_differs_in_nothing_and_a_long_difference_comes_in_parts(
    client: TestClient, services: Services, regulation: str
) -> None:
    page = soup(client.get(f"/documents/{regulation}/versions/2/compare?against=2", headers=ENGLISH))
    assert "Every sentence is the same" in page.text
    long = [_add(client, services, f"{n}.txt", "".join(f"第{k}项在{n}楼。" for k in range(300))) for n in (1, 2)]
    path = f"/documents/{long[1]}/compare/{long[0]}"
    first = soup(client.get(path))
    (after,) = first.select("nav.turn")[0].select("a[rel=next]")
    assert len(first.select(".sides tbody tr")) == 200
    assert soup(client.get(str(after["href"]))).select(".sides tbody tr")
    assert client.get(f"{after['href']}0").status_code == 404


# Current or not ------------------------------------------------------------------------------------------------------


class Remembering:
    """An answerer that cites one document and remembers what it was asked of."""

    def __init__(self, citation: Citation) -> None:
        self.citation = citation
        self.filters: list[Filters] = []

    def ask(self, question: str, *, filters: Filters, **_: object) -> Iterator[Answer]:
        del question
        self.filters.append(filters)
        yield Answer("answered", "extractive", 0.9, (Statement("十五天。", (1,)),), (self.citation,), (), 1.0)


def test_an_answer_as_of_a_day_says_so_and_leads_to_what_is_current(services: Services, regulation: DocumentId) -> None:
    successor = Successor(regulation, "借阅办法", 2)
    cited = Citation(
        1, regulation, 1, "借阅办法", None, 1, Span(0, 4), "十五天。", current=False, superseded_by=successor
    )
    answerer = Remembering(cited)
    asked = {"question": "多少天？", "as_of": "2020-05-01"}
    with TestClient(create_app(replace(services, answerer=answerer)), base_url=BASE, headers=CHINESE) as client:  # type: ignore[arg-type]
        page = soup(client.post("/", data=asked))
        assert answerer.filters == [Filters(as_of=date(2020, 5, 1))]
        assert "依据2020年5月1日有效的文本" in page.select("#answer")[0].text
        assert page.select("#as_of")[0]["value"] == "2020-05-01"
        assert "已不是现行文本" in page.select("#not-current")[0].text
        (link,) = page.select(".sources .outdated a")
        assert (link["href"], link.text) == (f"/documents/{regulation}/versions/2", "现行：借阅办法")
        answerer.citation = replace(cited, current=True, superseded_by=None)
        page = soup(client.post("/", data={"question": "多少天？"}))
        assert answerer.filters[-1] == Filters()
        assert not page.select(".outdated, #not-current")
        assert client.post("/", data={"question": "多少天？", "as_of": "gestern"}).status_code == 422


class Found:
    """A searcher that finds one hit and remembers what it was asked of."""

    def __init__(self, hit: Hit) -> None:
        self.hit = hit
        self.filters: list[Filters] = []

    def search(
        self,
        query: str,
        *,
        limit: int = 10,
        filters: Filters = NO_FILTERS,
        strict: bool = True,
        without: Collection[str] = (),
    ) -> SearchResult:
        del query, limit, strict, without
        self.filters.append(filters)
        return found(self.hit)


def test_a_search_as_of_a_day_names_what_is_current_beside_each_hit(services: Services, regulation: DocumentId) -> None:
    old = replace(a_hit("借阅期限为十五天。"), current=False, superseded_by=Successor(regulation, "借阅办法", 2))
    searcher = Found(old)
    with TestClient(create_app(replace(services, searcher=searcher)), base_url=BASE, headers=ENGLISH) as client:
        page = soup(client.post("/search", data={"query": "期限", "as_of": "2020-01-01"}))
        assert searcher.filters == [Filters(as_of=date(2020, 1, 1))]
        assert "in force on 1 Jan 2020" in page.text
        (link,) = page.select(".hits > li .outdated a")
        assert (link["href"], link.text) == (f"/documents/{regulation}/versions/2", "Now: 借阅办法")
        searcher.hit = a_hit("借阅期限为三十天。")
        page = soup(client.post("/search", data={"query": "期限"}))
        assert searcher.filters[-1] == Filters()
        assert not page.select(".outdated")


def test_where_a_version_stands_is_told_to_whoever_shows_it(
    client: TestClient, services: Services, regulation: DocumentId
) -> None:
    path = f"{API}/documents/{regulation}/versions"
    assert client.get(f"{path}/2/standing").json() == {"current": True, "superseded_by": None}
    told = client.get(f"{path}/1/standing").json()
    assert (told["current"], told["superseded_by"]["url"]) == (False, f"/documents/{regulation}/versions/2")
    newer = _add(client, services, "新办法.txt", "新办法的文字。")
    services.catalogue.update_document(regulation, {"superseded_by": DocumentId(newer)})
    for number in (1, 2):
        assert client.get(f"{path}/{number}/standing").json()["superseded_by"]["document_id"] == newer
    document = client.get(f"{API}/documents/{regulation}").json()
    assert (document["superseded_by"], document["successor"]["title"]) == (newer, "新办法")
    row = soup(client.get(f"/library/rows/{regulation}"))
    assert row.select(".reason a")[0]["href"] == f"/documents/{newer}"
    assert _states(row) == ["已被取代"]
    shown = soup(client.get(f"/documents/{regulation}"))
    assert shown.select(f".notice a[href='/documents/{newer}']")
    assert _states(shown) == ["已被取代", "已被取代", "已被接替"]  # of the document, and of its versions
    in_english = client.get(f"/library/rows/{regulation}", headers=ENGLISH)
    assert _states(soup(in_english)) == ["Superseded"]
    services.remove(DocumentId(newer))  # its successor gone, it answers again and is not called superseded
    assert client.get(f"{API}/documents/{regulation}").json()["successor"] is None
    row = soup(client.get(f"/library/rows/{regulation}"))
    assert not row.select(".reason")
    assert _states(row) == ["可提问"]
    services.catalogue.update_document(regulation, {"superseded_by": None})


def test_a_document_is_put_in_the_place_of_another_from_its_page(client: TestClient, services: Services) -> None:
    old, new = (_add(client, services, f"食堂{name}.txt", f"食堂{name}的文字在此。") for name in ("旧规", "新规"))
    page = soup(client.get(f"/documents/{old}", params={"successor": "食堂"}))
    (form,) = page.select("form.picks")
    (choice,) = form.select("button")  # itself is not offered
    assert (choice["value"], choice["aria-label"]) == (new, "由《食堂新规》取代")
    done = soup(client.post(str(form["action"]), data={"successor": str(choice["value"])}))
    assert services.catalogue.document(DocumentId(old)).superseded_by == new
    assert done.select(f".notice a[href='/documents/{new}']")
    assert not soup(client.get(f"/documents/{new}", params={"successor": "食堂旧规"})).select(".picks")  # no circle
    undo = next(it for it in done.select("#supersede form[method=post]") if not it.select("[name]"))
    client.post(str(undo["action"]))
    assert services.catalogue.document(DocumentId(old)).superseded_by is None
    nothing = soup(client.get(f"/documents/{old}", params={"successor": "没有这样的"}))
    assert "没有符合条件的文件" in nothing.select("#supersede[open]")[0].text
    foreign = client.post(
        f"/documents/{old}/supersede", data={"successor": new}, headers={"sec-fetch-site": "cross-site"}
    )
    assert foreign.status_code == 403


def test_superseding_leaves_nothing_to_settle(client: TestClient, services: Services) -> None:
    old, new = (DocumentId(_add(client, services, f"相近{n}.txt", f"相近的文字，第{n}份。")) for n in (1, 2))
    for mark, it in (("a", old), ("b", new)):
        version = services.catalogue.row(it).newest
        services.catalogue.save_findings(version.id, text=Signature(mark * 64, bytes(512)), suggestions=())
    assert soup(client.get(f"/documents/{old}")).select("form[action$=settle]")
    services.catalogue.update_document(old, {"superseded_by": new})
    for it in (old, new):
        assert not soup(client.get(f"/documents/{it}")).select("form[action$=settle]")
    assert client.get(f"{API}/near-duplicates").json() == {"items": [], "next": None}


# The trash -----------------------------------------------------------------------------------------------------------


def test_what_was_removed_is_listed_restored_and_purged(client: TestClient, services: Services) -> None:
    kept, gone = (_add(client, services, f"{name}.txt", f"{name}的文字在此。") for name in ("要回来的", "不要的"))
    before = len(soup(client.get("/trash")).select(".trash tbody tr"))
    for document in (kept, gone):
        answer = client.post(f"/library/{document}/remove")
        assert "/trash" in answer.text  # the notice leads there
    page = soup(client.get("/trash"))
    rows = page.select(".trash tbody tr")
    assert len(rows) == before + 2
    assert "不要的" in rows[0].text  # removed last
    assert "还有 7 天" in rows[0].text
    assert "无法找回" in rows[0].select(".purge")[0].text
    back = client.post(str(rows[1].select("form")[0]["action"]))
    assert "已恢复" in back.text
    assert services.catalogue.document(DocumentId(kept)).deleted_at is None
    done = client.post(str(rows[0].select(".purge form")[0]["action"]))
    assert "不要的" not in soup(done).select("main")[0].text
    assert client.post(f"/trash/{gone}/restore").status_code == 404


def test_only_what_was_removed_can_be_purged_there(client: TestClient, services: Services, regulation: str) -> None:
    assert client.post(f"/trash/{regulation}/purge").status_code == 404
    assert services.catalogue.document(DocumentId(regulation)).deleted_at is None


def test_the_trash_is_shown_to_the_administrator_only(tmp_path: Path) -> None:
    with (
        opened(tmp_path / "var", admin_token="secret") as services,
        TestClient(create_app(services), base_url=BASE, headers=ENGLISH) as client,
    ):
        bearer = {"Authorization": "Bearer secret"}
        answer = client.post(f"{API}/documents", files={"file": ("秘密的题目.txt", "文字。".encode())}, headers=bearer)
        document = answer.json()["documents"][0]["document"]["id"]
        client.post(f"/library/{document}/remove", headers=bearer)
        page = client.get("/trash")
        assert "秘密的题目" not in page.text
        assert "shown to the administrator" in page.text
        assert "秘密的题目" in client.get("/trash", headers=bearer).text
        assert client.post(f"/trash/{document}/purge").status_code == 401

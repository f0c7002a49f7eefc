"""Same and nearly same texts, and what files say of themselves: through the real intake, worker, catalogue and HTTP interface."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient

from api.app import create_app
from ingest.intake import Accepted
from ingest.metadata import Metadata
from ingest.signature import signature
from tests.api_library import BASE, opened, work
from xuesi.core.domain import DocumentId
from xuesi.core.errors import DuplicateDocument
from xuesi.services import Services

API = "/api/v1"
RULE = "某市调查研究条例\n\n（2019年8月2日某市人民代表大会常务委员会第九次会议通过）\n\n" + "\n\n".join(
    f"第{n}条 调查研究应当做到第{n}项要求，先学习文件，再走访基层，然后形成{n}条举措。" for n in range(1, 40)
)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with opened(tmp_path / "var") as services:
        yield services


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    with TestClient(create_app(services), base_url=BASE) as client:
        yield client


def add(client: TestClient, services: Services, text: str, name: str, encoding: str = "utf-8") -> dict[str, Any]:
    """Add the text, work, and give the document as it then is."""
    taken = client.post(f"{API}/documents", files={"file": (name, text.encode(encoding))}).json()["documents"][0]
    work(services)
    found: dict[str, Any] = client.get(f"{API}/documents/{taken['document']['id']}").json()
    return found


def test_the_same_text_in_other_bytes_is_told_and_never_live(client: TestClient, services: Services) -> None:
    first = add(client, services, RULE, "条例.txt")
    again = add(client, services, RULE.replace("\n\n", "\r\n \r\n"), "条例（副本）.txt", encoding="gb18030")
    assert (first["state"], again["state"]) == ("live", "failed")
    assert again["job"]["error"]["code"] == "duplicate-document"
    assert first["title"] in again["job"]["error"]["detail"]
    assert again["job"]["error"]["document_id"] == first["id"]
    for place in ("/library", f"/documents/{again['id']}"):
        page = BeautifulSoup(client.get(place).text, "lxml")
        assert page.select_one(f'.bad a[href="/documents/{first["id"]}"], .reason a[href="/documents/{first["id"]}"]')
        assert not page.select("form[action^='/library/retry/']")
    assert page.select_one("#remove[open] form")
    hits = client.post(f"{API}/search", json={"query": "走访基层"}).json()["hits"]
    assert {hit["passage"]["document_id"] for hit in hits} == {first["id"]}
    assert services.doctor() == []


def test_what_was_removed_or_failed_is_no_duplicate(client: TestClient, services: Services) -> None:
    first = add(client, services, RULE, "条例.txt")
    failed = add(client, services, RULE + "\n", "条例二.txt")
    client.delete(f"{API}/documents/{first['id']}")
    form = BeautifulSoup(client.get("/library").text, "lxml").select_one("form[action^='/library/retry/']")
    assert form
    client.post(str(form["action"]))
    work(services)
    assert client.get(f"{API}/documents/{failed['id']}").json()["state"] == "live"


def test_a_new_version_may_have_the_text_of_the_old_one(client: TestClient, services: Services) -> None:
    first = add(client, services, RULE, "条例.txt")
    client.post(f"{API}/documents/{first['id']}/versions", files={"file": ("条例.txt", (RULE + "\n").encode())})
    work(services)
    assert client.get(f"{API}/documents/{first['id']}").json()["version"] == 2


def near(client: TestClient, services: Services) -> tuple[dict[str, Any], dict[str, Any]]:
    first = add(client, services, RULE, "条例.txt")
    second = add(
        client, services, RULE.replace("第9项要求", "第九项新的要求").replace("2019年", "2023年"), "条例2023.txt"
    )
    return first, second


def test_nearly_the_same_is_offered_with_its_difference(client: TestClient, services: Services) -> None:
    first, second = near(client, services)
    assert second["state"] == "live"
    (pair,) = client.get(f"{API}/near-duplicates").json()["items"]
    assert (pair["document"]["document_id"], pair["other"]["document_id"]) == (second["id"], first["id"])
    assert 0.6 <= pair["similarity"] < 1
    changed = [c for c in client.get(pair["diff"]).json()["changes"] if c["op"] != "equal"]
    assert any("第九项新的要求" in change["text"] for change in changed)
    page = client.get(f"/documents/{second['id']}")
    assert first["title"] in page.text
    side_by_side = client.get(f"/documents/{second['id']}/compare/{first['id']}").text
    assert "第九项新的要求" in re.sub("<[^>]+>", "", side_by_side)  # the words that changed are marked


def test_kept_apart_it_is_not_offered_again(client: TestClient, services: Services) -> None:
    first, second = near(client, services)
    asked = {"document_id": second["id"], "other_id": first["id"], "as": "apart"}
    assert client.post(f"{API}/near-duplicates/settle", json=asked).status_code == 204
    assert client.get(f"{API}/near-duplicates").json()["items"] == []
    assert client.post(f"{API}/near-duplicates/settle", json=asked).json()["code"] == "near-duplicate-not-found"


def test_made_a_version_it_answers_in_place_of_the_old_wording(client: TestClient, services: Services) -> None:
    first, second = near(client, services)
    asked = {"document_id": second["id"], "other_id": first["id"], "as": "new_version"}
    assert client.post(f"{API}/near-duplicates/settle", json=asked).status_code == 204
    assert client.get(f"{API}/documents/{second['id']}").status_code == 404
    work(services)
    versions = client.get(f"{API}/documents/{first['id']}/versions").json()["items"]
    assert [(v["version"], v["state"]) for v in versions] == [(2, "live"), (1, "retired")]
    hits = client.post(f"{API}/search", json={"query": "第九项新的要求"}).json()["hits"]
    assert {(hit["passage"]["document_id"], hit["passage"]["version"]) for hit in hits} == {(first["id"], 2)}
    original = client.get(f"{API}/documents/{first['id']}/versions/2/original").content.decode()
    assert "第九项新的要求" in original
    assert services.doctor() == []


def test_suggestions_are_shown_with_their_place_and_taken_over_when_told(
    client: TestClient, services: Services
) -> None:
    document = add(client, services, RULE, "a.txt")
    found = client.get(f"{API}/documents/{document['id']}/suggestions").json()["items"]
    of = {one["field"]: one for one in found}
    assert (of["issuer"]["value"], of["issuer"]["source"]) == ("某市人民代表大会常务委员会", "first_page")
    assert document["issuer"] == ""
    asked = {"ids": [document["id"], "nobody"], "fields": ["issuer", "published_on", "kind"]}
    mine, missing = client.post(f"{API}/documents/accept", json=asked).json()["documents"]
    assert mine["document"]["issuer"] == "某市人民代表大会常务委员会"
    assert (mine["document"]["published_on"], mine["document"]["kind"]) == ("2019-08-02", "regulation")
    assert missing["problem"]["code"] == "document-not-found"


def test_on_the_page_what_is_ticked_is_taken_over(client: TestClient, services: Services) -> None:
    document = add(client, services, RULE, "a.txt")
    assert "某市人民代表大会常务委员会" in client.get(f"/documents/{document['id']}").text
    ticked = {"chosen": ["issuer=某市人民代表大会常务委员会"]}
    answer = client.post(f"/documents/{document['id']}/accept", data=ticked, headers={"Origin": BASE})
    assert answer.status_code == 200
    after = client.get(f"{API}/documents/{document['id']}").json()
    assert (after["issuer"], after["published_on"]) == ("某市人民代表大会常务委员会", None)


def test_many_documents_are_changed_at_once(client: TestClient, services: Services) -> None:
    ids = [add(client, services, f"# 第{n}讲\n\n{'内容' * n}各不相同。", f"{n}.md")["id"] for n in range(3)]
    changes = {"topics": ["调研"], "document_number": "〔2023〕15号", "published_on": "2023-04-21"}
    answer = client.patch(f"{API}/documents", json={"ids": ids, "changes": changes}).json()["documents"]
    assert all(one["document"]["topics"] == ["调研"] for one in answer)
    assert {one["document"]["document_number"] for one in answer} == {"〔2023〕15号"}


def test_the_topic_list_is_kept_and_compared_with(client: TestClient, services: Services) -> None:
    topics = {"items": [{"name": "调研", "description": "到基层去"}, {"name": "读书班"}]}
    assert client.put(f"{API}/topics", json=topics).status_code == 200
    assert [topic["name"] for topic in client.get(f"{API}/topics").json()["items"]] == ["读书班", "调研"]
    twice = {"items": [{"name": "调研"}, {"name": " 调研"}]}
    assert client.put(f"{API}/topics", json=twice).status_code == 422


def test_the_topic_list_is_kept_on_a_page(client: TestClient) -> None:
    page = client.post("/topics", data={"topics": "调研：到基层去\r\n\r\n 读书班 : 集中学习: 研讨\r\n党课"})
    assert (page.status_code, "已保存" in page.text) == (200, True)
    kept = client.get(f"{API}/topics").json()["items"]
    assert {it["name"]: it["description"] for it in kept} == {
        "调研": "到基层去",
        "读书班": "集中学习: 研讨",
        "党课": "",
    }
    shown = BeautifulSoup(client.get("/topics").text, "lxml").select_one("textarea")
    assert shown
    assert sorted(shown.text.split("\n")) == sorted(["调研：到基层去", "读书班：集中学习: 研讨", "党课"])
    for wrong in ("调研\n调研：又一次", "：没有名称", "长" * 101):
        refused = client.post("/topics", data={"topics": wrong})
        assert refused.status_code == 422
        assert BeautifulSoup(refused.text, "lxml").select_one("textarea").text == wrong  # type: ignore[union-attr]
    assert client.get(f"{API}/topics").json()["items"] == kept


def test_saving_the_page_as_it_is_changes_no_topic(client: TestClient) -> None:
    topics = [
        {"name": "学习：读书班", "description": "集中学习：研讨"},
        {"name": "学习", "description": ""},
        {"name": "a:b", "description": "x y"},
    ]
    client.put(f"{API}/topics", json={"items": topics})
    before = client.get(f"{API}/topics").json()
    shown = BeautifulSoup(client.get("/topics").text, "lxml").select_one("textarea")
    assert shown
    client.post("/topics", data={"topics": shown.text})
    assert client.get(f"{API}/topics").json() == before


def test_no_topic_leaves_the_list_unless_that_was_seen(client: TestClient) -> None:
    client.put(f"{API}/topics", json={"items": [{"name": "调研"}, {"name": "读书班"}, {"name": "党课"}]})

    def names() -> set[str]:
        return {it["name"] for it in client.get(f"{API}/topics").json()["items"]}

    asked = client.post("/topics", data={"topics": "调研：到基层去"})
    assert asked.status_code == 409
    assert names() == {"调研", "读书班", "党课"}
    form = BeautifulSoup(asked.text, "lxml").select_one("form.lines")
    assert form
    assert form.select_one("textarea").text == "调研：到基层去"  # type: ignore[union-attr]
    gone = [str(field["value"]) for field in form.select("[name=gone]")]
    assert sorted(gone) == ["党课", "读书班"]
    client.put(f"{API}/topics", json={"items": [{"name": name} for name in (*names(), "又一个")]})
    assert client.post("/topics", data={"topics": "调研", "gone": gone}).status_code == 409  # the new one was not seen
    assert "又一个" in names()
    saved = client.post("/topics", data={"topics": "调研\n又一个", "gone": gone})
    assert (saved.status_code, names()) == (200, {"调研", "又一个"})


def test_the_same_text_found_by_two_workers_is_live_once(services: Services) -> None:
    one, two = (
        services.intake.take(io.BytesIO((RULE + end).encode()), file_name="a.txt", metadata=Metadata())
        for end in ("", "\n")
    )
    assert isinstance(one, Accepted)
    assert isinstance(two, Accepted)
    text = signature(RULE)
    services.catalogue.save_findings(one.version.id, text=text, suggestions=())
    with pytest.raises(DuplicateDocument, match="same text"):
        services.catalogue.save_findings(two.version.id, text=text, suggestions=())
    assert services.catalogue.near_duplicates(DocumentId(one.document.id)) == []


def test_how_each_page_was_read_is_shown(client: TestClient, services: Services) -> None:
    document = add(client, services, RULE, "a.txt")
    (page,) = client.get(f"{API}/documents/{document['id']}/versions/1/quality").json()["pages"]
    assert (page["number"], page["how"], page["language"], page["unreadable"]) == (1, "text", "zh", 0.0)
    assert page["chars"] > 1000
    assert "文字 1 页" in client.get(f"/documents/{document['id']}", headers={"Accept-Language": "zh-CN"}).text


def test_the_dictionary_counts_from_the_next_question_on(client: TestClient, services: Services) -> None:
    add(client, services, "# 一讲\n\n说起枫桥经验，大家都熟悉。", "a.md")

    def phrases() -> list[dict[str, object]]:
        found = client.post(f"{API}/search", json={"query": "枫桥经验有哪些"}).json()
        asked = client.post(f"{API}/ask", json={"question": "枫桥经验有哪些"}).json()
        assert found["phrases"] == asked["phrases"]
        return list(found["phrases"])

    assert phrases() == []
    assert client.put(f"{API}/dictionary", json={"items": [{"text": " 枫桥经验 "}]}).status_code == 200
    assert phrases() == [{"text": "枫桥经验", "source": "dictionary", "found": True}]


@pytest.mark.parametrize("text", ["党", "长" * 65, "……", " 党 ", ""])
def test_what_is_no_entry_of_the_dictionary_is_refused(client: TestClient, text: str) -> None:
    before = client.get(f"{API}/dictionary").json()
    assert client.put(f"{API}/dictionary", json={"items": [{"text": text}]}).status_code == 422
    assert client.get(f"{API}/dictionary").json() == before


def test_the_dictionary_is_kept_on_a_page(client: TestClient, services: Services) -> None:
    client.put(f"{API}/dictionary", json={"items": []})
    page = client.post("/dictionary", data={"entries": "枫桥经验\r\n\r\n 主题教育领导小组 \r\n枫桥经验"})
    assert (page.status_code, "已保存" in page.text) == (200, True)
    assert services.dictionary.entries() == ["主题教育领导小组", "枫桥经验"]
    shown = BeautifulSoup(client.get("/dictionary").text, "lxml").select_one("textarea")
    assert shown
    assert shown.text == "主题教育领导小组\n枫桥经验"
    refused = client.post("/dictionary", data={"entries": "枫桥经验\n党"})
    assert refused.status_code == 422
    assert BeautifulSoup(refused.text, "lxml").select_one("textarea").text == "枫桥经验\n党"  # type: ignore[union-attr]
    asked = client.post("/dictionary", data={"entries": "四下基层"})
    assert asked.status_code == 409
    gone = str(BeautifulSoup(asked.text, "lxml").select_one("[name=gone]")["value"])  # type: ignore[index]
    services.dictionary.replace([*services.dictionary.entries(), "又一条"])
    assert client.post("/dictionary", data={"entries": "四下基层", "gone": gone}).status_code == 409
    assert len(services.dictionary.entries()) == 3
    client.post("/dictionary", data={"entries": "四下基层\n又一条", "gone": gone.replace("\n", "\r\n")})
    assert services.dictionary.entries() == ["又一条", "四下基层"]


def test_a_quoted_wording_that_stands_nowhere_is_told_on_both_pages(client: TestClient, services: Services) -> None:
    add(client, services, "# 二讲\n\n读书班采取集中学习的办法，每月两次。", "b.md")
    for path, field in (("/search", "query"), ("/", "question")):
        page = client.post(path, data={field: "“每月三次”集中学习"})
        assert "“每月三次”" in BeautifulSoup(page.text, "lxml").select_one(".missing").text  # type: ignore[union-attr]
        page = client.post(path, data={field: "“每月两次”集中学习"})
        assert not BeautifulSoup(page.text, "lxml").select(".missing")

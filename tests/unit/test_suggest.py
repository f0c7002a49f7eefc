"""What does a file say of itself? Rules on texts such as official documents begin and end with."""

from datetime import date

import pytest

from ingest.dates import dates, day
from ingest.suggest import suggest
from xuesi.core.domain import Block, BlockKind, Page, Span
from xuesi.core.ports import Reading


def reading(*lines: str, **properties: str) -> Reading:
    """A reading whose first line is its title."""
    text, blocks = "", []
    for number, line in enumerate(lines):
        kind = BlockKind.HEADING if number == 0 else BlockKind.PARAGRAPH
        blocks.append(Block(kind, Span(len(text), len(text) + len(line)), level=1 if number == 0 else 0))
        text += line + "\n"
    return Reading(text, (Page(1, Span(0, len(text)), "1"),), tuple(blocks), properties=properties)


def surest(found: Reading) -> dict[str, str]:
    values: dict[str, str] = {}
    for one in suggest(found):
        values.setdefault(one.field, one.value)
    return values


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2023年4月21日", date(2023, 4, 21)),
        ("2023 年 4 月 21 日", date(2023, 4, 21)),
        ("二〇二三年四月二十一日", date(2023, 4, 21)),
        ("二○二三年十二月十日", date(2023, 12, 10)),
        ("2023-06-16 08:30", date(2023, 6, 16)),
        ("2023.6.16", date(2023, 6, 16)),
        ("June 16, 2023", date(2023, 6, 16)),
        ("16 June 2023", date(2023, 6, 16)),
        ("2023年13月1日", None),
        ("第12-3-4号", None),
    ],
)
def test_days_are_read_as_they_are_written(written: str, expected: date | None) -> None:
    assert day(written) == expected


def test_each_day_of_a_line_has_its_own_clause() -> None:
    line = "（1998年5月1日某会第一次会议通过　根据2016年7月2日某会第二次会议决定修正）"
    assert [(found.day.year, "通过" in found.clause) for found in dates(line)] == [(1998, True), (2016, False)]


def test_a_rule_of_the_last_revision_gives_its_day_and_who_passed_it() -> None:
    found = reading(
        "某市调查研究条例",
        "（2001年3月1日某市人民代表大会常务委员会第三次会议通过　2019年8月2日某市人民代表大会常务委员会第九次会议修订）",
        "第一条 为了做好调查研究，制定本条例。",
        "第二条 本条例自2019年10月1日起施行。",
    )
    assert surest(found) == {
        "title": "某市调查研究条例",
        "kind": "regulation",
        "published_on": "2019-08-02",
        "effective_on": "2019-10-01",
        "issuer": "某市人民代表大会常务委员会",
    }


def test_the_day_of_an_earlier_wording_is_not_that_of_this_one() -> None:
    found = reading(
        "某市调查研究条例",
        "（2019年8月2日某市人民代表大会常务委员会第九次会议修订）",
        "第一条 为了做好调查研究，制定本条例。",
        "第二条 本条例自2001年5月1日起施行。",
    )
    assert "effective_on" not in surest(found)


def test_a_notice_has_a_number_a_signature_and_a_day() -> None:
    found = reading(
        "关于开展读书班的通知",
        "某检发[2023] 15 号",
        "各部门：",
        "现将有关事项通知如下。",
        "某市人民检察院办公室",
        "二〇二三年四月二十一日",
    )
    assert surest(found) == {
        "title": "关于开展读书班的通知",
        "kind": "regulation",
        "document_number": "某检发〔2023〕15号",
        "published_on": "2023-04-21",
        "issuer": "某市人民检察院办公室",
    }


def test_the_number_of_another_document_is_not_this_ones() -> None:
    found = reading("工作方案", "根据《关于印发方案的通知》（某发〔2022〕3号），制定本方案。")
    assert "document_number" not in surest(found)


def test_a_page_of_the_web_names_its_source_and_day() -> None:
    found = reading("把调研成果变成实招", "来源：某某报", "发布时间：2023-06-16 09:12", "检察官走进村里听意见。")
    assert surest(found)["issuer"] == "某某报"
    assert surest(found)["published_on"] == "2023-06-16"


def test_the_file_s_own_date_comes_last() -> None:
    assert surest(reading("提纲", "读书班提纲。", created="2022-11-28"))["published_on"] == "2022-11-28"
    assert surest(reading("提纲", "（2022年10月16日）", created="2022-11-28"))["published_on"] == "2022-10-16"


def test_a_text_that_says_nothing_of_itself_gets_no_suggestion() -> None:
    assert suggest(reading("一、开头", "只是一段话。")) == ()

"""Which documents does a question name?"""

from datetime import UTC, datetime

import pytest

from index.names import named, names_in
from xuesi.core.domain import Document, DocumentId, Kind


def a_document(title: str, number: str = "") -> Document:
    return Document(DocumentId(title), title, Kind.OTHER, datetime.now(UTC), document_number=number)


def found(question: str, *titles: str, number: str = "") -> list[tuple[str, str, bool]]:
    documents = [a_document(title, number) for title in titles]
    return [(it.text, it.title, it.exactly) for it in named(names_in(question), documents)]


RULES = "业务考核评价工作规则（示例）"
REPORT = "打通“数据孤岛”：信息化建设中共享与应用问题的调研报告"


@pytest.mark.parametrize(
    ("question", "title", "text", "exactly"),
    [
        (f"《{RULES}》怎么规定复核？", RULES, f"《{RULES}》", True),
        ("《业务考核评价工作规则》怎么规定复核？", RULES, "《业务考核评价工作规则》", True),
        ("《業務考核評價工作規則》怎麼規定？", RULES, "《業務考核評價工作規則》", True),
        ("《考核评价工作规则》怎么规定？", "业务考核评价工作规则", "《考核评价工作规则》", True),
        ("业务考核评价工作规则(示例)怎么规定？", RULES, "业务考核评价工作规则(示例", False),
        ("业务考核评价工作规则里多少日内可以复核？", RULES, "业务考核评价工作规则", False),
        ("“打通数据孤岛”说了什么？", REPORT, "“打通数据孤岛”", True),
        ("《密码法》规定了什么？", "密码法", "《密码法》", True),
        ("What does “Case handling guide” say?", "Case Handling Guide", "“Case handling guide”", True),
        ("what does the case handling guide say?", "Case Handling Guide", "case handling guide", False),
    ],
)
def test_a_document_is_named_by_its_title(question: str, title: str, text: str, exactly: bool) -> None:
    assert found(question, title) == [(text, title, exactly)]


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("密码法规定了什么？", "密码法"),
        ("《意见》规定了什么？", "关于开展主题教育的意见"),
        ("主题教育怎么开展？", "主题教育"),
        ("考核评价工作怎么做？", RULES),
        ("“指挥棒”是什么？", "用好“指挥棒”"),
        ("“三湘检察故事”是什么？", "讲好三湘检察故事：用身边的案例讲党课"),
        ("theme education in Hunan", "Theme education"),
        ("？", "？"),
    ],
)
def test_words_that_are_not_a_whole_title_name_nothing(question: str, title: str) -> None:
    assert found(question, title) == []


def test_a_document_is_named_by_its_number_however_it_is_written() -> None:
    for written in ("国办发〔2023〕15号", "国办发[2023]15号", "〔二〇二三〕十五号"):
        assert found(f"{written}说了什么？", "通知", number="国办发〔2023〕15号") == [("〔2023〕15号", "通知", True)]
    assert found("国办发〔2023〕16号说了什么？", "通知", number="国办发〔2023〕15号") == []


def test_of_a_name_within_a_name_the_longer_is_meant() -> None:
    names = found("湖南省主题教育实施方案怎么定的？", "主题教育实施方案", "湖南省主题教育实施方案")
    assert [title for _, title, _ in names] == ["湖南省主题教育实施方案"]


def test_all_documents_of_one_title_are_named_and_exact_names_come_first() -> None:
    names = found("读书班工作简报和《调研工作简报》", "读书班工作简报", "调研工作简报", "读书班工作简报")
    assert [title for _, title, _ in names] == ["调研工作简报", "读书班工作简报", "读书班工作简报"]


def test_what_a_title_must_hold_is_the_longest_run_of_what_is_quoted() -> None:
    assert names_in("《打通“孤岛”：調研報告》").probes >= {"調研報告", "调研报告"}
    assert len(names_in("《某某办法》" * 100).quoted) <= 8

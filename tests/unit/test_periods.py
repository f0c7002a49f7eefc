"""Which days does a question name?"""

from datetime import date

import pytest

from xuesi.core.periods import periods

TODAY = date(2026, 3, 15)


def named(text: str) -> list[tuple[str, str, str]]:
    return [
        (found.period.text, str(found.period.first or ""), str(found.period.last or ""))
        for found in periods(text, today=TODAY)
    ]


@pytest.mark.parametrize(
    ("text", "words", "first", "last"),
    [
        ("2023年的主题教育", "2023年", "2023-01-01", "2023-12-31"),
        ("２０２３年5月发了什么", "２０２３年5月", "2023-05-01", "2023-05-31"),
        ("二〇二三年五月三日的会", "二〇二三年五月三日", "2023-05-03", "2023-05-03"),
        ("2023年度计划", "2023年度", "2023-01-01", "2023-12-31"),
        ("2024年2月", "2024年2月", "2024-02-01", "2024-02-29"),
        ("2023年以来的变化", "2023年以来", "2023-01-01", ""),
        ("2023年5月起施行", "2023年5月起", "2023-05-01", ""),
        ("2023年之前", "2023年之前", "", "2022-12-31"),
        ("截至2023年", "截至2023年", "", "2023-12-31"),
        ("2023年前后", "2023年", "2023-01-01", "2023-12-31"),
        ("2021年至2023年", "2021年至2023年", "2021-01-01", "2023-12-31"),
        ("2021-2023年", "2021-2023年", "2021-01-01", "2023-12-31"),
        ("2023年下半年", "2023年下半年", "2023-07-01", "2023-12-31"),
        ("2023年第二季度", "2023年第二季度", "2023-04-01", "2023-06-30"),
        ("去年的报告", "去年", "2025-01-01", "2025-12-31"),
        ("今年上半年", "今年上半年", "2026-01-01", "2026-06-30"),
        ("前年5月", "前年5月", "2024-05-01", "2024-05-31"),
        ("上个月", "上个月", "2026-02-01", "2026-02-28"),
        ("2023-05-01 的通知", "2023-05-01", "2023-05-01", "2023-05-01"),
        ("2023.5.1的通知", "2023.5.1", "2023-05-01", "2023-05-01"),
        ("政府工作报告 2018", "2018", "2018-01-01", "2018-12-31"),
        ("What was done in 2024?", "2024", "2024-01-01", "2024-12-31"),
        ("since 2023", "since 2023", "2023-01-01", ""),
        ("before May 2023", "before May 2023", "", "2023-04-30"),
        ("by 2025", "by 2025", "", "2025-12-31"),
        ("on 3 May 2023", "3 May 2023", "2023-05-03", "2023-05-03"),
        ("on May 3rd, 2023", "May 3rd, 2023", "2023-05-03", "2023-05-03"),
        ("in Sept. 2023", "Sept. 2023", "2023-09-01", "2023-09-30"),
        ("from 2021 to 2023", "from 2021 to 2023", "2021-01-01", "2023-12-31"),
        ("last year's work", "last year", "2025-01-01", "2025-12-31"),
        ("last month", "last month", "2026-02-01", "2026-02-28"),
    ],
)
def test_a_period_is_found_in_the_words_that_name_it(text: str, words: str, first: str, last: str) -> None:
    assert named(text) == [(words, first, last)]


@pytest.mark.parametrize(
    "text",
    [
        "2023年13月", "2023年2月30日", "12023年", "1990年代", "如今年轻人怎么学", "过去年代", "以前年度", "〔2023〕15号", "2000 people",
        "of 2000 people", "2023%", "1,2023", "2023-2021年", "三五年", "3456年", "今后", "明年", "",
    ],
)  # fmt: skip
def test_what_names_no_day_of_a_document_is_no_period(text: str) -> None:
    assert named(text) == []


def test_several_periods_stand_in_the_order_of_the_question() -> None:
    assert [words for words, _, _ in named("2019年和2023年有什么不同，去年呢？")] == ["2019年", "2023年", "去年"]


def test_a_period_tells_where_its_words_stand() -> None:
    text = "湖南２０２３年5月做了什么？"
    (found,) = periods(text, today=TODAY)
    assert found.span.of(text) == found.period.text == "２０２３年5月"


def test_the_first_of_january_and_of_march_have_a_last_month() -> None:
    assert [
        str(found.period.last) for day in (date(2026, 1, 1), date(2024, 3, 1)) for found in periods("上个月", today=day)
    ] == ["2025-12-31", "2024-02-29"]


@pytest.mark.parametrize(
    "text", ["2023年" * 3000, "2021-" * 4000, "一二三四" * 3000, "in " * 5000 + "2023", "May 3 " * 3000]
)
def test_a_hostile_question_takes_no_time(text: str) -> None:
    assert len(named(text)) <= 8

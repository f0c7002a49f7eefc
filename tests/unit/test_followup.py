"""Is a question that only goes on completed from the conversation, and one that stands by itself left alone?"""

import pytest

from answer.followup.complete import completed
from answer.followup.lists import items
from xuesi.core.domain import Turn

PLAN = "湖南省人民检察院主题教育有哪几项主要安排？"
TOLD = "主要安排有三项：一是举办主题教育读书班；二是深入基层开展调研；三是推动检察工作现代化。"
VISIT = "Which places did the reading class in Hunan visit in 2023?"


def after(question: str, follow_up: str, answer: str = "") -> str | None:
    turns = [Turn("user", question), Turn("assistant", answer)]
    return completed(follow_up, turns, most_chars=2000)


@pytest.mark.parametrize(
    ("before", "question", "whole"),
    [
        (PLAN, "那第二点呢？", "湖南省人民检察院主题教育的第二项主要安排“深入基层开展调研”是什么？"),
        (PLAN, "第三条是什么", "湖南省人民检察院主题教育的第三项主要安排“推动检察工作现代化”是什么？"),
        (PLAN, "最后一项呢？", "湖南省人民检察院主题教育的最后一项主要安排“推动检察工作现代化”是什么？"),
        (PLAN, "第5项是什么？", "湖南省人民检察院主题教育的第5项主要安排是什么？"),
        (PLAN, "那2024年呢？", "2024年湖南省人民检察院主题教育有哪几项主要安排？"),
        (PLAN, "那江西呢？", "江西省人民检察院主题教育有哪几项主要安排？"),
        (PLAN, "江西省人民检察院呢？", "江西省人民检察院主题教育有哪几项主要安排？"),
        (PLAN, "那读书班呢？", "湖南省人民检察院主题教育有哪几项主要安排，读书班呢？"),
        (PLAN, "为什么？", f"{PLAN}为什么？"),
        (PLAN, "什么时候开始的？", f"{PLAN}什么时候开始的？"),
        (PLAN, "由谁负责？", f"{PLAN}由谁负责？"),
        (PLAN, "有什么要求？", f"{PLAN}有什么要求？"),
        (PLAN, "谁来批准？", f"{PLAN}谁来批准？"),
        (PLAN, "多少日内？", f"{PLAN}多少日内？"),
        (PLAN, "这些安排的目的是什么？", f"{PLAN}这些安排的目的是什么？"),
        (PLAN, "该方案什么时候印发的？", f"{PLAN}该方案什么时候印发的？"),
        (PLAN, "其中哪一项最重要？", f"{PLAN}其中哪一项最重要？"),
        (PLAN, "还有别的吗？", f"{PLAN}还有别的吗？"),
        (PLAN, "为什么要这样做？", f"{PLAN}为什么要这样做？"),
        (PLAN, "他们参观了哪些地方？", f"{PLAN}他们参观了哪些地方？"),
        ("湖南2023年5月的主题教育有哪些安排？", "那2024年呢？", "湖南2024年的主题教育有哪些安排？"),
        ("主题教育的总要求是什么？", "它是谁提出的？", "主题教育的总要求是谁提出的？"),
        ("主题教育的总要求是什么？", "其意义是什么？", "主题教育的总要求的意义是什么？"),
        ("什么是数据孤岛？", "它有哪几种形态？", "数据孤岛有哪几种形态？"),
        ("新设考核指标要试行多久？", "旧的考核指标呢？", "旧的考核指标要试行多久？"),
        ("数据孤岛有哪四种形态？", "第二种呢？", "数据孤岛的第二种形态是什么？"),
        ("办法第十六条规定了哪几项要求？", "第二项呢？", "办法第十六条规定的第二项要求是什么？"),
        ("第十六条规定是什么？", "第十七条呢？", "第十七条规定是什么？"),
        ("办法第十六条怎么规定保存？", "第二点呢？", "办法第十六条怎么规定保存？第二点是什么？"),
        ("打破数据孤岛的办法有哪些？", "那第二点呢？", "打破数据孤岛的办法有哪些？第二点是什么？"),
        ("主题教育有哪些安排？", "and in 2024?", "2024年主题教育有哪些安排？"),
        (VISIT, "and in 2024?", "Which places did the reading class in Hunan visit in 2024?"),
        (VISIT, "Since 2024?", "Which places did the reading class in Hunan visit Since 2024?"),
        (VISIT, "那2024年呢？", "Which places did the reading class in Hunan visit in 2024?"),
        (VISIT, "What about Jiangxi?", "Which places did the reading class in Jiangxi visit in 2023?"),
        (VISIT, "and the second one?", f"{VISIT} What is the second one?"),
        (VISIT, "What about the research class?", "Which places did the research class in Hunan visit in 2023?"),
        (VISIT, "How about the guests?", f"{VISIT[:-1]}, and what about the guests?"),
        (VISIT, "Why?", f"{VISIT} Why?"),
        (VISIT, "When was it issued?", f"{VISIT} When was it issued?"),
        (VISIT, "who wrote it?", f"{VISIT} Who wrote it?"),
        (VISIT, "What do they visit?", f"{VISIT} What do they visit?"),
        (VISIT, "Anything else?", f"{VISIT} Anything else?"),
        ("What was visited?", "And in 2024?", "What was visited in 2024?"),
    ],
)
def test_a_question_that_goes_on_is_completed(before: str, question: str, whole: str) -> None:
    assert after(before, question, TOLD if before == PLAN else "") == whole


@pytest.mark.parametrize(
    "question",
    [
        "那么，什么是数据孤岛？", "那么主题教育为什么要坚持问题导向呢？", "那考核的导向是什么？", "那达慕大会是什么？", "那时的总要求是什么？",
        "其他单位怎么做？", "其实什么是读书班？", "其次要做什么准备工作？", "他人信息能否查询？", "它山之石可以攻玉是什么意思？",
        "该怎么写调研报告？", "该不该公开考核结果？", "这次主题教育的总要求是什么？", "这些年取得了哪些成就？", "这里的“三不”指什么？",
        "主题教育的意义是什么？", "如何写调研报告？", "有几种数据孤岛？", "什么是标准？", "第二批主题教育什么时候开始？", "第一书记的职责是什么？",
        "2024年有什么安排？", "怎么防止考核走样呢？", "不知道呢。", "谢谢！", "为什么要有一名没有在该业务条线工作过的同志？", "在2023年5月的会上谁讲了话？",
        "It is said that theme education matters; what are its requirements?", "Is it necessary to visit villages?", "Thanks!",
        "How long does it take to get reviewed?", "What is theme education?", "What should a moderator do before he speaks?",
        "Does assessment ask for quantity, for quality, or for both?", "And what is a data silo?", "That said, what is a data silo?",
        "So how is a plan checked?", "In 2024 what was done?", "What is the second principle of unity?", "They say it works; how?",
        "Under what heading did the procuratorate organise its research?", "Other units: what do the rules say?",
    ],
)  # fmt: skip
def test_a_question_that_stands_by_itself_is_left_as_it_is(question: str) -> None:
    assert after(PLAN, question, TOLD) is None
    assert after(VISIT, question, "Yuelu Academy.") is None


@pytest.mark.parametrize("question", ["那第二点呢？", "为什么？", "and in 2024?", "Why?", "它是谁制定的？"])
def test_without_a_question_before_there_is_nothing_to_go_on_from(question: str) -> None:
    assert completed(question, [], most_chars=2000) is None
    assert (
        completed(question, [Turn("assistant", TOLD), Turn("user", "谢谢！"), Turn("user", "？")], most_chars=2000)
        is None
    )


def test_follow_ups_of_follow_ups_go_on_from_the_question_that_they_are_about() -> None:
    turns = [Turn("user", PLAN), Turn("assistant", TOLD), Turn("user", "那第二点呢？"), Turn("assistant", "深入基层。")]
    assert (
        completed("第三点呢？", turns, most_chars=2000)
        == "湖南省人民检察院主题教育的第三项主要安排“推动检察工作现代化”是什么？"
    )
    assert (
        completed("为什么？", turns, most_chars=2000)
        == "湖南省人民检察院主题教育的第二项主要安排“深入基层开展调研”是什么？为什么？"
    )
    turns = [Turn("user", PLAN), Turn("user", "为什么？"), Turn("user", "那2024年呢？")]
    assert completed("2025年呢？", turns, most_chars=2000) == "2025年湖南省人民检察院主题教育有哪几项主要安排？"
    assert (
        completed("有什么要求？", [*turns, Turn("user", "什么是数据孤岛？")], most_chars=2000)
        == "什么是数据孤岛？有什么要求？"
    )


def test_a_completed_question_stands_by_itself() -> None:
    for question in ("那第二点呢？", "那2024年呢？", "那江西呢？", "为什么？"):
        whole = after(PLAN, question, TOLD)
        assert whole
        assert after("什么是数据孤岛？", whole) is None


def test_nothing_longer_than_a_question_may_be_is_made_or_gone_on_from() -> None:
    assert completed("为什么？", [Turn("user", "学" * 1999)], most_chars=2000) is None
    assert completed("为什么？", [Turn("user", "学" * 2001)], most_chars=2000) is None
    assert (
        completed("为什么？", [Turn("user", PLAN), Turn("user", "学" * 20_000)], most_chars=2000) == f"{PLAN}为什么？"
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (TOLD, ("举办主题教育读书班", "深入基层开展调研", "推动检察工作现代化")),
        (
            "办法如下：\n（一）统一编码和接口。\n（二）建立共享目录。\n（三）把查询留痕。",
            ("统一编码和接口", "建立共享目录", "把查询留痕"),
        ),
        ("1. 先改观点。\n2. 再改文字。", ("先改观点", "再改文字")),
        ("①先学②后做", ("先学", "后做")),
        ("第一，抓学习。第二，抓调研。", ("抓学习", "抓调研")),
        ("状态分为：待办、试行、施行、验证、销号。", ("待办", "试行", "施行", "验证", "销号")),
        ("包括读书班、专题调研和现场教学。", ()),
        ("要做到：有目标；有责任；有时限。", ("有目标", "有责任", "有时限")),
        ("读书班为期五天。", ()),
        (
            "一份方案有四个问题：有没有责任部门，有没有时限，有没有成果，有没有冲突。\n要做三件事：一是学，二是做，三是改。",
            ("有没有责任部门", "有没有时限", "有没有成果", "有没有冲突"),
        ),
        ("它们是：有责任，有时限。", ()),
        (
            "It asks for a class, for research, and for lectures. More follows.",
            ("It asks for a class", "for research", "for lectures"),
        ),
        ("第二，抓调研。", ()),
        ("", ()),
    ],
)
def test_the_items_of_a_list_are_taken_from_an_answer(said: str, told: tuple[str, ...]) -> None:
    assert items(said) == told


@pytest.mark.parametrize(
    "text",
    [
        "那" * 5000,
        "有" * 5000,
        "嗯" * 5000 + "x",
        "《" * 5000,
        "哪几" * 3000,
        "一是" * 3000,
        "it " * 3000,
        "and " * 3000,
    ],
)
def test_a_hostile_conversation_takes_no_time(text: str) -> None:
    completed(text, [Turn("user", text), Turn("assistant", text)] * 50, most_chars=20_000)
    items(text)


def test_of_several_lines_the_one_is_taken_that_speaks_of_what_was_asked_for() -> None:
    said = "分为：甲、乙、丙。\n举办读书班、开展调研、讲授党课，是其中几项主要安排。"
    assert items(said)[1] == "乙"
    assert items(said, of="主要安排")[1] == "开展调研"
    assert items(said, of="步骤")[1] == "乙"


def test_a_question_that_is_too_long_is_not_looked_at() -> None:
    turns = [Turn("user", PLAN), Turn("assistant", TOLD)]
    assert completed("那第二点呢？", turns, most_chars=100)
    assert completed("那第二点呢？" + "？" * 100, turns, most_chars=100) is None

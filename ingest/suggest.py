"""What do a file's properties, its first page and its last lines say about the document? Rules, each with the place that it read.

Nothing here is set: a person sees what was found and where, and accepts it or not. A rule that is not sure says nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from ingest.dates import dates, day
from ingest.names import title_of_reading
from xuesi.core.domain import Block, BlockKind, Kind, Suggestion, SuggestionSource
from xuesi.core.ports import Reading

_HEAD_BLOCKS, _HEAD_CHARS, _TAIL_BLOCKS = 30, 3000, 8
_LONGEST_QUOTE = 120
_MOST_OF_A_FIELD = 3
_NUM = "[〇零一二三四五六七八九十百千\\d]"

_BODY = re.compile(rf"\s*第\s*{_NUM}+\s*[章条編编]")
_NUMBER = re.compile(
    r"[\u4e00-\u9fff]{1,16}\s*[〔\[［（(【]\s*(?:19|20)\d\d\s*[〕\]］）)】]\s*第?\s*\d+\s*号"
    rf"|(?:主席|国务院|人民政府|委员会|[部委局署院])令\s*第?\s*{_NUM}+\s*号"
)
_WORDED = re.compile(r"通过|修订|修正|公布|发布|印发|颁布|批准|签发")
_IN_FORCE = re.compile(
    r"自\s*(?P<day>[^，。；（）()]{6,24}?)\s*(?:起|开始)\s*(?:施行|实施|执行|生效)|(?P<plain>[^，。；（）()\s]{6,16})\s*(?:起)?\s*(?:施行|实施)$"
)
_FROM_PUBLICATION = re.compile(r"自(?:公布|发布|印发|颁布)之日起\s*(?:施行|实施|执行|生效)")
_LABELLED_ISSUER = re.compile(
    r"^(?:来源|發布單位|发布单位|发布机构|发文机关|发文单位|印发单位|编写单位|编制单位|制定机关|主办单位|Source|Issued by|Published by)\s*[:：]\s*(?P<who>.{2,60})$",
    re.IGNORECASE,
)
_LABELLED_DAY = re.compile(
    r"^(?:发布时间|发布日期|日期|时间|成文日期|印发日期|Date|Published(?: on)?)\s*[:：]", re.IGNORECASE
)
_ORGAN = "委员会|办公室|办公厅|人民政府|检察院|法院|代表大会|常务委员会|国务院|党委|党组|领导小组|研究院|大学|学院|党校|学校|总局|公安厅|厅|局|部|集团|公司|中心|协会|联合会|总工会"
_LETTERHEAD = re.compile(rf"^(?P<who>[\u4e00-\u9fff\s]{{2,40}}?(?:{_ORGAN}))\s*文件$")
_TITLE_ISSUER = re.compile(rf"^(?P<who>(?:中共中央|国务院|[\u4e00-\u9fff]{{2,24}}?(?:{_ORGAN})))\s*(?:印发)?关于")
_MEETING = re.compile(rf"^\s*(?:第{_NUM}+届)?(?P<who>[\u4e00-\u9fff]{{2,30}}?)(?:第{_NUM}+届|第{_NUM}+次|令)")
_SIGNED = re.compile(rf"^[\u4e00-\u9fff\s]{{2,40}}(?:{_ORGAN})$")
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        Kind.RESEARCH_REPORT,
        re.compile(r"调研报告|调查报告|研究报告|课题报告|考察报告|research report|field report", re.IGNORECASE),
    ),
    (
        Kind.LECTURE,
        re.compile(r"讲话|党课|讲稿|讲义|宣讲|辅导报告|专题报告会|发言|致辞|课件|lecture|speech", re.IGNORECASE),
    ),
    (
        Kind.REGULATION,
        re.compile(
            r"(?:宪法|法|法典|条例|规定|办法|细则|规则|准则|章程|修正案|决定|通知|意见|规范)(?:[（(《〈].{0,20})?$|^关于.{2,80}的(?:决定|决议|通知|意见|规定)"
        ),
    ),
    (
        Kind.STUDY_TEXT,
        re.compile(
            r"读本|纲要|学习资料|学习材料|手册|指南|提纲|问答|概论|选编|文选|工作报告|公报|handbook|guide|study text",
            re.IGNORECASE,
        ),
    ),
    (Kind.NEWS, re.compile(r"(?:日|月)讯$|快讯|简讯|要闻|新闻|news", re.IGNORECASE)),
)
_NEWS_LINE = re.compile(r"^(?:新华社|本报|人民网|中新社)[\u4e00-\u9fff]{0,8}\d{1,2}月\d{1,2}日(?:电|讯)|[（(]记者")


SUGGESTED = ("title", "kind", "issuer", "document_number", "published_on", "effective_on")


def suggested_value(one: Suggestion) -> Any:
    """The value as `Document` has it: a date, a kind or text."""
    if one.field.endswith("_on"):
        return date.fromisoformat(one.value)
    return Kind(one.value) if one.field == "kind" else one.value


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the file, with where it stands."""

    text: str
    source: SuggestionSource


def suggest(reading: Reading) -> tuple[Suggestion, ...]:
    """What may be said of the document, field by field, the surest of a field first, at most three each.

    Fields are those of `Document`: title, kind, issuer, document_number, published_on, effective_on; dates as YYYY-MM-DD.
    """
    head, tail = _head(reading), _tail(reading)
    title = title_of_reading(reading) or ""
    found = [
        *_titles(title, reading.properties),
        *_kinds(title, head),
        *_numbers(head),
        *_published(head, tail, reading.properties),
        *_effective(head, tail),
        *_issuers(title, head, tail, reading.properties),
    ]
    kept: dict[tuple[str, str], Suggestion] = {}
    for one in found:
        of_field = sum(field == one.field for field, _ in kept)
        if of_field < _MOST_OF_A_FIELD:
            kept.setdefault((one.field, one.value), one)
    return tuple(kept.values())


def _head(reading: Reading) -> list[_Line]:
    """The lines before the body begins: title, sub-title, what was passed when and by whom."""
    lines: list[_Line] = []
    chars = 0
    for block in reading.blocks[:_HEAD_BLOCKS]:
        text = block.span.of(reading.text)
        chars += len(text)
        if chars > _HEAD_CHARS or (block.kind is not BlockKind.LIST_ITEM and _BODY.match(text)):
            break
        lines += _lines(block, reading, SuggestionSource.FIRST_PAGE)
    return lines


def _tail(reading: Reading) -> list[_Line]:
    """The last lines: who signed, when, and from when on it holds."""
    return [
        line for block in reading.blocks[-_TAIL_BLOCKS:] for line in _lines(block, reading, SuggestionSource.LAST_LINES)
    ]


def _lines(block: Block, reading: Reading, source: SuggestionSource) -> Iterator[_Line]:
    for line in block.span.of(reading.text).splitlines():
        if line.strip():
            yield _Line(line.strip(), source)


def _said(field: str, value: str, line: _Line, quote: str = "") -> Suggestion:
    return Suggestion(field, value, line.source, (quote or line.text)[:_LONGEST_QUOTE])


def _titles(title: str, properties: Mapping[str, str]) -> Iterator[Suggestion]:
    if title:
        of_file = title == " ".join(properties.get("title", "").split())
        yield Suggestion(
            "title",
            title,
            SuggestionSource.PROPERTIES if of_file else SuggestionSource.FIRST_PAGE,
            title[:_LONGEST_QUOTE],
        )


def _kinds(title: str, head: Iterable[_Line]) -> Iterator[Suggestion]:
    for line in head:
        if _NEWS_LINE.search(line.text):
            yield _said("kind", Kind.NEWS, line)
            break
    for kind, pattern in _KINDS:
        if title and pattern.search(title):
            yield Suggestion("kind", kind, SuggestionSource.TITLE, title[:_LONGEST_QUOTE])
            return


def _numbers(head: Iterable[_Line]) -> Iterator[Suggestion]:
    """The issuer's number of the document; one in 《》 or after 根据 is another document's."""
    for line in head:
        if len(line.text) > _LONGEST_QUOTE or "《" in line.text:
            continue
        for match in _NUMBER.finditer(line.text):
            written = re.sub(r"\s+", "", match.group())
            written = re.sub(r"[\[［（(【](\d{4})[\]］）)】]", r"〔\1〕", written)
            yield _said("document_number", written, line)


def _published(head: list[_Line], tail: list[_Line], properties: Mapping[str, str]) -> Iterator[Suggestion]:
    """The day of the wording at hand: of several passings and revisions the last one."""
    worded = [
        (found.day, line, found.quote) for line in head for found in dates(line.text) if _WORDED.search(found.clause)
    ]
    if worded:
        last, line, quote = max(worded, key=lambda it: it[0])
        yield _said("published_on", last.isoformat(), line, quote)
    alone = [*_lone_days(head), *_lone_days(tail[::-1])]
    yield from alone
    if not worded and not alone:
        for found in dates(properties.get("created", "")):
            yield Suggestion("published_on", found.day.isoformat(), SuggestionSource.PROPERTIES, found.quote)


def _lone_days(lines: Iterable[_Line]) -> Iterator[Suggestion]:
    """A line that is a day and little else, or that is labelled as the day, or that says on which day a speech was given."""
    for line in lines:
        found = next(dates(line.text), None)
        if found is None:
            continue
        rest = line.text.replace(found.quote, "", 1).strip(" \t\u3000（）()[]【】—-·|:：0123456789")
        spoken = line.text.startswith(("—", "-", "（", "(")) and "在" in rest and len(line.text) <= 60
        if not rest or _LABELLED_DAY.match(line.text) or spoken:
            yield _said("published_on", found.day.isoformat(), line, line.text if spoken else found.quote)


def _effective(head: list[_Line], tail: list[_Line]) -> Iterator[Suggestion]:
    """From when on this wording holds: a day before its last revision is that of an earlier one."""
    revised = max((one.value for one in _published(head, [], {})), default="")
    yield from (one for one in _in_force(head, tail) if one.value >= revised)


def _in_force(head: list[_Line], tail: list[_Line]) -> Iterator[Suggestion]:
    for line in [*tail[::-1], *head]:
        for match in _IN_FORCE.finditer(line.text):
            told = match["day"] or match["plain"]
            if (value := day(told)) is not None:
                yield _said("effective_on", value.isoformat(), line, match.group())
        if _FROM_PUBLICATION.search(line.text):
            for one in _published(head, [], {}):
                yield _said("effective_on", one.value, line)


def _issuers(title: str, head: list[_Line], tail: list[_Line], properties: Mapping[str, str]) -> Iterator[Suggestion]:
    for line in head:
        if (match := _LABELLED_ISSUER.match(line.text) or _LETTERHEAD.match(line.text)) is not None:
            yield _said(
                "issuer", "".join(match["who"].split()) if _LETTERHEAD.match(line.text) else match["who"].strip(), line
            )
    passed = [(found.day, line, found) for line in head for found in dates(line.text) if _WORDED.search(found.clause)]
    for _, line, found in sorted(passed, key=lambda it: it[0], reverse=True):
        if (match := _MEETING.match(found.after)) is not None:
            who = re.sub("^中华人民共和国(?=国务院)", "", match["who"])
            if re.search(rf"(?:{_ORGAN})$", who):
                yield _said("issuer", who, line, found.clause)
    if (match := _TITLE_ISSUER.match(title)) is not None:
        yield Suggestion("issuer", match["who"], SuggestionSource.TITLE, title[:_LONGEST_QUOTE])
    for line, under in pairwise(tail):
        if _SIGNED.match(line.text) and next(dates(under.text), None) is not None and len(under.text) <= 24:
            yield _said("issuer", "".join(line.text.split()), line)
    company = " ".join(properties.get("company", "").split())
    if re.search(rf"(?:{_ORGAN})$", company):
        yield Suggestion("issuer", company, SuggestionSource.PROPERTIES, company)

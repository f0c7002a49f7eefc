"""What does a web page show that its text alone does not say? Bullets and numbers of lists; and what belongs to the site.

Lists and tables are written out in the tree, so that what trafilatura keeps of it has them. What belongs to the site (ways to other pages,
buttons, notices) is told by what a whole block says, and only where it says nothing else.
"""

import re
from typing import Any

from ingest.marks import opens_paragraph
from ingest.readers.html_tables import spread
from ingest.readers.labels import BULLET
from ingest.readers.ooxml import numeral

_FORMS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_LONGEST = 120
_SITE = re.compile(
    r"(?:上|下)一(?:篇|页|条|则)\s*(?:[：:].*)?|(?:[\[【(（]?\s*)(?:责任编辑|责\s*编|网络编辑|值班编辑|编辑|校对|审核|打印责任编辑)\s*[：:].{1,40}"
    r"|(?:您|你)?(?:现在|当前)?的?(?:所在)?位置\s*[：:].*|(?:首页|Home)\s*(?:[>＞»›/][^>＞»›/]{1,20})+"
    r"|(?:版权所有|Copyright|©|\(c\)\s*\d{4}).*|.*(?:ICP备\s*\d+|公网安备|网站标识码).*|(?:技术支持|网站管理|网站主办)(?:单位)?\s*[：:].*"
    r"|(?=.*(?:分享|打印|关闭|字号|返回|阅读原文|点赞))(?:分享(?:到|至)?|打印(?:本页|此页)?|关闭(?:窗口|本页)?|收藏|字号|点赞|微信|微博|QQ空间|返回(?:顶部|首页|列表)|阅读原文|[大中小\[【】\]：:|\s])+|扫一扫.*"
    r"|(?:浏览|点击|阅读)(?:次数|量|数)?\s*[：:]\s*\d*\s*次?|加入收藏|设为首页|网站地图|联系我们|关于我们"
    r"|Share(?: this)?(?: article| page)?|Tweet|Print(?: this page)?|Back to top|(?:Previous|Next)(?: article| post| page)?\s*(?::.*)?|.{0,60}All rights reserved\.?",
    re.IGNORECASE,
)  # fmt: skip
_OTHERS = re.compile(
    r"[\[【]?(?:相关|热门|推荐|延伸|更多)(?:阅读|新闻|链接|文章|推荐|报道|专题|内容)[：:\]】>＞]*|Related(?: articles| posts| news)?:?|Read more:?",
    re.IGNORECASE,
)


def is_of_site(block: str) -> bool:
    """Whether a block of a page is no text of it but a way to others, a button, or a notice of the site."""
    line = " ".join(block.removeprefix(BULLET).split())
    return len(line) <= _LONGEST and (_SITE.fullmatch(line) is not None or is_over_others(line))


def is_over_others(line: str) -> bool:
    """Whether it stands over a list of other pages."""
    return _OTHERS.fullmatch(line.strip()) is not None


def write_out(root: Any) -> None:
    """Put into the tree the bullets and numbers of its lists, and cells into each place that they span."""
    for listing in root.iter("ul", "ol"):
        number = _number(listing.get("start"), 1)
        for item in listing.iterchildren("li"):
            number = _number(item.get("value"), number)
            label = (
                f"{numeral(number, _FORMS.get(listing.get('type', ''), 'decimal'))}. "
                if listing.tag == "ol"
                else BULLET
            )
            number += 1
            shown = item.text_content().strip()
            if shown and not opens_paragraph(shown):
                _prefix(item, label)
    for table in list(root.iter("table")):
        spread(table)


def _number(value: str | None, otherwise: int) -> int:
    return int(value) if value and re.fullmatch(r"\d{1,6}", value.strip()) else otherwise


def _prefix(element: Any, label: str) -> None:
    """Before the first thing that the element says."""
    while not (element.text or "").strip():
        inner = next((child for child in element if isinstance(child.tag, str)), None)
        if inner is None or inner.tag in ("ul", "ol", "table", "img", "br") or not inner.text_content().strip():
            break
        element = inner
    element.text = label + (element.text or "").lstrip()

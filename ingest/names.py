"""What is a file called, and what is the title of what it holds?"""

import re
import unicodedata

from xuesi.core.domain import BlockKind
from xuesi.core.ports import Reading
from xuesi.core.text import has_words

_LONGEST_NAME, _LONGEST_EXTENSION = 120, 12
_SHORTEST_TITLE, _LONGEST_TITLE = 2, 150
# They turn the direction of what follows: "cod.exe" can be shown as "exe.doc".
_DIRECTION = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_NUMBERED = re.compile(
    r"第[\d一二三四五六七八九十百零〇]+[章节節条條篇部编編]|[（(][\d一二三四五六七八九十]{1,3}[）)]|(\d{1,2}|[一二三四五六七八九十]{1,3})[、.．\s]"
    r"|(chapter|section|part)\s",
    re.IGNORECASE,
)
_FILE_LIKE = re.compile(r"[\\/]|\.(docx?|pptx?|xlsx?|wps|pdf|txt|md|html?|rtf|odt|indd|qxd|tmp)$", re.IGNORECASE)
_OF_PROGRAMS = re.compile(
    r"microsoft (word|powerpoint|excel)|powerpoint( presentation|\s*演示文稿)?$|untitled|无标题|未命名|無標題|新建|document\s*\d*$|presentation\s*\d*$"
    r"|slide\s*\d+$|文档\s*\d*$|文件\s*\d*$|演示文稿\s*\d*$|幻灯片\s*\d*$|print(ing)?$|about:blank",
    re.IGNORECASE,
)


def clean_name(given: str) -> str:
    """A file's name as it is shown: no folders, no control characters, at most 120 characters, the middle left out.

    It is never used as a path.
    """
    name = unicodedata.normalize("NFC", given).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") and c not in _DIRECTION)
    name = name.strip()
    if not name.strip("."):
        return "file"
    if len(name) <= _LONGEST_NAME:
        return name
    stem, extension = split_extension(name)
    kept = _LONGEST_NAME - len(extension) - 1
    return f"{stem[: kept - kept // 3]}…{stem[-(kept // 3) :]}{extension}"


def split_extension(name: str) -> tuple[str, str]:
    """The name without its extension, and the extension with its dot, empty if there is none."""
    stem, dot, extension = name.rpartition(".")
    if not stem or not dot or not extension or len(extension) > _LONGEST_EXTENSION or " " in extension:
        return name, ""
    return stem, dot + extension


def title_of_name(name: str) -> str:
    """The title of a document of which nothing is known but its file's name."""
    stem = " ".join(split_extension(name)[0].replace("_", " ").split())
    return stem if has_words(stem) else name


def title_of_reading(reading: Reading) -> str | None:
    """The title that the file gives itself: the highest heading with which its text begins, else the title among its properties.

    None where neither looks like a title: programs write their own name or that of a template there.
    """
    candidates = (
        reading.blocks[0].span.of(reading.text) if _begins_with_heading(reading) else "",
        reading.properties.get("title", ""),
    )
    for candidate in candidates:
        title = " ".join(candidate.split())
        if _looks_like_title(title):
            return title
    return None


def _begins_with_heading(reading: Reading) -> bool:
    return bool(reading.blocks) and reading.blocks[0].kind is BlockKind.HEADING and reading.blocks[0].level == 1


def _looks_like_title(title: str) -> bool:
    return (
        _SHORTEST_TITLE <= len(title) <= _LONGEST_TITLE
        and has_words(title)
        and not _NUMBERED.match(title)
        and not _FILE_LIKE.search(title)
        and not _OF_PROGRAMS.match(title)
    )

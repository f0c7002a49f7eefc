"""Does every page say everything in both languages? No string is missing, none is unused, and all that is chosen at run time is there."""

import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from answer.generative import NO_ANSWER_WRITTEN, NOTHING_SUPPORTED, OTHER_LANGUAGE, REPEATS
from api.i18n import LANGUAGES, accepted
from xuesi.core.domain import JobState, Kind, VersionState
from xuesi.core.errors import Misconfigured, XuesiError
from xuesi.core.ports import Trouble

_API = Path(__file__).parents[2] / "api"
_KEY = re.compile(r"""\bt(?:\.get)?\(\s*["']([a-z]+\.[\w.-]+)["'](?!\s*~)""")
_STEM = re.compile(r"""["'`]([a-z]+\.(?:[\w-]+_)?)(?:["']\s*~|\$\{)""")
_BARE = re.compile(r"""["']([a-z]+\.[a-z_]+)["']""")
_ZH, _EN = (LANGUAGES[code].strings for code in ("zh-CN", "en"))


def _sources() -> Iterator[tuple[str, str]]:
    for pattern in ("templates/*.html", "static/*.js", "pages/*.py"):
        for path in sorted(_API.glob(pattern)):
            yield path.name, path.read_text(encoding="utf-8")


def _errors(kind: type[XuesiError] = XuesiError) -> Iterator[type[XuesiError]]:
    yield kind
    for child in kind.__subclasses__():
        if not issubclass(child, Misconfigured):
            yield from _errors(child)


def test_both_languages_have_the_same_strings() -> None:
    assert _ZH.keys() == _EN.keys()


@pytest.mark.parametrize("key", sorted(_ZH))
def test_a_string_takes_the_same_facts_in_both_languages(key: str) -> None:
    facts = [{name for _, name, _, _ in string.Formatter().parse(s[key]) if name is not None} for s in (_ZH, _EN)]
    assert facts[0] == facts[1]
    assert _ZH[key].strip()
    assert _EN[key].strip()


def test_no_english_string_has_chinese_in_it_but_the_name_of_the_language() -> None:
    chinese = {key for key, text in _EN.items() if re.search(r"[\u4e00-\u9fff]", text)}
    assert chinese == {"site.switch", "site.switch_label"}


def test_every_string_that_is_named_is_there() -> None:
    named = {(name, key) for name, text in _sources() for key in _KEY.findall(text)}
    assert len(named) > 100
    assert not {(name, key) for name, key in named if key not in _ZH}


def test_what_is_chosen_at_run_time_is_there() -> None:
    wanted = {f"kind.{kind}" for kind in Kind} | {f"state.{state}" for state in [*VersionState, *_job_stages()]}
    wanted |= {f"error.{kind.code}.{part}" for kind in _errors() for part in ("title", "hint")}
    wanted |= {f"ask.mode_{mode}" for mode in ("extractive", "generative")}
    own = (OTHER_LANGUAGE, NOTHING_SUPPORTED, NO_ANSWER_WRITTEN, REPEATS)
    wanted |= {f"ask.why_{why}" for why in (*Trouble, *own)}
    assert not wanted - _ZH.keys()


def _job_stages() -> set[str]:
    return {JobState.QUEUED, VersionState.READING, VersionState.EMBEDDING, VersionState.PUBLISHING}


def test_no_string_is_left_over() -> None:
    texts = [text for _, text in _sources()]
    named = {key for text in texts for key in (*_KEY.findall(text), *_BARE.findall(text))}
    stems = tuple({stem for text in texts for stem in _STEM.findall(text)} | {"library.notice_", "trash.notice_"})
    assert not [key for key in _ZH if key not in named and not key.startswith(stems)]


def test_no_template_speaks_a_language_itself() -> None:
    for name, text in _sources():
        if name.endswith((".html", ".js")):
            spoken = re.sub(r"\{#.*?#\}|//[^\n]*|\{\{.*?\}\}|\{%.*?%\}", "", text, flags=re.DOTALL)
            assert not re.search(r"[\u4e00-\u9fff]", spoken), name
        if name.endswith(".html"):
            tagged = re.sub(r"\{% block body_class %\}.*?\{% endblock %\}", "", text)
            words = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}|<[^>]*>|&\w+;", " ", tagged, flags=re.DOTALL)
            assert set(re.findall(r"[A-Za-z]{3,}", words)) <= {"HTTP"}, name


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "zh-CN"),
        ("en-GB,en;q=0.9", "en"),
        ("fr,en;q=0.4,zh;q=0.6", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("en;q=0,zh;q=0.1", "zh-CN"),
        ("de;q=nonsense, en", "en"),
        ("*", "zh-CN"),
    ],
)
def test_the_browser_chooses_the_language(header: str, code: str) -> None:
    assert accepted(header).code == code

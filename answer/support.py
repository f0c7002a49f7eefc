"""Does the material say what a statement says? Each statement of a chat model is compared with the passages that it cites, before anyone sees it.

A statement is taken apart into units, one or a few clauses each. For every unit the unit of the passages that holds most of it is sought, and then:
its numbers with their units, its names and what it quotes must stand there; what is left of its words must be there but for a small part; no word may be
denied on one side only; no opposite may stand in a word's place; nobody may change places with somebody else. Words decide and not vectors: to a vector
a number, a name or a negation changed is hardly a change. Where words were replaced, the vectors must agree besides.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, pairwise

from answer.asked import stem
from xuesi.core.domain import Span
from xuesi.core.ports import Word, WordKind, Words
from xuesi.core.text import sentences

Nearness = Callable[[str, str], float]

# Of what a unit says, so much may be verbs and adjectives that the material does not use, if statement and sentence are near by their vectors. A noun
# in the place of another hardly moves a vector: a like one leaves the cosine above 0.997 for nine in ten, another one below 0.995 (eval.support, drcd and xquad).
_NEW = 0.25
_NEAR, _SAME = 0.90, 0.9975
_WEIGHT = {WordKind.NAME: 2.0, WordKind.NUMBER: 2.0, WordKind.NOUN: 1.5, WordKind.ACT: 1.0}
_CONTENT = frozenset(_WEIGHT)
# Words that add nothing by themselves, by which people tell the same otherwise.
_LIGHT = frozenset(
    [
        "是",
        "有",
        "中有",
        "叫",
        "叫做",
        "称",
        "称为",
        "指",
        "位于",
        "属于",
        "包括",
        "包含",
        "到",
        "出",
        "时",
        "时候",
        "时间",
        "当时",
        "期间",
        "名称",
        "名字",
        "情况",
        "方面",
        "内容",
    ]
)
# So many sentences before one may name whom it speaks of.
_BEFORE = 2

# What follows a number and stands for the same; what stands in none of them is not known to be a unit.
_UNITS = (
    "年", "月", "日号天", "%", "个名位人员种项条点类家所座只件间处", "元块圆", "岁", "次回届", "户", "倍", "时", "分", "秒", "公里", "米", "吨斤克", "亩",
)  # fmt: skip

_QUOTED = re.compile(r"“([^“”]+)”|「([^「」]+)」|『([^『』]+)』|《([^《》]+)》|\"([^\"]+)\"")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_DENIES = re.compile(
    r"(?:[并从尚还仍也都绝决]?(?:不|没|没有|未|无|非)|并?不是|未能|未曾|从来没有|无法|无须|无需|不得|不能|不可|不可以|不准|不许|不会|不应|不该|不必|不用|不要|不再|不予"
    r"|严禁|禁止|切勿|勿|别|拒绝|停止|not|no|never|without|neither|nor|cannot|\w+n't)"
)
# What turns the word behind it into another, also where both are one word to jieba: 不合格, 副组长.
_DENIED = re.compile(r"(?:[不没未无非勿莫副反半准]|没有)$")
_REACH = 3  # words after a negation in which what it denies stands
_GIVEN = re.compile(
    r"^(?:根据|依据|按照)?(?:以上|上述|所给)?(?:材料|资料|文件|文中|段落|原文)(?:中)?(?:的)?(?:内容|记载|规定|所述|提到|指出|显示)?[，,:：]\s*"
    r"|^(?:according to the (?:passages?|texts?|materials?|documents?),|the (?:passages?|texts?|materials?|documents?) (?:says?|states?|notes?|mentions?|shows?) that)\s+",
    re.IGNORECASE,
)
# Text that speaks to a model and not to a reader says nothing about its subject.
_ORDER = re.compile(
    r"(?:忽略|无视|忘记|不要理会|忽視|無視|忘記).{0,12}(?:指令|指示|提示|要求|规则|內容|内容|規則)|系统提示|你(?:现在)?是一?[个名].{0,8}(?:助手|模型)"
    r"|\b(?:ignore|disregard|forget)\b.{0,30}\b(?:above|previous|prior|earlier|instructions?|prompts?|rules?)\b|\bsystem prompt\b|\byou are (?:now )?an? \w+ (?:assistant|model)\b",
    re.IGNORECASE,
)
_PASSIVE = frozenset({"被", "由", "受", "为", "遭", "by"})
_OPPOSITE_WORDS = """
增加/减少 增长/下降 增长/减少 上升/下降 提高/降低 扩大/缩小 加强/削弱 支持/反对 同意/反对 赞成/反对 允许/禁止 可以/不得 必须/可以 应当/可以 成功/失败 胜利/失败
战胜/败给 击败/败给 最大/最小 最高/最低 最早/最晚 最多/最少 最长/最短 第1/最后 首/末 开始/结束 开放/关闭 以上/以下 之前/之后 以前/以后 超过/不足 多于/少于
高于/低于 大于/小于 早于/晚于 全部/部分 进口/出口 输入/输出 买/卖 赢/输 东/西 南/北 左/右 男/女 内/外 上级/下级 上午/下午 正确/错误 有利/不利 积极/消极
主动/被动 直接/间接 国内/国外 公开/秘密 富/贫 强/弱 新/旧 大/小 长/短 父/母 兄/弟 生/死 出生/去世 出生/逝世
increased/decreased rises/falls largest/smallest highest/lowest first/last before/after above/below north/south east/west northern/southern eastern/western
wins/loses won/lost more/less more/fewer must/may allow/forbid allow/prohibit success/failure supports/opposes supports/rejects born/died male/female old/new
rich/poor major/minor upper/lower most/least early/late begins/ends
"""
_OPPOSITES = tuple(tuple(map(stem, pair.split("/"))) for pair in _OPPOSITE_WORDS.split())


class Fault(StrEnum):
    """Why a statement is withheld."""

    NO_CITATION = "no_citation"
    UNKNOWN_CITATION = "unknown_citation"
    OTHER_LANGUAGE = "other_language"
    QUOTATION = "quotation"
    NUMBER = "number"
    NAME = "name"
    NEGATION = "negation"
    OPPOSITE = "opposite"
    ROLES = "roles"
    NOT_SAID = "not_said"


@dataclass(frozen=True, slots=True)
class Place:
    """A sentence of the passage with that number, counted from 1; the span lies in the passage's text."""

    number: int
    span: Span


@dataclass(frozen=True, slots=True)
class Support:
    """Where a statement stands, in the order of its clauses; or why it is withheld, and then `places` is empty."""

    places: tuple[Place, ...] = ()
    fault: Fault | None = None


class _Unit:
    """One or a few clauses that are compared as one, with what is asked of them again and again."""

    def __init__(self, words: Sequence[Word]) -> None:
        self.words = [word for word in words if word.kind is not WordKind.BREAK]
        self.content = [word for word in self.words if word.kind in _CONTENT]
        self.text = _joined(self.words)
        self.said = {word.text for word in self.words}
        self.numbers = [word for word in self.content if word.kind is WordKind.NUMBER]

    def has(self, word: Word) -> bool:
        """Whether the word is said: a number as such, an English word as a whole, a Chinese one with its parts in their places."""
        if word.kind is WordKind.NUMBER:
            return any(word.text == other.text and _same_unit(word, other) for other in self.numbers)
        if word.text.isascii():
            return word.text in self.said
        pairs = (word.text[i : i + 2] for i in range(len(word.text) - 1))
        return word.text in self.text or (len(word.text) > 2 and all(pair in self.text for pair in pairs))

    def denied(self) -> set[str]:
        """The words that a negation before them denies."""
        found: set[str] = set()
        for i, word in enumerate(self.words):
            if _DENIES.fullmatch(word.text):
                after = [w.text for w in self.words[i + 1 : i + 1 + _REACH] if w.kind in _CONTENT]
                before = [w.text for w in self.words[:i] if w.kind in _CONTENT]
                found.update(after[:1] or before[-1:])
        return found


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence of a passage; `before` is what is known when it is read: title, headings and the sentences just before."""

    place: Place
    text: str
    units: tuple[_Unit, ...]
    whole: _Unit
    before: _Unit


class Material:
    """The numbered passages that a model was given, taken apart once for all its statements.

    Args:
        passages: (context, text) in order; the context is title and headings.
        words: The words of a text.
        near: The cosine of two sentences, asked only where words were replaced.
    """

    def __init__(self, passages: Sequence[tuple[str, str]], *, words: Words, near: Nearness) -> None:
        self._words = words
        self._near = near
        self._contexts = [context for context, _ in passages]
        self._sentences = [
            list(_taken_apart(number, context, text, words)) for number, (context, text) in enumerate(passages, start=1)
        ]

    def supports(self, statement: str, numbers: Sequence[int]) -> Support:
        """Whether the passages of these numbers say it. Numbers of no passage count for nothing.

        Args:
            statement: One sentence, without its citation marks.
            numbers: Of the passages that it cites.
        """
        known = [number for number in dict.fromkeys(numbers) if 1 <= number <= len(self._sentences)]
        if not known:
            return Support(fault=Fault.UNKNOWN_CITATION if numbers else Fault.NO_CITATION)
        cited = [sentence for number in known for sentence in self._sentences[number - 1]]
        statement = _GIVEN.sub("", statement)
        units = _units(self._words(statement))
        if not units or not cited:
            return Support(fault=Fault.NOT_SAID)
        if _is_cjk(statement) != any(_is_cjk(sentence.text) for sentence in cited):
            return Support(fault=Fault.OTHER_LANGUAGE)
        contexts = [self._contexts[number - 1] for number in known]
        if self._misquoted(statement, [*contexts, *(sentence.text for sentence in cited)]):
            return Support(fault=Fault.QUOTATION)
        places: list[Place] = []
        for unit in units:
            sentence, theirs = _best(unit, cited)
            if fault := self._fault(unit, theirs, sentence, statement):
                return Support(fault=fault)
            places.append(sentence.place)
        return Support(places=tuple(dict.fromkeys(places)))

    def _misquoted(self, statement: str, told: Sequence[str]) -> bool:
        """Whether something stands between quotation marks that is not said in these very letters, or in other characters for the same words."""
        for found in _QUOTED.finditer(statement):
            quoted = next(filter(None, found.groups()))
            said = "\n".join(told)
            if _letters(quoted) in _letters(said):
                continue
            if not _is_cjk(quoted) or _joined(self._words(quoted)) not in _joined(self._words(said)):
                return True
        return False

    def _fault(self, unit: _Unit, theirs: _Unit, sentence: _Sentence, statement: str) -> Fault | None:
        """What speaks against it that this unit of the statement is said by that unit of the sentence."""
        lacking = [word for word in unit.content if not theirs.has(word)]
        known = sentence.whole, sentence.before
        new = [word for word in lacking if word.text not in _LIGHT and not any(text.has(word) for text in known)]
        drawn_from = [other for other in sentence.units if other is not theirs and any(map(other.has, lacking))]
        checks: tuple[tuple[Fault, Callable[[], bool]], ...] = (
            (Fault.NUMBER, lambda: _misnumbered(unit, theirs, lacking=lacking, new=new, drawn_from=drawn_from)),
            (Fault.NAME, lambda: _misnamed(unit, theirs, lacking=lacking, new=new)),
            (Fault.NEGATION, lambda: _flipped(unit, theirs)),
            (Fault.OPPOSITE, lambda: any(_opposed(unit, theirs, *pair) for pair in _OPPOSITES)),
            (Fault.ROLES, lambda: _exchanged(unit, theirs)),
            (Fault.NOT_SAID, lambda: bool(new) and self._too_new(unit, new, statement, sentence.text)),
        )
        return next((fault for fault, found in checks if found()), None)

    def _too_new(self, unit: _Unit, new: Sequence[Word], statement: str, sentence: str) -> bool:
        """Whether the words that the material does not use may say something that it does not say."""
        if sum(_WEIGHT[word.kind] for word in new) > _NEW * sum(_WEIGHT[word.kind] for word in unit.content):
            return True
        acts = all(word.kind is WordKind.ACT and not word.text.isascii() for word in new)
        return self._near(statement, sentence) < (_NEAR if acts else _SAME)


def opposites() -> Sequence[tuple[str, ...]]:
    """The pairs of words that may not stand for each other."""
    return _OPPOSITES


def _taken_apart(number: int, context: str, text: str, words: Words) -> Iterator[_Sentence]:
    head, told = words(context), [(span, words(span.of(text))) for span in sentences(text)]
    spoken_to = False
    for i, (span, its) in enumerate(told):
        if i and "\n" in text[told[i - 1][0].end : span.start]:
            spoken_to = False
        spoken_to = spoken_to or _ORDER.search(span.of(text)) is not None
        units = tuple(_units(its))
        if spoken_to or not units:
            continue
        before = [word for _, earlier in told[max(0, i - _BEFORE) : i] for word in earlier]
        yield _Sentence(Place(number, span), span.of(text), units, _Unit(its), _Unit([*head, *before]))


def _units(words: Sequence[Word]) -> list[_Unit]:
    """Clause by clause; one that says too little by itself, such as a date, goes with the next, and the last such with the one before."""
    clauses: list[list[Word]] = [[]]
    for word in words:
        if word.kind is WordKind.BREAK and _says_something(clauses[-1]):
            clauses.append([])
        else:
            clauses[-1].append(word)
    if len(clauses) > 1 and not _says_something(clauses[-1]):
        last = clauses.pop()
        clauses[-1] += last
    return [unit for clause in clauses if (unit := _Unit(clause)).content]


def _says_something(clause: Sequence[Word]) -> bool:
    kinds = [word.kind for word in clause]
    return WordKind.ACT in kinds and sum(kind in _CONTENT for kind in kinds) > 2


def _best(unit: _Unit, cited: Sequence[_Sentence]) -> tuple[_Sentence, _Unit]:
    """The unit that holds most of this one; of equals that of the sentence that holds more, then the earliest."""

    def held(sentence: _Sentence, theirs: _Unit) -> tuple[float, float]:
        return _held(unit, theirs), _held(unit, sentence.whole)

    return max(((s, u) for s in cited for u in s.units), key=lambda pair: held(*pair))


def _held(unit: _Unit, theirs: _Unit) -> float:
    return sum(_WEIGHT[word.kind] for word in unit.content if theirs.has(word))


def _same_unit(one: Word, other: Word) -> bool:
    """Whether both count the same, as far as that is known of either."""
    a, b = (next((units for units in _UNITS if word.unit and word.unit in units), "") for word in (one, other))
    return a == b or not a or not b


def _misnumbered(
    unit: _Unit, theirs: _Unit, *, lacking: Sequence[Word], new: Sequence[Word], drawn_from: Sequence[_Unit]
) -> bool:
    """Whether a number is new, or the material has another one in its place or where the unit takes other words from."""
    for word in unit.numbers:
        if word in lacking and _rival_number(word, unit, theirs):
            return True
        if word in new and (word.text, word.unit) != ("1", word.unit.strip("%")):  # 一 is often no more than an article
            return True
        if any(_rival_number(word, unit, other) for other in drawn_from):
            return True
    return _moved(unit, theirs)


def _rival_number(word: Word, unit: _Unit, theirs: _Unit) -> bool:
    """Whether the material has another number in the place of this one."""
    own = {number.text for number in unit.numbers}
    return any(_same_unit(number, word) and number.text not in own for number in theirs.numbers)


def _moved(unit: _Unit, theirs: _Unit) -> bool:
    """Whether a number is said of something that has another number in the material: the next one behind the word that stands before it here."""
    for before, number in pairwise(unit.content):
        if number.kind is not WordKind.NUMBER or before.kind is WordKind.NUMBER:
            continue
        at = next((i for i, word in enumerate(theirs.content) if word.text == before.text), None)
        if at is None:
            continue
        behind = next(
            (w for w in theirs.content[at + 1 :] if w.kind is WordKind.NUMBER and _same_unit(w, number)), None
        )
        if behind is not None and behind.text not in {word.text for word in unit.numbers}:
            return True
    return False


def _misnamed(unit: _Unit, theirs: _Unit, *, lacking: Sequence[Word], new: Sequence[Word]) -> bool:
    """Whether a name is new, or the material's clause begins with somebody of whom the statement does not speak."""
    if any(word.kind is WordKind.NAME for word in new):
        return True
    first = theirs.content[0]
    another = first.kind is WordKind.NAME and not unit.has(first)
    return another and any(word.kind is WordKind.NAME for word in lacking)


def _flipped(unit: _Unit, theirs: _Unit) -> bool:
    """Whether a word that both say is denied on one side only, or the statement denies something that nobody denies there."""
    ours, other = unit.denied(), theirs.denied()
    if ours and not other:
        return True
    in_other = {w for w in ours if any(w in o or o in w for o in other)}
    in_ours = {o for o in other if any(w in o or o in w for w in ours)}
    if any(theirs.has(_as_word(w)) for w in ours - in_other) or any(unit.has(_as_word(o)) for o in other - in_ours):
        return True
    return any(
        _ways(word.text, unit.text) & _ways(word.text, theirs.text) == set()
        for word in unit.content
        if word.text in theirs.text
    )


def _ways(word: str, text: str) -> set[bool]:
    """Whether the word is denied, of each time that it is said: {True, False} where it is both."""
    return {_DENIED.search(text[: found.start()]) is not None for found in re.finditer(re.escape(word), text)}


def _as_word(text: str) -> Word:
    return Word(text, WordKind.ACT)


def _opposed(unit: _Unit, theirs: _Unit, one: str, other: str) -> bool:
    """Whether the statement says one of them more often than the material, which says the other more often."""
    a, b = _times(unit, one) - _times(theirs, one), _times(unit, other) - _times(theirs, other)
    return a * b < 0


def _times(unit: _Unit, word: str) -> int:
    if word.isascii():  # function words, as more and less, come with their endings
        return sum(stem(w.text) == word for w in unit.words)
    return [w.text for w in unit.words].count(word) if len(word) == 1 else unit.text.count(word)


def _exchanged(unit: _Unit, theirs: _Unit) -> bool:
    """Whether two have changed places around what is said of them: 甲…胜…乙 in one, 乙…胜…甲 in the other, and neither is passive alone."""
    if bool(_PASSIVE & unit.said) != bool(_PASSIVE & theirs.said):
        return False
    at = {word.text: i for i, word in reversed(list(enumerate(theirs.words)))}
    both = [word for word in unit.content if word.text in at and len(word.text) > 1]
    return any(
        a.kind is not WordKind.ACT and c.kind is not WordKind.ACT and b.kind is WordKind.ACT
        and WordKind.NAME in (a.kind, c.kind)
        and at[c.text] < at[b.text] < at[a.text]
        for a, b, c in combinations(both, 3)
    )  # fmt: skip


def _letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).lower() if c.isalnum())


def _joined(words: Sequence[Word]) -> str:
    return "".join(word.text for word in words if word.kind is not WordKind.BREAK)


def _is_cjk(text: str) -> bool:
    """Whether more than a fifth of its letters are of a script that is written without spaces."""
    return 5 * len(_CJK.findall(text)) > sum(c.isalpha() for c in unicodedata.normalize("NFKC", text))

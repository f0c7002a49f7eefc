"""Which words does a sentence say, one after the other, and what is each of them? For comparing what two sentences say; the index itself uses `tokens`.

Chinese words and their parts of speech are jieba's; of English words it is only told which are names (capitals) and which are function words.
"""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal

import rjieba

from index.numerals import LARGE, value_of
from index.tokens import HAN, simplified
from xuesi.core.ports import Word, WordKind

_RUN = re.compile(
    rf"(?P<han>[{HAN}]+)"
    r"|(?P<number>(?:(?<![0-9A-Za-z])[-\u2212](?=\d))?\d+(?:,\d{3})*(?:\.\d+)?)\s?(?P<large>[万亿]*)\s?(?P<percent>%|percent\b|per cent\b)?"
    rf"|(?P<latin>[^\W\d_{HAN}][^\W_{HAN}]*(?:['’-][^\W_{HAN}]+)*)"
    r"|(?P<stop>[,.;:!?。；：！？…\n]+)"
)
_DIGITS, _UNITS = "〇零一二三四五六七八九两", "十百千万亿"
_NUMERAL = re.compile(
    rf"(?P<percent>百分之)?(?P<number>(?!一[些定切])[{_DIGITS}{_UNITS}]+(?:点[{_DIGITS}]+(?![{_UNITS}分刻]))?)"
)
# Of the parts of speech that jieba knows (ICTCLAS): names, nouns and what stands for them, verbs and adjectives.
_NAMES = ("nr", "ns", "nt", "nz")
_NOUNS = ("n", "s", "t", "l", "i", "j", "b", "vn", "an")
_ACTS = ("v", "a", "z")
_OF_NUMBERS = ("m", "t")
_FUNCTION_WORDS = """
a an the of to in on at for by with from as and or but nor so yet than then that this these those it its he she they his her their them him i we you our your
my me us is are was were be been being do does did done has have had having will would shall should can could may might must not no never there here which
who whom whose what when where why how also too very just only such into onto about over under after before between during through while because since
although though however if both each other some any all more most many much up out less least fewer neither without same own again further once first
s t re ve ll d isn't aren't wasn't weren't don't doesn't didn't hasn't haven't hadn't won't wouldn't can't couldn't cannot shouldn't
"""
_DAY_WORDS = """
january february march april may june july august september october november december monday tuesday wednesday thursday friday saturday sunday
"""
_COUNTING = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty
"""
_FUNCTION, _DAYS = frozenset(_FUNCTION_WORDS.split()), frozenset(_DAY_WORDS.split())
_COUNTED = {word: str(number) for number, word in enumerate(_COUNTING.split())}
_ENDING = re.compile(r"(?<=[a-z]{3})(?:ies|ied|y|es|s|ed|ing|e)$")


def words(text: str) -> list[Word]:
    """The words of a text in order, with the breaks between its clauses; other punctuation is dropped. English words come without their endings."""
    return list(_words(simplified(unicodedata.normalize("NFKC", text))))


def _words(text: str) -> Iterator[Word]:
    for run in _RUN.finditer(text):
        if run["han"]:
            yield from _chinese(run["han"])
        elif run["number"]:
            value = Decimal(run["number"].replace(",", "").replace("\u2212", "-"))
            for large in run["large"]:
                value *= LARGE[large]
            yield Word(f"{value.normalize():f}", WordKind.NUMBER, "%" if run["percent"] else _unit(text, run.end()))
        elif run["latin"]:
            yield _latin(run["latin"].replace("’", "'"))
        else:
            yield Word(run["stop"][0], WordKind.BREAK)


def _unit(text: str, end: int) -> str:
    after = text[end : end + 1]
    return after if re.match(rf"[{HAN}]", after) else ""


def _latin(written: str) -> Word:
    word = written.lower().removesuffix("'s")
    if word in _COUNTED:
        return Word(_COUNTED[word], WordKind.NUMBER)
    is_day = word in _DAYS and not (written.islower() and word in ("may", "march"))
    if word in _FUNCTION and not is_day:
        return Word(word, WordKind.FUNCTION)
    name = not written.islower() or is_day or not word.replace("'", "").replace("-", "").isalpha()
    return Word(_ENDING.sub("", word), WordKind.NAME if name else WordKind.ACT)


def _chinese(run: str) -> Iterator[Word]:
    """The words of a run of Han characters; numerals that jieba takes for numbers or times come as numbers, whatever they are joined to."""
    tagged: list[tuple[int, str, str]] = []
    at = 0
    for word, tag in rjieba.tag(run):
        tagged.append((at, word, tag))
        at += len(word)
    counting = {
        i for start, word, tag in tagged if tag.startswith(_OF_NUMBERS) for i in range(start, start + len(word))
    }
    numerals = [
        found
        for found in _NUMERAL.finditer(run)
        if all(i in counting or run[i] in "〇零" for i in range(found.start("number"), found.end("number")))
    ]
    for start, word, tag in tagged:
        rest = [(start, start + len(word))]
        for found in numerals:
            rest = [
                piece
                for a, b in rest
                for piece in ((a, min(b, found.start())), (max(a, found.end()), b))
                if piece[0] < piece[1]
            ]
            if start <= found.start() < start + len(word):
                yield from _numeral(found, run)
        for a, b in rest:
            yield Word(run[a:b], _kind(tag) if b - a == len(word) else WordKind.FUNCTION)


def _numeral(found: re.Match[str], run: str) -> Iterator[Word]:
    value = value_of(found["number"])
    text = found["number"] if value is None else value
    yield Word(text, WordKind.NUMBER, "%" if found["percent"] else _unit(run, found.end()))


def _kind(tag: str) -> WordKind:
    if tag.startswith(_NAMES):
        return WordKind.NAME
    if tag.startswith(_NOUNS):
        return WordKind.NOUN
    return WordKind.ACT if tag.startswith(_ACTS) else WordKind.FUNCTION

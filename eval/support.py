"""How well does the check of a model's statements tell what the material says from what it does not? `python -m eval.support --dataset DIR…`.

Statements are made by script from the sets' own sentences and questions: left as they are or told otherwise with the same meaning, and altered, each in one
thing. The check sees a statement and the passage that it cites. Every choice is drawn with a fixed seed, so that two versions of the program judge the same items.
"""

import argparse
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from answer.generative import nearness
from answer.support import Material, opposites
from eval.dataset import Dataset, Entry, read_dataset
from index.tokens import simplified
from index.words import words
from xuesi.core.ports import WordKind
from xuesi.core.settings import load_settings
from xuesi.core.text import sentences
from xuesi.wiring import open_model

_PASSAGE = 600  # code points of an entry that are its passage
_MIN, _MAX = (
    12,
    90,
)  # code points of a Chinese sentence that becomes a statement; English ones may have 2.5 times as many
_CJK = re.compile(r"[\u3400-\u9fff]")
_CLAUSE = re.compile(r"[，；]|[,;](?!\d)")


@dataclass(frozen=True, slots=True)
class Item:
    """A statement that cites a passage. `kind` says how it was made; `supported` whether the passage says it."""

    kind: str
    supported: bool
    statement: str
    title: str
    passage: str


@dataclass(frozen=True, slots=True)
class _Source:
    """A sentence with the entry that it stands in, another entry that it has nothing to do with, and chance."""

    text: str
    entry: Entry
    passage: str
    other: Entry
    chance: random.Random

    @property
    def chinese(self) -> bool:
        return bool(_CJK.search(self.text))


Maker = Callable[[_Source], str | None]


def items(dataset: Dataset, *, entries: int, seed: int = 0) -> Iterator[Item]:
    """Statements made of the set: of each entry one sentence for each kind, and those of its questions."""
    chance = random.Random(seed)  # noqa: S311 a repeatable choice, no secret
    corpus = [entry for entry in dataset.corpus if len(_sentences(_passage(entry))) > 1]
    for entry in chance.sample(corpus, min(entries, len(corpus))):
        passage = _passage(entry)
        for supported, makers in ((True, FAITHFUL), (False, ALTERED)):
            for kind, make in makers.items():
                other = chance.choice(
                    [it for it in corpus[:400] if it.title != entry.title or (not entry.title and it is not entry)]
                )
                for text in chance.sample(told := _sentences(passage), len(told)):
                    made = make(_Source(text, entry, passage, other, chance))
                    if made and (made != text or kind in ("verbatim", "another passage")):
                        cited = _passage(other) if kind == "another passage" else passage
                        title = other.title if kind == "another passage" else entry.title
                        yield Item(kind, supported, made, title, cited)
                        break
    yield from _of_questions(dataset, most=entries, chance=chance)


def _passage(entry: Entry) -> str:
    text = entry.text[:_PASSAGE]
    spans = sentences(text)
    whole = [span for span in spans if span.end < len(text)] or spans
    return text[: whole[-1].end]


def _sentences(passage: str) -> list[str]:
    found = (span.of(passage) for span in sentences(passage))
    longest = {True: _MAX, False: round(2.5 * _MAX)}
    return [
        s for s in found if _MIN <= len(s) <= longest[bool(_CJK.search(s))] and s[-1] in "。.!！" and not s.count("\n")
    ]


def _joined(source: _Source) -> str | None:
    told = [span.of(source.passage) for span in sentences(source.passage)]
    at = told.index(source.text) if source.text in told else len(told)
    if at + 1 >= len(told) or len(told[at + 1]) > _MAX or not source.chinese:
        return None
    return f"{source.text.rstrip('。.')}，{told[at + 1]}"


def _clauses(source: _Source) -> str | None:
    """Without its last clause, where it has three."""
    breaks = list(_CLAUSE.finditer(source.text))
    return source.text[: breaks[-1].start()] + ("。" if source.chinese else ".") if len(breaks) > 1 else None


def _numerals(source: _Source) -> str | None:
    """Years in the other way of writing."""
    digits = "〇一二三四五六七八九"
    chinese = re.sub(r"(?<!\d)\d{4}(?=年)", lambda m: "".join(digits[int(d)] for d in m[0]), source.text)
    if chinese != source.text:
        return chinese
    return re.sub(
        r"[〇一二三四五六七八九]{4}(?=年)", lambda m: "".join(str(digits.index(d)) for d in m[0]), source.text
    )


_SAME = (
    ("因为", "由于"), ("以及", "和"), ("位于", "坐落于"), ("但是", "不过"), ("并且", "而且"), ("大约", "约"), ("目前", "现在"), ("如果", "假如"), ("因此", "所以"),
    ("成为", "变成"), ("称为", "叫做"), ("建立", "设立"), ("包括", "包含"), ("認為", "觉得"), ("认为", "觉得"), ("開始", "起初"), ("成立", "创立"), ("使用", "运用"),
    ("同时", "与此同时"), ("許多", "很多"), ("许多", "很多"), ("一些", "若干"), ("其中", "当中"), ("並且", "而且"), ("因為", "由于"), ("例如", "比如"), ("可以", "能够"),
    ("however", "but"), ("because", "since"), ("such as", "like"), ("in order to", "to"), ("began", "started"), ("large", "big"), ("many", "numerous"),
    ("use", "employ"), ("located", "situated"), ("also", "in addition"), ("while", "whereas"), ("often", "frequently"),
)  # fmt: skip


def _reworded(source: _Source) -> str | None:
    for one, other in _SAME:
        pattern = rf"\b{one}\b" if one.isascii() else one
        made = re.sub(pattern, other, source.text, count=1)
        if made != source.text:
            return made
    return None


def _lead_in(source: _Source) -> str:
    return (
        f"根据材料，{source.text}"
        if source.chinese
        else f"The passage says that {source.text[0].lower() if source.text.split()[0].lower() in ('the', 'a', 'in', 'it', 'this') else source.text[0]}{source.text[1:]}"
    )


def _fronted(source: _Source) -> str | None:
    """The year in front: 甲于1950年出生 becomes 1950年，甲出生."""
    found = re.match(r"([^，。0-9]{2,12}?)[于於在](\d{4}年)([^，。]+[，。].*)", source.text)
    return f"{found[2]}，{found[1]}{found[3]}" if found else None


def _other_number(value: str, chance: random.Random) -> str:
    digits = list(value)
    at = chance.choice(
        [i for i, d in enumerate(digits) if d.isdigit()] if len(value) < 4 else [len(value) - 1, len(value) - 2]
    )
    if not digits[at].isdigit():
        at = 0
    digits[at] = chance.choice([d for d in "123456789" if d != digits[at]])
    return "".join(digits)


_NUMBER = re.compile(
    r"(?<![\dA-Za-z])\d+(?:[.,]\d+)*(?![\d年月日])|[二三四五六七八九](?=[个個名位人种種次年天项條条岁倍])"
)
_DATE = re.compile(r"\d+(?=\s*[年月日])|(?<=\b)1[5-9]\d\d\b|\b20\d\d\b|[一二三四五六七八九](?=[月日])")


def _changed(pattern: re.Pattern[str]) -> Maker:
    def make(source: _Source) -> str | None:
        found = list(pattern.finditer(source.text))
        if not found:
            return None
        one = source.chance.choice(found)
        value = one[0]
        new = (
            _other_number(value, source.chance)
            if value[0].isdigit()
            else source.chance.choice([d for d in "二三四五六七八九" if d != value])
        )
        return source.text[: one.start()] + new + source.text[one.end() :]

    return make


def _of_kind(text: str, kind: WordKind) -> list[str]:
    """Words of that kind as they stand in the text, of two characters and more; English names of four."""
    if not _CJK.search(text):
        capital = re.findall(r"(?<=[a-z,] )[A-Z][a-z]{3,}", text)
        return capital if kind is WordKind.NAME else re.findall(r"\b[a-z]{6,}\b", text)
    return [
        w.text for w in words(text) if w.kind is kind and len(w.text) > 1 and w.text in text and not w.text.isascii()
    ]


def _replaced(kind: WordKind) -> Maker:
    def make(source: _Source) -> str | None:
        ours = _of_kind(source.text, kind)
        others = [
            w for w in _of_kind(_passage(source.other), kind) if w not in source.passage and w not in source.entry.title
        ]
        if not ours or not others:
            return None
        old = source.chance.choice(ours)
        return source.text.replace(old, source.chance.choice(others), 1)

    return make


def _negated(source: _Source) -> str | None:
    if source.chinese:
        bare = re.sub(
            r"(?<=[\u3400-\u9fff])(?:没有|沒有|不)(?=[\u3400-\u9fff]{2})(?!断|斷|同|仅|僅|久|少|过|過|论|論|管|但|只|足)",
            "",
            source.text,
            count=1,
        )
        if bare != source.text and source.chance.random() < 0.5:
            return bare
        acts = [
            w.text for w in words(source.text) if w.kind is WordKind.ACT and len(w.text) > 1 and w.text in source.text
        ]
        if not acts:
            return None
        act = source.chance.choice(acts)
        return source.text.replace(act, source.chance.choice(("没有", "不", "并未")) + act, 1)
    bare = re.sub(r"\b(?:not|never) ", "", source.text, count=1)
    if bare != source.text:
        return bare
    made = re.sub(r"\b(is|are|was|were|has|had|can|could|will|would|may)\b", r"\1 not", source.text, count=1)
    return made if made != source.text else None


def _opposite(source: _Source) -> str | None:
    for one, other in opposites():
        for a, b in ((one, other), (other, one)):
            if len(a) > 1 and not a.isascii() and a in source.text and b not in source.text:
                return source.text.replace(a, b, 1)
    for a, b in (
        ("largest", "smallest"),
        ("first", "last"),
        ("before", "after"),
        ("more", "less"),
        ("north", "south"),
        ("increased", "decreased"),
        ("highest", "lowest"),
        ("east", "west"),
        ("old", "new"),
    ):
        if re.search(rf"\b{a}\b", source.text):
            return re.sub(rf"\b{a}\b", b, source.text, count=1)
    return None


def _roles(source: _Source) -> str | None:
    """The first two names of a clause with a verb between them, each in the other's place."""
    if not source.chinese:
        return None
    for clause in _CLAUSE.split(source.text.rstrip("。")):
        its = words(clause)
        names = [i for i, w in enumerate(its) if w.kind is WordKind.NAME and len(w.text) > 1 and w.text in clause]
        if len(names) > 1 and any(w.kind is WordKind.ACT and len(w.text) > 1 for w in its[names[0] : names[1]]):
            a, b = its[names[0]].text, its[names[1]].text
            if a != b and clause.count(a) == clause.count(b) == 1:
                return source.text.replace(clause, clause.replace(a, "\0").replace(b, a).replace("\0", b))
    return None


def _added(source: _Source) -> str | None:
    others = [
        c
        for s in _sentences(_passage(source.other))
        for c in _CLAUSE.split(s.rstrip("。."))
        if len(c) > (6 if _CJK.search(c) else 25)
    ]
    if not others:
        return None
    return f"{source.text.rstrip('。.')}{'，' if source.chinese else ', and '}{source.chance.choice(others).strip()}{'。' if source.chinese else '.'}"


def _quoted(source: _Source) -> str | None:
    found = re.search(r"[“「《\"]([^”」》\"]{4,})[”」》\"]", source.text)
    if not found:
        return None
    inside = found[1]
    at = len(inside) // 2
    return source.text.replace(inside, inside[: at - 1] + inside[at + 1 :], 1)


FAITHFUL: dict[str, Maker] = {
    "verbatim": lambda source: source.text,
    "a clause left out": _clauses,
    "two sentences as one": _joined,
    "numerals rewritten": _numerals,
    "simplified characters": lambda source: simplified(source.text),
    "words replaced by like ones": _reworded,
    "with a lead-in": _lead_in,
    "year in front": _fronted,
}
ALTERED: dict[str, Maker] = {
    "number": _changed(_NUMBER),
    "date": _changed(_DATE),
    "name": _replaced(WordKind.NAME),
    "noun": _replaced(WordKind.NOUN),
    "negation": _negated,
    "opposite": _opposite,
    "roles": _roles,
    "clause added": _added,
    "quotation": _quoted,
    "another passage": lambda source: source.text,
}

_ASKS = (
    ("when", re.compile(r"什[么麼][时時](?:候|间|間)|何[时時]|[哪那]一?年|何年"), re.compile(r"^\d{3,4}年")),
    ("who", re.compile(r"[谁誰]|何人"), re.compile(r"^[\u3400-\u9fff·]{2,8}$")),
    ("where", re.compile(r"哪[里裡儿兒]|何[处處地]|什[么麼]地方"), re.compile(r"^[\u3400-\u9fff·]{2,8}$")),
    ("what", re.compile(r"什[么麼](?=[？?]?$)"), re.compile(r"^[\u3400-\u9fff·]{2,10}$")),
    ("many", re.compile(r"多少(?=[\u3400-\u9fff])"), re.compile(r"^\d+")),
)


def _of_questions(dataset: Dataset, *, most: int, chance: random.Random) -> Iterator[Item]:
    """Questions with their answer in the place of what asks, and with another answer of the same sort from the same passage."""
    corpus = {entry.id: entry for entry in dataset.corpus}
    answers: dict[tuple[str, str], list[str]] = defaultdict(list)
    asked: list[tuple[str, str, str, str, Entry]] = []
    for query, text in dataset.queries.items():
        right = sorted(dataset.right(query) & corpus.keys())
        given = dataset.answers.get(query, ())
        for sort, asks, looks in _ASKS:
            if (
                right
                and given
                and len(asks.findall(text)) == 1
                and looks.search(given[0])
                and given[0] in _passage(corpus[right[0]])
            ):
                entry = corpus[right[0]]
                answers[sort, entry.id].append(given[0])
                asked.append((sort, text, asks.pattern, given[0], entry))
                break
    for sort, text, pattern, answer, entry in chance.sample(asked, min(most, len(asked))):
        yield Item(
            "question with its answer",
            supported=True,
            statement=_told(text, pattern, answer),
            title=entry.title,
            passage=_passage(entry),
        )
        wrong = [it for it in answers[sort, entry.id] if it not in answer and answer not in it]
        if wrong:
            told = _told(text, pattern, chance.choice(wrong))
            yield Item(
                "question with another answer",
                supported=False,
                statement=told,
                title=entry.title,
                passage=_passage(entry),
            )


def _told(question: str, pattern: str, answer: str) -> str:
    told = re.sub(pattern, answer, question.rstrip("？?"), count=1) + "。"
    doubled = re.search(r"([\u3400-\u9fff])\1", told[told.find(answer) :])  # 136次 + 次
    return told.replace(f"{answer}{answer[-1]}", answer) if doubled else told


def main() -> None:
    """Judge the items of each set, and print the figures by kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", type=Path, action="append", required=True)
    parser.add_argument(
        "--entries", type=int, default=150, help="entries of a set, by chance, and its questions at most"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--judged", type=Path, help="write every item with its judgement there, one JSON object a line")
    given = parser.parse_args()
    near = nearness(open_model(load_settings()))
    judged: list[tuple[str, Item, str]] = []
    for folder in given.dataset:
        dataset = read_dataset(folder)
        for item in items(dataset, entries=given.entries, seed=given.seed):
            material = Material([(item.title, item.passage)], words=words, near=near)
            judged.append((dataset.name, item, material.supports(item.statement, [1]).fault or ""))
    report(judged)
    if given.judged:
        lines = [
            json.dumps(
                {
                    "set": s,
                    "kind": i.kind,
                    "supported": i.supported,
                    "fault": f,
                    "statement": i.statement,
                    "title": i.title,
                    "passage": i.passage,
                },
                ensure_ascii=False,
            )
            for s, i, f in judged
        ]
        given.judged.write_text("\n".join(lines) + "\n", encoding="utf-8")


def report(judged: Sequence[tuple[str, Item, str]]) -> None:
    """Print a table: of each kind and set how many passed."""
    sets = list(dict.fromkeys(name for name, _, _ in judged))
    for supported in (True, False):
        rows: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
        for name, item, fault in judged:
            if item.supported is supported:
                for kind in (item.kind, "all"):
                    for group in (name, "all"):
                        rows[kind][group].append(not fault)
        print(
            f"| {'faithful' if supported else 'altered'}: passed of | {' | '.join(sets)} | all |\n|{'---|' * (len(sets) + 2)}"
        )
        for kind in sorted(rows, key=lambda k: (k == "all", k)):
            cells = (rows[kind][group] for group in (*sets, "all"))
            print(f"| {kind} | {' | '.join(f'{sum(c) / len(c):.3f} of {len(c)}' if c else '-' for c in cells)} |")
    right = [item.supported for _, item, fault in judged if not fault]
    precision, recall = sum(right) / len(right), sum(right) / sum(item.supported for _, item, _ in judged)
    print(f"passed: precision {precision:.3f}, recall {recall:.3f}, of {len(judged)} items")


if __name__ == "__main__":
    main()

"""How does an English question go on from the one before?"""

import re

from answer.followup.lists import item
from answer.followup.thread import ENDS, Completed, Thread, after, instead, of_period, only_period

_LEAD = re.compile(r"(?:(?:and|but|so|then|ok(?:ay)?|well|now|thanks?|please)\b[,.!\s]*)+", re.IGNORECASE)
_ABOUT = re.compile(r"(?:what|how) about\s+|(?:tell|show) me (?:more )?(?:about )?", re.IGNORECASE)

_NUMBERS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ORDINAL = re.compile(
    rf"(?:what(?:'s|’s| is| was| are| were)? )?(?:the )?(?P<number>{'|'.join(_NUMBERS)}|\d{{1,2}}(?:st|nd|rd|th)|last|final)"
    r"(?: (?P<unit>one|ones|point|item|step|part|reason|measure|principle|requirement|question|thing|condition|rule))?(?: (?:say|about|then))?",
    re.IGNORECASE,
)
_IN = re.compile(r"(?:in|during|for|of)\s+", re.IGNORECASE)
_WORD = re.compile(r"[a-z0-9][\w'’-]*", re.IGNORECASE)
_LONGEST_WHAT, _LONGEST_AND = 8, 4  # words after "what about" and after "and"
_LONGEST_POINTED, _LONGEST_ENDED = 4, 4  # words of "why does that matter", of "who wrote it"


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_ASKING = _words("why when where who whom whose how what which")
_VERBS = _words("is are was were be been do does did has have had can could should shall would will may might must")
_GENERAL = _words(
    "a an the of to in on at for by with from as and or not so else much many long often far old such example examples any some there here then now"
    " more other others about one ones kind kinds happen happens happened mean means work works come comes begin end start next after before exactly"
    " anything something everything too also only all every each reason purpose difference differences apply applies i.e e.g"
)
_IT = _words("it its they them their theirs he him his she her")
_THIS = _words("this that these those")
_EMPTY = _ASKING | _VERBS | _GENERAL | _IT | _THIS
_ALONE = _ASKING | {"example", "examples", "else", "more"}
# "It is said that", "is it necessary to", "how long does it take to": the word stands for what follows.
_EXPLETIVE = re.compile(
    r"\bit\b(?:\s+\w+){0,3}?\s+(?:to|that|whether|if)\b|\bit(?:'s|’s|\s+(?:is|was|has been))\s+(?:often |sometimes |widely )?"
    r"(?:said|known|believed|true|clear|important|possible|necessary|required|allowed|forbidden)\b"
    r"|\b(?:is|was)\s+it\s+(?:true|possible|necessary|required|allowed|forbidden|important)\b|\bthey say\b|\bthat (?:is|said)\b,?(?=\s+(?:to|the|a)\b)",
    re.IGNORECASE,
)
_PLACES = (
    "Beijing|Tianjin|Shanghai|Chongqing|Hebei|Shanxi|Liaoning|Jilin|Heilongjiang|Jiangsu|Zhejiang|Anhui|Fujian|Jiangxi|Shandong|Henan|Hubei|Hunan"
    "|Guangdong|Hainan|Sichuan|Guizhou|Yunnan|Shaanxi|Gansu|Qinghai|Taiwan|Inner Mongolia|Guangxi|Tibet|Ningxia|Xinjiang|Hong Kong|Macao"
)
_PLACE = re.compile(rf"\b(?:{_PLACES})\b", re.IGNORECASE)
_DETERMINERS = {"a", "an", "the", "this", "that", "our", "their", "its", "each", "every"}


def completed(question: str, thread: Thread) -> Completed | None:
    """The whole question; None where it stands by itself."""
    said = question.rstrip(ENDS)
    lead = _LEAD.match(said)
    core = said[lead.end() :] if lead else said
    about = _ABOUT.match(core)
    what = core[about.end() :] if about else core
    return (
        _ordinal(what, thread)
        or _of_period(what, thread)
        or _and_what(what, thread, most=_LONGEST_WHAT if about else _LONGEST_AND if lead else 0)
        or (after(thread.then(f"{core}?"), thread) if _goes_on(core, thread) else None)
    )


def _ordinal(what: str, thread: Thread) -> Completed | None:
    match = _ORDINAL.fullmatch(what)
    if match is None:
        return None
    written = match["number"].lower()
    last = written in {"last", "final"}
    number = None if last else _NUMBERS.index(written) + 1 if written in _NUMBERS else int(written[:-2])
    told = item(thread.items, number)
    named = f", “{told}”" if told else ""
    return after(thread.then(f"What is the {written} {match['unit'] or 'one'}{named}?"), thread)


def _of_period(what: str, thread: Thread) -> Completed | None:
    lead = _IN.match(what)
    bare = what[lead.end() :] if lead else what
    found = only_period(bare)
    if found is None or bare[found.span.end :].strip():
        return None
    return of_period(found.span.of(bare), thread)


def _and_what(what: str, thread: Thread, *, most: int) -> Completed | None:
    words = [word.lower() for word in _WORD.findall(what)]
    if not 0 < len(words) <= most or (_ASKING | _VERBS | _IT) & set(words) or set(words) <= _EMPTY:
        return None
    there = _PLACE.search(thread.bare)
    place = _PLACE.search(what)
    if there and place and len(words) <= 2:
        return instead(thread.question.replace(there.group(), place.group()))
    like = _like(words, thread.bare)
    if like:
        return instead(f"{like[0]}{what}{like[1]}?")
    return instead(f"{thread.bare}, and what about {what}?")


def _like(words: list[str], bare: str) -> tuple[str, str] | None:
    """What stands before and after the thing in the question whose name ends in the same word: from its article, at most three words before."""
    found = list(_WORD.finditer(bare))
    end = next((i for i, word in enumerate(found) if len(words) > 1 and word.group().lower() == words[-1]), None)
    if end is None:
        return None
    for start in range(end, max(-1, end - 4), -1):
        if found[start].group().lower() in _DETERMINERS:
            return bare[: found[start].start()], bare[found[end].end() :]
    return None


def _goes_on(core: str, thread: Thread) -> bool:
    """Whether it has no word of its own, or a pronoun that nothing before it in the question explains."""
    words = [word.lower() for word in _WORD.findall(core)]
    if not words or _EXPLETIVE.search(core):
        return False
    if set(words) <= _EMPTY:
        return bool(_ALONE & set(words)) or bool((_IT | _THIS) & set(words))
    known = {word.lower() for word in _WORD.findall(thread.question)}
    for place, word in enumerate(words):
        if word in _IT:
            return True
        if word in _THIS:
            following = words[place + 1] if place + 1 < len(words) else ""
            return following in known - _EMPTY or (following in _VERBS) or len(words) <= _LONGEST_POINTED
        if word not in _EMPTY:
            return words[-1] in _IT | _THIS and len(words) <= _LONGEST_ENDED
    return False

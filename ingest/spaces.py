"""Which spaces does nobody mean? Programs that set Chinese letter by letter leave a space after each character.

A space between Chinese and Latin words stays, and so does one that a writer put between two Chinese words.
"""

import re

# A character that is set apart: an ideograph, a full-width sign or a dash, quote or ellipsis of Chinese print; a single digit among them.
_SINGLE = r"[\u2e80-\U0003ffff\u2013-\u2027]"
_SPREAD = re.compile(rf"(?<![^\s\u2e80-\U0003ffff\u2013-\u2027])(?:{_SINGLE}|\d)(?:[ \xa0\u2002-\u200a](?:{_SINGLE}|\d)){{4,}}(?![^\s\u2e80-\U0003ffff\u2013-\u2027])")  # fmt: skip
_BEFORE_SIGN = re.compile(
    r"(?<=[\u2e80-\U0003ffff])[ \xa0]+(?=[，。；：、！？）》」』】〕])|(?<=[（《「『【〔])[ \xa0]+(?=[\u2e80-\U0003ffff])"
)
_THREE = re.compile(
    r"[\u2e80-\U0003ffff].[\u2e80-\U0003ffff].[\u2e80-\U0003ffff]"
)  # single digits alone stand apart in good print too
_SPACE = re.compile(r"[ \xa0\u2002-\u200a]")


def stray_spaces(text: str) -> list[int]:
    """The places of the spaces that nobody means, in order."""
    if not _SPACE.search(text):
        return []
    spread = [
        match.start() + at.start()
        for match in _SPREAD.finditer(text)
        if _THREE.search(match.group())
        for at in _SPACE.finditer(match.group())
    ]
    signs = [i for match in _BEFORE_SIGN.finditer(text) for i in range(match.start(), match.end())]
    return sorted({*spread, *signs})

"""In what encoding is a text written? Byte order marks, UTF-16 and UTF-32 without one, UTF-8, GB18030 and Big5; anything else is guessed."""

import codecs
import string
from dataclasses import dataclass

import charset_normalizer

from xuesi.core.errors import UnreadableDocument

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PUNCTUATION = string.punctuation + "，。、；：？！“”‘’（）《》【】—…·"
_FEW = 0.002  # share of characters that may be damaged before the guess is thought to be wrong
_SAMPLE_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, the encoding it was written in, and how many characters were damaged (U+FFFD stands for them)."""

    text: str
    encoding: str
    damaged: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence where something was damaged."""
        if not self.damaged:
            return ()
        return (f"{self.damaged} damaged characters ({self.encoding}) are shown as \ufffd.",)


# A handful of bytes with zeros among them is as likely to be anything else.
_LEAST_WIDE = 16


def decode(data: bytes, *, declared: str = "") -> Decoded:
    """The text of `data`.

    Args:
        data: All bytes of the file.
        declared: The encoding that the file itself names, asked after byte order marks and UTF-8.

    Raises:
        UnreadableDocument: If no encoding fits.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _lenient(data, encoding)
    wide = _unmarked_wide(data)
    if wide:
        return _lenient(data, wide)
    utf8 = _lenient(data, "utf-8")
    if utf8.damaged <= _FEW * len(utf8.text):
        return utf8
    if declared and _known(declared):
        as_declared = _lenient(data, "gb18030" if declared.lower() in ("gb2312", "gbk", "x-gbk") else declared)
        if as_declared.damaged <= _FEW * len(as_declared.text):
            return as_declared
    return _chinese(data) or _guessed(data)


def preview(head: bytes) -> str | None:
    """The beginning of a file as text, for a look at it (what is not ASCII may be missing); None if the bytes are no text."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return head.decode(encoding, errors="ignore")
    wide = _unmarked_wide(head)
    if wide and len(head) >= _LEAST_WIDE:
        return head.decode(wide, errors="ignore")
    controls = sum(byte < 0x20 and byte not in b"\t\n\r\f\v\x1b" for byte in head)
    return head.decode("utf-8", errors="ignore") if controls <= len(head) // 200 else None


def _lenient(data: bytes, encoding: str) -> Decoded:
    try:
        return Decoded(data.decode(encoding), encoding, 0)
    except UnicodeDecodeError:
        text = data.decode(encoding, errors="replace")
        return Decoded(text, encoding, text.count("\ufffd"))


def _known(encoding: str) -> bool:
    try:
        codecs.lookup(encoding)
    except LookupError:
        return False
    return True


def _unmarked_wide(data: bytes) -> str:
    """UTF-16 or UTF-32 without a byte order mark: ASCII characters (line ends at least) leave zero bytes in their places."""
    head = data[: _SAMPLE_BYTES // 4 * 4]
    if not head or b"\0" not in head:
        return ""
    zeros = [head[i::4].count(0) / (len(head) / 4) for i in range(4)]
    if zeros[2] > 0.9 and zeros[3] > 0.9 and zeros[0] < 0.5:
        return "utf-32-le"
    if zeros[0] > 0.9 and zeros[1] > 0.9 and zeros[3] < 0.5:
        return "utf-32-be"
    pairs = head[: len(head) // 2 * 2]
    texts = [(pairs.decode(encoding, errors="replace"), encoding) for encoding in ("utf-16-le", "utf-16-be")]
    text, encoding = max(
        texts, key=lambda pair: sum(c in " \n，。、的" for c in pair[0])
    )  # the other way round: other characters
    usual = sum(c.isalnum() or c.isspace() or c in _PUNCTUATION for c in text)
    return encoding if usual > 0.9 * len(text) and "\0" not in text and "\ufffd" not in text[:-1] else ""


def _chinese(data: bytes) -> Decoded | None:
    """GB18030 or Big5, whichever turns more of the bytes into everyday characters; None where neither does."""
    fits = [(_everyday_share(data[:_SAMPLE_BYTES], encoding), encoding) for encoding in ("gb18030", "big5hkscs")]
    share, encoding = max(fits)
    decoded = _lenient(data, encoding)
    return decoded if share > 0.6 and decoded.damaged <= 5 * _FEW * len(decoded.text) else None


def _everyday_share(data: bytes, encoding: str) -> float:
    """Share of the characters beyond ASCII that stand in the encoding's table of everyday characters and punctuation."""
    text = data.decode(encoding, errors="replace")
    beyond = [char for char in text if not char.isascii()]
    if not beyond:
        return 0.0
    first, last = (0xB0, 0xD7) if encoding == "gb18030" else (0xA4, 0xC6)  # level 1 of GB 2312; of Big5
    everyday = 0
    for char in beyond:
        code = char.encode(encoding, errors="ignore")
        everyday += len(code) == 2 and (first <= code[0] <= last or 0xA1 <= code[0] <= 0xA3)
    return everyday / len(beyond)


def _guessed(data: bytes) -> Decoded:
    best = charset_normalizer.from_bytes(data).best()
    if best is None:
        raise UnreadableDocument(
            "The file's text is in no encoding that can be told.", hint="Save it as UTF-8 and add it again."
        )
    return _lenient(data, best.encoding)

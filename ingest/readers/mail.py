"""What does a mail say? From, to, when and about what; its text; and what is attached, which are documents of their own."""

import re
from collections.abc import Sequence
from pathlib import Path

from ingest.lines import unwrap
from ingest.mail import Part, attachments, bodies, day, header, open_mail, text_of
from ingest.readers.html import walk_html
from ingest.readers.ooxml import office_errors
from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind
from xuesi.core.ports import Reading
from xuesi.core.text import canonical

_HAN = re.compile(r"[\u3400-\u9fff]")
_LABELS = ("From", "To", "Cc", "Date", "Attachments")
_LABELS_IN_CHINESE = ("发件人", "收件人", "抄送", "日期", "附件")


class MailReader:
    """EML, and web pages saved as MHT. One page: the subject as heading, the headers that people read, the text."""

    def read(self, path: Path, *, password: str | None = None) -> Reading:
        """As `Reader.read`; an encrypted mail (S/MIME) holds no text."""
        del password
        with office_errors("EML"):
            return self._read(path)

    def _read(self, path: Path) -> Reading:
        mail = open_mail(path)
        builder = TextBuilder()
        subject, sent = header(mail, "Subject"), day(mail)
        builder.add(BlockKind.HEADING, subject, level=1)
        said = [header(mail, name) for name in _LABELS[:3]]
        *heads, attached = _labelled(mail, [*said, sent, ", ".join(name for name, _ in attachments(mail))])
        for line in heads:
            builder.add(BlockKind.PARAGRAPH, line)
        for part in bodies(mail):
            _add(part, builder)
        builder.add(BlockKind.PARAGRAPH, attached)
        return builder.reading(properties={"title": subject, "author": header(mail, "From"), "created": sent[:10]})


def _labelled(mail: Part, said: Sequence[str]) -> list[str]:
    """What the headers say, each behind its label in the mail's own language; empty where it says nothing."""
    is_chinese = _HAN.search(header(mail, "Subject")) or any(_HAN.search(text_of(part)) for part in bodies(mail))
    form, labels = ("{}：{}", _LABELS_IN_CHINESE) if is_chinese else ("{}: {}", _LABELS)
    return [form.format(label, what) if what else "" for label, what in zip(labels, said, strict=True)]


def _add(part: Part, builder: TextBuilder) -> None:
    text = text_of(part)
    if part.get_content_type() == "text/html":
        walk_html(text, builder)
        return
    for paragraph in unwrap(canonical(text)):
        builder.add(BlockKind.PARAGRAPH, paragraph)

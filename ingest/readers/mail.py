"""What does a mail say? From, to, when and about what; its text; and what is attached, which are documents of their own."""

from pathlib import Path

from ingest.lines import unwrap
from ingest.mail import Part, attachments, bodies, day, header, open_mail, text_of
from ingest.readers.html import walk_html
from ingest.readers.ooxml import office_errors
from ingest.readers.text_builder import TextBuilder
from xuesi.core.domain import BlockKind
from xuesi.core.ports import Reading
from xuesi.core.text import canonical


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
        for name in ("From", "To", "Cc"):
            if said := header(mail, name):
                builder.add(BlockKind.PARAGRAPH, f"{name}: {said}")
        if sent:
            builder.add(BlockKind.PARAGRAPH, f"Date: {sent}")
        for part in bodies(mail):
            _add(part, builder)
        names = [name for name, _ in attachments(mail)]
        if names:
            builder.add(BlockKind.PARAGRAPH, f"Attachments: {', '.join(names)}")
        return builder.reading(properties={"title": subject, "author": header(mail, "From"), "created": sent[:10]})


def _add(part: Part, builder: TextBuilder) -> None:
    text = text_of(part)
    if part.get_content_type() == "text/html":
        walk_html(text, builder)
        return
    for paragraph in unwrap(canonical(text)):
        builder.add(BlockKind.PARAGRAPH, paragraph)

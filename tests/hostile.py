"""Files that are made to do harm, for more than one test."""

import io

from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject, NumberObject, PdfObject


def a_pdf_that_takes_hours() -> bytes:
    """A small PDF of one page that takes hours to read or draw: a form that draws another ten times, thirty deep."""
    writer = PdfWriter()
    page = writer.add_blank_page(200, 200)
    inner = writer._add_object(_form(b"0 0 m 200 200 l S", {}))
    for _ in range(30):
        inner = writer._add_object(_form(b"/F Do " * 10, {NameObject("/F"): inner}))
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/XObject"): DictionaryObject({NameObject("/F"): inner})}
    )
    content = DecodedStreamObject()
    content.set_data(b"/F Do")
    page[NameObject("/Contents")] = writer._add_object(content)
    writer.write(target := io.BytesIO())
    return target.getvalue()


def _form(content: bytes, forms: dict[PdfObject, PdfObject]) -> DecodedStreamObject:
    form = DecodedStreamObject()
    form.set_data(content)
    form.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Form"),
            NameObject("/BBox"): ArrayObject(NumberObject(value) for value in (0, 0, 200, 200)),
            NameObject("/Resources"): DictionaryObject({NameObject("/XObject"): DictionaryObject(forms)}),
        }
    )
    return form

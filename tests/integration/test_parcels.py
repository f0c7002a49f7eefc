"""A ZIP gives its files and a mail its attachments, each a document of its own; nothing that a name or a size claims does harm."""

import hashlib
import io
import itertools
import zipfile
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from pathlib import Path

import pytest

from ingest.formats import MAIL, detect, open_reader
from ingest.intake import Accepted, Duplicate, Metadata, Outcome
from ingest.mail import attachments, day, header, is_mail, open_mail
from tests.workshop import Workshop, open_workshop
from xuesi.core.errors import (
    DocumentTooLarge,
    EmptyFile,
    EncryptedDocument,
    InvalidInput,
    TooMuchToRead,
    UnreadableDocument,
    UnsupportedFormat,
)


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with open_workshop(tmp_path / "var", max_unpacked_mb=5) as opened:
        yield opened


def a_zip(files: Mapping[str, str | bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def take(workshop: Workshop, data: bytes, file_name: str = "材料.zip", **told: str) -> list[Outcome]:
    outcomes = workshop.intake.take_all(io.BytesIO(data), file_name=file_name, metadata=Metadata.parse(told))
    assert not any((workshop.settings.data_dir / "unpacking").iterdir())
    return outcomes


def ends(outcomes: list[Outcome]) -> list[tuple[str, type]]:
    return [(it.name, type(it.became)) for it in outcomes]


def text(number: int) -> str:
    return f"第{number}份材料。调查研究是谋事之基、成事之道。"


# ZIP -----------------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["zip", "mail"])
def test_a_file_inside_may_share_the_lock_of_the_file_around_it(workshop: Workshop, kind: str) -> None:
    inside = text(1).encode()
    lock = hashlib.sha256(inside).hexdigest()[:2]  # as index/catalogue/files.py names it

    def around(number: int) -> bytes:
        if kind == "zip":
            return a_zip({"第一期.txt": inside, "第二期.txt": text(number)})
        mail = EmailMessage()
        mail["From"], mail["Subject"] = "bangongshi@example.org", f"材料{number}"
        mail.set_content("请查收。")
        mail.add_attachment(inside, maintype="text", subtype="plain", filename="第一期.txt")
        return bytes(mail)

    data = next(it for it in map(around, itertools.count(2)) if hashlib.sha256(it).hexdigest().startswith(lock))
    assert {type(it.became) for it in take(workshop, data, file_name=f"材料.{'zip' if kind == 'zip' else 'eml'}")} == {
        Accepted
    }


def test_every_file_in_a_zip_becomes_a_document_of_its_name(workshop: Workshop) -> None:
    inner = a_zip({"[Content_Types].xml": "wordprocessingml.document.main"})
    data = a_zip({"通知/": "", "通知/第一期.txt": text(1), "通知/附件/第二期.md": text(2), "正文.docx": inner})
    outcomes = take(workshop, data, kind="regulation")
    assert ends(outcomes) == [
        ("材料.zip/通知/第一期.txt", Accepted),
        ("材料.zip/通知/附件/第二期.md", Accepted),
        ("材料.zip/正文.docx", Accepted),
    ]
    first = outcomes[0].became
    assert isinstance(first, Accepted)
    assert (first.document.title, first.version.file_name, first.document.kind) == (
        "第一期",
        "第一期.txt",
        "regulation",
    )
    assert workshop.files.original(first.version.sha256).read_text(encoding="utf-8") == text(1)
    assert ends(take(workshop, data))[:2] == [
        ("材料.zip/通知/第一期.txt", Duplicate),
        ("材料.zip/通知/附件/第二期.md", Duplicate),
    ]
    assert len(list((workshop.settings.data_dir / "files").iterdir())) == 3  # the archive itself is not kept


@pytest.mark.parametrize("encoding", ["gbk", "utf-8", "big5"])
def test_names_without_the_mark_of_utf8_are_read_as_they_were_written(workshop: Workshop, encoding: str) -> None:
    names = ["學習資料/調查研究工作通知.txt" if encoding == "big5" else "学习资料/调查研究工作通知.txt", "read me.txt"]
    outcomes = take(workshop, _with_lengths(names, encoding))
    assert [it.name for it in outcomes] == [f"材料.zip/{name}" for name in names]


def _with_lengths(names: list[str], encoding: str) -> bytes:
    """A ZIP as programs of that code page write it: ASCII names of the same length first, then the bytes put in their places."""
    places = [f"{i:0{len(name.encode(encoding))}}" for i, name in enumerate(names)]
    data = a_zip({place: text(i) for i, place in enumerate(places)})
    for place, name in zip(places, names, strict=True):
        data = data.replace(place.encode(), name.encode(encoding))
    return data


def test_names_that_lead_elsewhere_lead_nowhere(workshop: Workshop, tmp_path: Path) -> None:
    names = ("../../上面.txt", "/etc/绝对.txt", "C:\\Windows\\盘符.txt", "..\\..\\反斜.txt", "a/./../b/中间.txt")
    outcomes = take(workshop, a_zip({name: text(i) for i, name in enumerate(names)}))
    assert [it.name.removeprefix("材料.zip/") for it in outcomes] == [
        "上面.txt",
        "etc/绝对.txt",
        "Windows/盘符.txt",
        "反斜.txt",
        "a/b/中间.txt",
    ]
    assert all(isinstance(it.became, Accepted) for it in outcomes)
    assert not list(tmp_path.rglob("上面.txt"))


def test_what_is_hidden_or_left_by_a_system_is_left_out(workshop: Workshop) -> None:
    names = ("__MACOSX/._a.txt", ".DS_Store", "a/.git/config", "~$a.docx", "a/Thumbs.db", "好.txt")
    assert ends(take(workshop, a_zip(dict.fromkeys(names, text(1))))) == [("材料.zip/好.txt", Accepted)]


def test_a_bad_member_does_not_lose_the_others(workshop: Workshop) -> None:
    link = zipfile.ZipInfo("链接.txt")
    link.external_attr = 0o120777 << 16
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("一.txt", text(1))
        archive.writestr("坏.txt", text(2))
        archive.writestr("程序.exe", b"MZ\0\0")
        archive.writestr("空.txt", "")
        archive.writestr("大.txt", b"x" * 1_200_000, zipfile.ZIP_DEFLATED)
        archive.writestr("里面.zip", a_zip({"更里面.txt": text(3)}))
        archive.writestr(link, "/etc/passwd")
        archive.writestr("三.txt", text(4))
    data = target.getvalue().replace(text(2).encode(), text(9).encode()[::-1])
    assert ends(take(workshop, data)) == [
        ("材料.zip/一.txt", Accepted),
        ("材料.zip/坏.txt", UnreadableDocument),
        ("材料.zip/程序.exe", UnsupportedFormat),
        ("材料.zip/空.txt", EmptyFile),
        ("材料.zip/大.txt", DocumentTooLarge),
        ("材料.zip/里面.zip", UnsupportedFormat),
        ("材料.zip/链接.txt", UnsupportedFormat),
        ("材料.zip/三.txt", Accepted),
    ]


def _locked(password: bytes) -> bytes:
    """A ZIP with the old encryption of ZIP, which Python reads and does not write."""
    import binascii
    import struct
    import zlib

    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte: int) -> None:
        keys[0] = ~zlib.crc32(bytes([byte]), ~keys[0] & 0xFFFFFFFF) & 0xFFFFFFFF
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = ~zlib.crc32(bytes([keys[1] >> 24]), ~keys[2] & 0xFFFFFFFF) & 0xFFFFFFFF

    def encrypt(byte: int) -> int:
        k = keys[2] | 2
        mask = ((k * (k ^ 1)) >> 8) & 0xFF
        update(byte)
        return byte ^ mask

    for byte in password:
        update(byte)
    plain = text(1).encode()
    crc = binascii.crc32(plain)
    sealed = bytes(encrypt(byte) for byte in bytes(11) + bytes([crc >> 24]) + plain)
    facts = struct.pack("<HHHHHIIIHH", 20, 1, 0, 0, 0x21, crc, len(sealed), len(plain), 5, 0)
    local = b"PK\x03\x04" + facts + b"a.txt" + sealed
    central = b"PK\x01\x02" + struct.pack("<H", 20) + facts + struct.pack("<HHHII", 0, 0, 0, 0, 0) + b"a.txt"
    return local + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def test_an_encrypted_zip_opens_with_its_password_only(workshop: Workshop) -> None:
    with pytest.raises(EncryptedDocument, match="password"):
        take(workshop, _locked(b"secret"))
    assert ends(take(workshop, _locked(b"secret"), password="wrong")) == [("材料.zip/a.txt", EncryptedDocument)]
    (outcome,) = take(workshop, _locked(b"secret"), password="secret")
    assert isinstance(outcome.became, Accepted)
    assert workshop.files.original(outcome.became.version.sha256).read_text(encoding="utf-8") == text(1)


def test_archives_that_unpack_to_too_much_are_refused_before_they_are_unpacked(workshop: Workshop) -> None:
    many = {f"{i}.txt": b"0" * 900_000 for i in range(6)}
    with pytest.raises(TooMuchToRead, match="max_unpacked_mb"):
        take(workshop, a_zip(many, compression=zipfile.ZIP_DEFLATED))
    with pytest.raises(TooMuchToRead, match="2001 files"):
        take(workshop, a_zip({f"{i}.txt": "x" for i in range(2001)}))


@pytest.mark.parametrize("told", [60, 10**9])
def test_a_member_that_lies_about_its_size_gains_nothing(workshop: Workshop, told: int) -> None:
    data = a_zip({"a.txt": b"0" * 1_000_000, "b.txt": text(2)}, compression=zipfile.ZIP_DEFLATED)
    data = data.replace((1_000_000).to_bytes(4, "little"), told.to_bytes(4, "little"))
    if told > 5_000_000:
        with pytest.raises(TooMuchToRead):
            take(workshop, data)
    else:
        assert ends(take(workshop, data)) == [("材料.zip/a.txt", UnreadableDocument), ("材料.zip/b.txt", Accepted)]


def test_zips_that_are_none(workshop: Workshop) -> None:
    with pytest.raises(EmptyFile):
        take(workshop, a_zip({"空的/": ""}))
    with pytest.raises(UnreadableDocument):
        take(workshop, a_zip({"a.txt": text(1)})[:-30])
    with pytest.raises(InvalidInput, match="title"):
        take(workshop, a_zip({"a.txt": text(1)}), title="一个标题")
    document = workshop.accepted(text(5), "a.txt").document
    with pytest.raises(UnsupportedFormat, match="archive"):
        workshop.take(a_zip({"a.txt": text(1)}), "b.zip", document_id=document.id)


# Mail ----------------------------------------------------------------------------------------------------------------


def a_mail(subject: str = "关于报送学习体会的通知", **parts: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = "宣传部 <xcb@example.org>", "各支部 <all@example.org>"
    mail["Date"], mail["Subject"] = "Tue, 18 Apr 2023 09:30:00 +0800", subject
    mail.set_content(parts.get("plain", "请各支部于月底前报送学习体会。\n"))
    if "html" in parts:
        mail.add_alternative(parts["html"], subtype="html")
    return mail


def read(path: Path) -> list[str]:
    found = detect(path, path.name)
    assert found is MAIL
    return open_reader(found).read(path).text.split("\n")


def test_a_mail_says_who_when_what_and_prefers_its_rich_text(tmp_path: Path) -> None:
    rows = "<table><tr><td>支部</td><td>期限</td></tr><tr><td>一</td><td>4月30日</td></tr></table>"
    mail = a_mail(html=f"<html><body><p>请按下表报送。</p>{rows}<script>x()</script></body></html>")
    mail.add_attachment(b"x", maintype="application", subtype="octet-stream", filename="名单.txt")
    (tmp_path / "a.eml").write_bytes(mail.as_bytes())
    assert read(tmp_path / "a.eml") == [
        "关于报送学习体会的通知",
        "发件人：宣传部 <xcb@example.org>",
        "收件人：各支部 <all@example.org>",
        "日期：2023-04-18 09:30",
        "请按下表报送。",
        "支部 | 期限",
        "一 | 4月30日",
        "附件：名单.txt",
    ]
    reading = open_reader(MAIL).read(tmp_path / "a.eml")
    assert (reading.properties["title"], reading.properties["created"]) == ("关于报送学习体会的通知", "2023-04-18")


def test_an_english_mail_has_english_labels(tmp_path: Path) -> None:
    mail = a_mail("Reports are due", plain="Send them by the end of the month.\n")
    mail.replace_header("From", "Office <office@example.org>")
    (tmp_path / "a.eml").write_bytes(mail.as_bytes())
    lines = read(tmp_path / "a.eml")
    assert lines[:2] == ["Reports are due", "From: Office <office@example.org>"]
    assert "Date: 2023-04-18 09:30" in lines


@pytest.mark.parametrize(
    ("head", "body"),
    [
        # encoded words that call GBK gb2312 (镕 is in GBK only), one word cut in the middle of a character
        (b"Subject: =?gb2312?B?" + b"1uw=?= =?gb2312?B?6ebl?=\r\nContent-Type: text/plain; charset=gb2312\r\nContent-Transfer-Encoding: 8bit", "朱镕"),
        # raw bytes where only ASCII may stand
        (b"Subject: " + "朱镕基".encode("gbk") + b"\r\nContent-Type: text/plain", "朱镕基"),
        (b"Subject: " + "朱镕基".encode() + b'\r\nContent-Type: text/plain; charset="x-unknown"', "朱镕基"),
        (b"Subject: =?GB18030?B?w/y7qNDO?=\r\nContent-Type: text/plain; charset=GB18030", "命花形"),
    ],
)  # fmt: skip
def test_chinese_in_every_charset_that_mails_use(tmp_path: Path, head: bytes, body: str) -> None:
    del body
    text_in = "主题教育要求广大党员深入学习、调查研究。"
    encoding = "utf-8" if b"x-unknown" in head else "gb18030"
    path = tmp_path / "a.eml"
    path.write_bytes(
        b"From: a@example.org\r\nTo: b@example.org\r\n"
        + head
        + b"\r\nMIME-Version: 1.0\r\n\r\n"
        + text_in.encode(encoding)
    )
    lines = read(path)
    assert lines[-1] == text_in
    assert "\ufffd" not in "".join(lines)
    assert "=?" not in lines[0]


def test_attachments_are_documents_and_what_only_decorates_is_not(workshop: Workshop) -> None:
    inner = a_mail("转发的通知")
    mail = a_mail()
    mail.add_attachment(text(1).encode(), maintype="text", subtype="plain", filename="附件一.txt")
    mail.add_attachment(a_zip({"附件二.txt": text(2)}), maintype="application", subtype="zip", filename="打包.zip")
    mail.add_attachment(inner)
    mail.add_attachment(b"MZ\0\0", maintype="application", subtype="octet-stream", filename="程序.exe")
    mail.add_attachment(b"sign", maintype="application", subtype="pkcs7-signature", filename="smime.p7s")
    mail.add_attachment(b"logo", maintype="image", subtype="png", filename="logo.png", cid="<logo>")
    outcomes = take(workshop, mail.as_bytes(), "通知.eml", title="给邮件的标题")
    assert ends(outcomes) == [
        ("通知.eml", Accepted),
        ("通知.eml/附件一.txt", Accepted),
        ("通知.eml/打包.zip/附件二.txt", Accepted),
        ("通知.eml/转发的通知.eml", Accepted),
        ("通知.eml/程序.exe", UnsupportedFormat),
    ]
    titles = [it.became.document.title for it in outcomes if isinstance(it.became, Accepted)]
    assert titles == ["给邮件的标题", "附件一", "附件二", "转发的通知"]


def test_nothing_is_unpacked_deeper_than_a_zip_in_a_mail(workshop: Workshop) -> None:
    mail = a_mail()
    mail.add_attachment(a_zip({"内.txt": text(1)}), maintype="application", subtype="zip", filename="内.zip")
    outcomes = take(workshop, a_zip({"信.eml": mail.as_bytes()}))
    assert ends(outcomes) == [("材料.zip/信.eml", Accepted), ("材料.zip/信.eml/内.zip", UnsupportedFormat)]


def test_notes_that_look_a_little_like_a_mail_are_none() -> None:
    assert not is_mail("Subject: 学习\n\n正文".encode())
    assert not is_mail("主题：学习\nFrom: a\nTo: b\nDate: c".encode())
    assert is_mail(a_mail().as_bytes())


def test_a_mail_without_end_or_sense_is_an_error_or_text(tmp_path: Path) -> None:
    start = b"From: a@b.c\r\nTo: d@e.f\r\nSubject: =?utf-8?B?!!!!?=\r\nDate: never\r\n"
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (i, i) for i in range(400))
    (tmp_path / "a.eml").write_bytes(start + nested + b"x")
    mail = open_mail(tmp_path / "a.eml")
    assert (day(mail), list(attachments(mail))) == ("never", [])
    assert header(mail, "To") == "d@e.f"


def test_a_mail_is_worked_on_to_its_end(workshop: Workshop) -> None:
    outcomes = take(workshop, a_mail().as_bytes(), "通知.eml")
    workshop.work()
    assert isinstance(outcomes[0].became, Accepted)
    assert workshop.job(outcomes[0].became).stage == "publishing"
    assert workshop.catalogue.document(outcomes[0].became.document.id).title == "关于报送学习体会的通知"


def test_where_a_file_was_found_is_still_known_when_it_has_been_read(workshop: Workshop) -> None:
    (inside,) = take(workshop, a_zip({"通知/一.txt": text(1)}))
    fetched = workshop.intake.take_all(
        io.BytesIO(text(2).encode()), file_name="a.txt", metadata=Metadata(), origin="https://example.org/a.txt"
    )
    workshop.work()
    for outcome, origin in ((inside, "材料.zip/通知/一.txt"), (fetched[0], "https://example.org/a.txt")):
        assert isinstance(outcome.became, Accepted)
        quality = workshop.version(outcome.became).quality
        assert (quality["origin"], quality["warnings"]) == (origin, [])

"""Office files of old formats and under passwords are opened before they are read, under limits, and the original stays what it was."""

import contextlib
import io
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import docx
import msoffcrypto.format.ooxml
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

import ingest.formats
from ingest.apart import landlock, office
from ingest.apart.limits import Limits
from ingest.apart.office import CONVERTED
from ingest.apart.process import ROOT
from ingest.apart.reading import ReadingApart, reason
from ingest.formats import DOCX, detect
from tests.tools import needs_libreoffice
from tests.workshop import open_workshop
from xuesi.core.domain import JobState
from xuesi.core.errors import EncryptedDocument, TooMuchToRead, UnreadableDocument, UnsupportedFormat
from xuesi.core.ports import Reading

SECRET = "别的文件里的话"
LINES = ("读书班实施方案", "读书班从四月二十日开始，为期五天。", "每天上午自学，下午研讨。")


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[ReadingApart]:
    with contextlib.closing(ReadingApart(tmp_path / "reading", Limits())) as reading:
        yield reading


def read(apart: ReadingApart, path: Path, name: str, password: str | None = None) -> Reading:
    return apart.read(path, name, password=password, watch=lambda *_: None)


def a_docx(path: Path) -> Path:
    made = docx.Document()
    for line in LINES:
        made.add_paragraph(line)
    made.save(str(path))
    return path


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DOC as LibreOffice writes it."""
    needs_libreoffice()
    folder = tmp_path_factory.mktemp("old")
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    source = a_docx(folder / "a.docx")
    linked = docx.Document()
    (folder / "secret.txt").write_text(SECRET, encoding="utf-8")
    for part in (f'INCLUDETEXT "{folder}/secret.txt"', f'LINK Word.Document.8 "{folder}/secret.txt" "" \\a'):
        runs = linked.add_paragraph()._p
        for element in (
            '<w:fldChar w:fldCharType="begin"/>', f"<w:instrText> {part} </w:instrText>", '<w:fldChar w:fldCharType="separate"/>',
            "<w:t>旧的内容</w:t>", '<w:fldChar w:fldCharType="end"/>',
        ):  # fmt: skip
            runs.append(parse_xml(f"<w:r {nsdecls('w')}>{element}</w:r>"))
    linked.save(str(folder / "linked.docx"))
    command = [
        str(ingest.formats.soffice()),
        "--headless",
        profile,
        "--convert-to",
        "doc",
        "--outdir",
        str(folder),
        str(source),
        str(folder / "linked.docx"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return folder / "a.doc"


# Old formats ---------------------------------------------------------------------------------------------------------


def test_a_doc_under_any_name_is_read_and_stays_the_original(old: Path, tmp_path: Path) -> None:
    with open_workshop(tmp_path / "var") as workshop:
        taken = workshop.accepted(old.read_bytes(), "实施方案.wps")
        assert workshop.version(taken).media_type == "application/msword"
        workshop.work()
        version = workshop.version(taken)
        assert workshop.files.text(version).split("\n") == list(LINES)
        assert version.quality["warnings"] == [CONVERTED]
        assert workshop.files.original(version.sha256).read_bytes() == old.read_bytes()
        assert version.file_name == "实施方案.wps"
        assert not any(it.is_dir() for it in (workshop.settings.data_dir / "reading").iterdir())


def test_a_doc_that_links_another_file_does_not_bring_it_in(apart: ReadingApart, old: Path) -> None:
    linked = old.with_name("linked.doc")
    assert "secret.txt".encode("utf-16-le") in linked.read_bytes()
    assert read(apart, linked, "linked.doc").text.split("\n") == ["旧的内容", "旧的内容"]


def test_no_macro_runs_and_no_section_is_fetched_where_libreoffice_opens_a_document(tmp_path: Path) -> None:
    needs_libreoffice()
    (tmp_path / "secret.txt").write_text(SECRET, encoding="utf-8")
    place = tmp_path / "place"
    place.mkdir()
    source = an_odt_with_macro_and_link(tmp_path / "a.odt", (tmp_path / "secret.txt").as_uri(), place / "ran.txt")
    opened = office.OfficeApart(Limits(), reason)
    with contextlib.closing(opened):
        made = opened._converted(source, "docx", place, lambda *_: None)
    assert [it.text for it in docx.Document(str(made)).paragraphs if it.text] == ["前文", "旧的内容"]
    assert not (place / "ran.txt").exists()


def an_odt_with_macro_and_link(path: Path, linked: str, written: Path) -> Path:
    """A text whose macro writes a file when it is opened, and one section of which stands in another file."""
    name = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = " ".join(f'xmlns:{part}="{name}:{part}:1.0"' for part in ("office", "text", "script", "manifest"))
    spaces += ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dom="http://www.w3.org/2001/xml-events"'
    run = "vnd.sun.star.script:Standard.M.Main?language=Basic&amp;location=document"
    event = f'<script:event-listener script:language="ooo:script" script:event-name="dom:load" xlink:href="{run}"/>'
    section = f'<text:section text:name="S"><text:section-source xlink:href="{linked}" text:filter-name="Text"/><text:p>旧的内容</text:p></text:section>'
    library = 'xmlns:library="http://openoffice.org/2000/library"'
    code = f"Sub Main\nOpen &quot;{written}&quot; For Output As #1\nPrint #1, &quot;ran&quot;\nClose #1\nEnd Sub"
    parts = {
        "content.xml": f"<office:document-content {spaces}><office:scripts><office:event-listeners>{event}</office:event-listeners></office:scripts>"
        f"<office:body><office:text><text:p>前文</text:p>{section}</office:text></office:body></office:document-content>",
        "Basic/script-lc.xml": f'<library:libraries {library}><library:library library:name="Standard" library:link="false"/></library:libraries>',
        "Basic/Standard/script-lb.xml": f'<library:library {library} library:name="Standard"><library:element library:name="M"/></library:library>',
        "Basic/Standard/M.xml": f'<script:module xmlns:script="http://openoffice.org/2000/script" script:name="M" script:language="StarBasic">{code}</script:module>',
    }
    kind = "application/vnd.oasis.opendocument.text"
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{name}" manifest:media-type="{media}"/>'
        for name, media in (("/", kind), *((name, "text/xml") for name in parts))
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", kind)
        for name, content in parts.items():
            archive.writestr(name, content)
        archive.writestr("META-INF/manifest.xml", f"<manifest:manifest {spaces}>{entries}</manifest:manifest>")
    return path


def test_without_libreoffice_the_refusal_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "a.doc"
    path.write_bytes(ingest.formats.OLE + bytes(504) + "WordDocument".encode("utf-16-le"))
    with pytest.raises(UnsupportedFormat) as refused:
        detect(path, "a.doc")
    assert "apt-get install libreoffice-writer-nogui" in refused.value.hint
    assert "DOCX" in refused.value.hint


@pytest.mark.parametrize(("name", "says"), [("a.msg", "Outlook"), ("a.db", "not known")])
def test_other_compound_files_are_named(tmp_path: Path, name: str, says: str) -> None:
    path = tmp_path / name
    stream = "__properties_version1.0" if name == "a.msg" else "Catalog"
    path.write_bytes(ingest.formats.OLE + bytes(504) + stream.encode("utf-16-le"))
    with pytest.raises(UnsupportedFormat, match=says):
        detect(path, name)


def test_a_doc_that_is_damaged_is_an_error_in_words(apart: ReadingApart, tmp_path: Path) -> None:
    needs_libreoffice()
    path = tmp_path / "a.doc"
    path.write_bytes(ingest.formats.OLE + os.urandom(5_000) + "WordDocument".encode("utf-16-le"))
    with pytest.raises(UnreadableDocument):
        read(apart, path, "a.doc")


def _program(folder: Path, code: str) -> Path:
    """What stands for LibreOffice."""
    place = folder / "soffice"
    place.write_text(f"#!{Path(sys.executable).resolve()}\n{code}", encoding="utf-8")
    place.chmod(0o755)
    return place


def test_a_program_that_does_not_end_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import os, time\nos.fork()\nopen(f'pid-{os.getpid()}', 'w').close()\ntime.sleep(600)\n"
    program = _program(tmp_path, code)
    monkeypatch.setattr(office, "soffice", lambda: program)
    monkeypatch.setattr(ingest.formats, "soffice", lambda: program)
    monkeypatch.setattr(
        office.OfficeApart, "_unlocked", lambda _, path, *__: path
    )  # what is in the file does not matter here
    path = tmp_path / "a.wps"
    path.write_bytes(ingest.formats.OLE + bytes(2_000))
    seen: list[int] = []

    def watch(_done: int, _total: int) -> None:
        places = list((tmp_path / "reading").rglob("pid-*"))
        if len(places) == 2:
            seen[:] = [int(place.name.removeprefix("pid-")) for place in places]

    apart = ReadingApart(tmp_path / "reading", Limits(convert_s=15))
    with contextlib.closing(apart), pytest.raises(TooMuchToRead, match="convert_timeout_s"):
        apart.read(path, "a.wps", watch=watch)
    assert len(seen) == 2
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{process}").exists() and _is_alive(process) for process in seen):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is the kernel's of Linux")
def test_the_program_has_no_network_no_secrets_and_only_its_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
import json, os, resource, socket, sys
def tried(family):
    try:
        socket.socket(family).close()
    except OSError as error:
        return error.errno
    return 0
def seen(place):
    try:
        return open(place).read()
    except OSError as error:
        return error.errno
facts = {"secret": seen("../secret.txt"), "parent": seen(f"/proc/{os.getppid()}/environ"), "own": seen("own.txt"), "inet": tried(socket.AF_INET), "inet6": tried(socket.AF_INET6), "unix": tried(socket.AF_UNIX), "names": sorted(os.environ),
         "file": resource.getrlimit(resource.RLIMIT_FSIZE)[0], "data": resource.getrlimit(resource.RLIMIT_DATA)[0]}
open(os.environ["XUESI_TEST_SAYS"] if "XUESI_TEST_SAYS" in os.environ else "said", "w").write(json.dumps(facts))
"""
    monkeypatch.setenv("XUESI_ADMIN_TOKEN", "secret")
    place = tmp_path / "programs" / "bin"
    place.mkdir(parents=True)
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "secret.txt").write_text("谁也不该看")
    (work / "own.txt").write_text("自己的")
    process = subprocess.run(
        [sys.executable, "-P", "-B", "-c", office._START, str(ROOT), _limits_json(), str(_program(place, code))],
        cwd=work, env=office._environment(work), check=True, timeout=120,
    )  # fmt: skip
    import errno
    import json

    del process
    facts = json.loads((work / "said").read_text())
    if landlock.is_known():
        assert (facts["secret"], facts["parent"], facts["own"]) == (errno.EACCES, errno.EACCES, "自己的")
    assert (facts["inet"], facts["inet6"], facts["unix"]) == (errno.EACCES, errno.EACCES, 0)
    assert not [name for name in facts["names"] if name.startswith(("XUESI_", "http"))]
    assert (facts["file"], facts["data"]) == (7_000_000, 600_000_000)


def _limits_json() -> str:
    import json
    from dataclasses import asdict

    return json.dumps(asdict(Limits(memory_mb=300, output_mb=7)))


def test_nothing_in_a_document_runs_or_is_fetched_by_the_profile() -> None:
    profile = office._profile()
    for setting in ("DisableMacrosExecution", "BlockUntrustedRefererLinks"):
        assert f'"{setting}" oor:op="fuse"><value>true<' in profile


# Passwords -----------------------------------------------------------------------------------------------------------


def locked(password: str) -> bytes:
    plain, sealed = io.BytesIO(), io.BytesIO()
    made = docx.Document()
    for line in LINES:
        made.add_paragraph(line)
    made.save(plain)
    msoffcrypto.format.ooxml.OOXMLFile(plain).encrypt(password, sealed)
    return sealed.getvalue()


def test_an_encrypted_office_file_is_read_with_its_password_only(tmp_path: Path) -> None:
    data = locked("谁知盘中餐")
    with open_workshop(tmp_path / "var") as workshop:
        taken = workshop.accepted(data, "方案.docx")
        assert workshop.version(taken).media_type == DOCX.media_type
        workshop.work()
        assert workshop.job(taken).error_code == "encrypted-document"
        assert "password" in workshop.job(taken).error_detail
        again = workshop.accepted(data, "方案.docx", password="wrong")
        workshop.work()
        assert workshop.job(again).state is JobState.FAILED
        right = workshop.accepted(data, "方案.docx", password="谁知盘中餐")
        workshop.work()
        assert workshop.job(right).stage == "publishing"
        assert workshop.files.text(workshop.version(right)).split("\n") == list(LINES)
        assert workshop.secrets == []
        assert workshop.files.original(right.version.sha256).read_bytes() == data
        kept = [place for place in workshop.settings.data_dir.rglob("*") if place.is_file()]
        assert not [place for place in kept if zipfile.is_zipfile(place)]  # the unlocked copy is gone


def test_a_file_locked_against_changes_only_opens_by_itself(apart: ReadingApart, tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(locked("VelvetSweatshop"))
    assert read(apart, path, "a.docx").text.split("\n") == list(LINES)


def test_an_encrypted_file_that_is_cut_off_is_damaged_or_locked(apart: ReadingApart, tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(locked("word")[:6_000])
    with pytest.raises((UnreadableDocument, EncryptedDocument)):
        read(apart, path, "a.docx", "word")

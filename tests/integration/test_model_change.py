"""Does another embedding model take the place of the present one while that goes on answering, whatever happens meanwhile?"""

import contextlib
import io
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

import xuesi.wiring
from api.app import create_app
from index.catalogue.catalogue import open_catalogue
from ingest.filling import Filler
from ingest.intake import Accepted
from ingest.lease import Left
from ingest.metadata import Metadata
from ingest.worker import drain
from tests.api_library import BASE
from tests.index_samples import WordEmbedder
from xuesi.core import models
from xuesi.core.domain import JobState, Version, VersionState
from xuesi.core.errors import IndexMismatch, InvalidInput, Misconfigured, ModelUnavailable, StorageFull, WrongState
from xuesi.core.models import Choice
from xuesi.core.ports import Embedded, EmbeddedQuery, EmbedInput, Floats
from xuesi.core.settings import Settings
from xuesi.offline import change_model_offline
from xuesi.services import Services
from xuesi.wiring import open_services

_GUARD_S = 120.0
_WORDS = ("读书班", "调查研究", "专题党课", "整改台账", "基层联系点", "民主生活会", "应知应会", "学习笔记")


class Turned(WordEmbedder):
    """As `WordEmbedder` in a space of its own: of another dimension, and turned about, so that no vector of one model fits those of another."""

    def __init__(self, name: str, *, more: int) -> None:
        """`before` is called before passages are embedded; `passages` and `questions` are what was embedded."""
        self.fingerprint = name
        self.dimension = WordEmbedder.dimension + more
        self.before: Callable[[Sequence[EmbedInput]], object] = lambda _: None
        self.passages: list[str] = []
        self.questions = 0

    def embed_passages(self, inputs: Sequence[EmbedInput]) -> Embedded:
        self.before(inputs)
        made = super().embed_passages(inputs)
        self.passages += [it.text for it in inputs]
        none = np.zeros((0, self.dimension), np.float32)
        return Embedded(self._turned(made.passages), tuple(none for _ in inputs), made.tokens)

    def embed_query(self, text: str) -> EmbeddedQuery:
        self.questions += 1
        asked = super().embed_query(text)
        return EmbeddedQuery(self._turned(asked.vector[None])[0], asked.tokens)

    def _turned(self, vectors: Floats) -> Floats:
        turned = np.zeros((len(vectors), self.dimension), np.float32)
        turned[:, : vectors.shape[1]] = vectors[:, ::-1]
        return turned


class Library:
    """Opened parts of a server, whose threads work, and what a worker does for it."""

    def __init__(self, services: Services, known: dict[str, Turned]) -> None:
        self.services = services
        self.known = known
        self.catalogue, self.files, self.change = services.catalogue, services.files, services.change

    def add(self, *words: str, count: int = 3) -> list[Version]:
        """A live document about each of these words."""
        taken = []
        for word in words:
            text = "\n\n".join(f"{word}的第{i}条要求：{word}要抓紧抓实，每个单位都要落实到人。" for i in range(count))
            source, told = io.BytesIO(text.encode()), Metadata(title=word)
            taken.append(self.services.intake.take(source, file_name=f"{word}.txt", metadata=told))
        self.work()
        return [self.catalogue.version_by_id(it.version.id) for it in taken if isinstance(it, Accepted)]

    def work(self) -> None:
        """What waits, until it is live."""
        now = self.services.embedder
        drain(catalogue=self.catalogue, files=self.files, embedder=now, settings=self.services.settings)
        self.until(lambda: not self.catalogue.jobs(state=JobState.RUNNING, limit=1)[0])

    def filler(self, *, stopping: threading.Event | None = None, busy: Callable[[], bool] = lambda: False) -> Filler:
        """The background part of a worker that has just started."""
        return Filler(
            catalogue=self.catalogue,
            files=self.files,
            embedder_of=lambda following: self.known[following.choice.name],
            batch=1,
            busy=busy,
            stopping=stopping or threading.Event(),
        )

    def fill(self) -> int:
        """Embed what lacks, as a worker does that nobody disturbs; 0 if the change ends meanwhile."""
        try:
            return self.filler().step()
        except Left:
            return 0

    def until(self, reached: Callable[[], bool]) -> None:
        """Wait for what the server's threads do."""
        deadline = time.monotonic() + _GUARD_S
        while not reached():
            assert time.monotonic() < deadline, "it did not come to that"
            time.sleep(0.02)

    def until_in_force(self, name: str) -> None:
        self.until(lambda: self.in_force == name and list(self.services.embedders) == [name])
        assert self.change.progress() is None

    @property
    def in_force(self) -> str:
        return self.services.indexes.fingerprint

    def found(self, word: str) -> tuple[str, float]:
        """The title of the best hit, and its cosine, which is the same in every model's space."""
        hits = self.services.searcher.search(f"{word}的第1条要求", limit=1).hits
        return (hits[0].document.title, round(hits[0].explain.dense, 3)) if hits else ("", 0.0)


@contextlib.contextmanager
def opened(folder: Path, known: dict[str, Turned], **settings: Any) -> Iterator[Library]:
    """A library in the folder; models can be opened by the names of `known`."""

    def open_model(own: Settings) -> Turned:
        if own.embedding_model not in known:
            raise Misconfigured(f"There is no model {own.embedding_model}.", hint="Look where it is.")
        return known[own.embedding_model]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xuesi.wiring, "open_model", open_model)
        with open_services(Settings(data_dir=folder, **({"embedding_model": "old"} | settings))) as services:
            yield Library(services, known)


@pytest.fixture
def known() -> dict[str, Turned]:
    return {"old": Turned("old", more=0), "new": Turned("new", more=16), "other": Turned("other", more=8)}


@pytest.fixture
def library(tmp_path: Path, known: dict[str, Turned]) -> Iterator[Library]:
    with opened(tmp_path / "var", known) as it:
        yield it


@contextlib.contextmanager
def asked_all_the_time(library: Library, words: Sequence[str]) -> Iterator[Counter[str]]:
    """Search for these without a pause; what was found wrong or raised is told at the end. Counts answers."""
    right = {word: library.found(word) for word in words}
    assert [title for title, _ in right.values()] == list(words)
    answers, wrong, over = Counter[str](), list[Any](), threading.Event()

    def ask() -> None:
        while not over.is_set():
            for word in words:
                try:
                    if (found := library.found(word)) != right[word]:
                        wrong.append((word, found, right[word]))
                except Exception as error:  # noqa: BLE001 told below
                    wrong.append((word, error))
                answers[word] += 1

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_the_new_model_takes_over_while_every_question_is_answered_right(
    library: Library, known: dict[str, Turned]
) -> None:
    words = _WORDS[:4]
    *_, gone = library.add(*words, "作废的文件")
    with asked_all_the_time(library, words) as answers:
        assert library.services.change_model("new")
        assert library.services.change_model("new")  # asked for again, it goes on
        added: list[str] = []

        def meanwhile(inputs: Sequence[EmbedInput]) -> None:
            if not added:  # while the first version is embedded, a document comes and another one goes
                added.append("新来的文件")
                library.add("新来的文件")
                library.services.remove(gone.document_id, now=True)

        known["new"].before = meanwhile
        assert library.in_force == "old"
        while library.in_force == "old":
            library.fill()
        library.until_in_force("new")
        told = sum(answers.values())
        library.until(lambda: sum(answers.values()) > told + 20)
    assert known["new"].questions > 0
    assert library.found("新来的文件")[0] == "新来的文件"
    assert library.found("作废的文件")[0] != "作废的文件"
    counts = library.services.indexes.vectors.count(), library.services.indexes.lexical.count()
    assert counts == (library.catalogue.counts()["live_passages"],) * 2
    library.until(lambda: [it.code for it in library.services.doctor()] == ["vectors-kept", "model-setting"])


def test_whoever_is_interrupted_goes_on_with_the_first_version_that_is_not_complete(
    library: Library, known: dict[str, Turned]
) -> None:
    versions = library.add(*_WORDS[:5])
    library.services.change_model("new")
    stopping, new = threading.Event(), known["new"]
    new.before = lambda _: stopping.set() if len(new.passages) == 2 else None
    with pytest.raises(Left):
        library.filler(stopping=stopping).step()
    assert ["new" in library.files.embedded(version) for version in versions] == [True] * 2 + [False] * 3
    progress = library.change.progress()
    assert progress is not None
    assert (progress.stage, progress.done, progress.total) == ("embedding", 2, 5)
    new.passages.clear()
    assert library.fill() == 3
    assert len(new.passages) == 3
    library.until_in_force("new")
    assert [library.found(word)[0] for word in _WORDS[:5]] == list(_WORDS[:5])


def test_jobs_go_before(library: Library, known: dict[str, Turned]) -> None:
    library.add(_WORDS[0])
    library.services.change_model("new")
    job, stopping = threading.Event(), threading.Event()
    job.set()
    filling = threading.Thread(target=library.filler(stopping=stopping, busy=job.is_set).run_forever)
    filling.start()
    time.sleep(0.3)
    assert known["new"].passages == []
    job.clear()
    library.until_in_force("new")
    stopping.set()
    filling.join()


def test_two_workers_share_the_work(library: Library, known: dict[str, Turned]) -> None:
    library.add(*_WORDS[:6])
    library.services.change_model("new")
    known["new"].before = lambda _: time.sleep(0.02)
    threads = [threading.Thread(target=library.fill) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    library.until_in_force("new")
    assert len(known["new"].passages) == len(set(known["new"].passages))  # none twice


def test_a_title_that_changes_meanwhile_is_embedded_anew(library: Library, known: dict[str, Turned]) -> None:
    first, second = library.add(*_WORDS[:2])
    library.services.change_model("new")
    known["new"].before = lambda _: library.change.cancel() if known["new"].passages else None
    library.fill()
    known["new"].before = lambda _: None
    assert library.files.embedded(first)["new"] == _WORDS[0]
    library.services.intake.change(first.document_id, {"title": "另一个题目"})
    library.work()
    library.services.change_model("new")
    assert library.in_force == "old"
    library.fill()
    library.until_in_force("new")
    assert library.files.embedded(first) == {"old": "另一个题目", "new": "另一个题目"}
    assert library.files.embedded(second) == {"old": _WORDS[1], "new": _WORDS[1]}


def test_the_way_back_embeds_nothing_until_the_old_vectors_are_dropped(
    library: Library, known: dict[str, Turned], tmp_path: Path
) -> None:
    versions = library.add(*_WORDS[:3], count=20)
    asked = [library.found(word) for word in _WORDS[:3]]
    before = _bytes(tmp_path)
    library.services.change_model("new")
    library.fill()
    library.until_in_force("new")
    made = len(known["old"].passages)
    library.services.change_model("old")  # nothing lacks
    library.until_in_force("old")
    assert len(known["old"].passages) == made
    assert [library.found(word) for word in _WORDS[:3]] == asked
    held = _bytes(tmp_path)
    dropped = library.change.drop_old()
    assert dropped.versions == 3
    assert dropped.bytes > sum(version.passages for version in versions) * known["new"].dimension * 4
    assert _bytes(tmp_path) == held - dropped.bytes == before
    assert not [version for version in versions if "new" in library.files.embedded(version)]
    assert library.change.drop_old().bytes == 0
    library.services.change_model("new")
    assert library.change.progress() is not None
    assert library.fill() == 3


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "var" / "files").rglob("*.npy"))


def test_a_change_may_be_given_up_and_taken_up_again(library: Library, known: dict[str, Turned]) -> None:
    library.add(_WORDS[0])
    with pytest.raises(WrongState):
        library.change.cancel()
    library.services.change_model("new")
    with pytest.raises(WrongState, match="new"):
        library.services.change_model("other")
    library.change.cancel()
    assert library.change.progress() is None
    assert library.fill() == 0
    assert library.services.change_model("other")
    library.fill()
    library.until_in_force("other")
    assert not library.services.change_model("other")  # in force already
    assert known["new"].passages == []


def test_a_model_that_is_not_there_is_refused_and_nothing_has_begun(
    library: Library, known: dict[str, Turned], monkeypatch: pytest.MonkeyPatch
) -> None:
    library.add(_WORDS[0])
    with pytest.raises(InvalidInput, match="nowhere"):
        library.services.change_model("nowhere")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    with pytest.raises(StorageFull, match="drop-old"):
        library.services.change_model("new")
    assert library.change.progress() is None
    assert library.found(_WORDS[0])[0] == _WORDS[0]


def test_what_keeps_the_change_from_getting_on_is_told_and_the_old_model_answers(
    library: Library, known: dict[str, Turned]
) -> None:
    library.add(*_WORDS[:3])
    library.services.change_model("new")
    away = ModelUnavailable("The server is away.", hint="Start it.")

    def fail(inputs: Sequence[EmbedInput]) -> None:
        if _WORDS[0] in inputs[0].text:
            raise away

    known["new"].before = fail
    stopping = threading.Event()
    filling = threading.Thread(target=library.filler(stopping=stopping).run_forever)
    filling.start()
    try:
        library.until(lambda: (now := library.change.progress()) is not None and now.total - now.done == 3)
        library.until(lambda: (now := library.change.progress()) is not None and now.problem is not None)
        now = library.change.progress()
        assert now is not None
        assert now.problem is not None
        assert now.problem.code == "model-unavailable"
        assert _WORDS[0] in now.problem.detail
        assert "Start it." in now.problem.detail
        (told,) = (it for it in library.services.doctor() if it.code == "model-change")
        assert told.severity == "warning"
        assert library.in_force == "old"
        assert library.found(_WORDS[0])[0] == _WORDS[0]
    finally:
        stopping.set()
        filling.join()
    known["new"].before = lambda _: None
    library.fill()
    library.until_in_force("new")


def test_a_failure_while_the_new_indexes_are_built_leaves_the_old_ones_in_force(
    library: Library, monkeypatch: pytest.MonkeyPatch, known: dict[str, Turned]
) -> None:
    library.add(_WORDS[0])
    full = StorageFull("The disk is full.")

    def fail(_: Any) -> Any:
        raise full

    known["new"].before = lambda _: monkeypatch.setattr("index.change.take_in", lambda *_: fail(None))
    library.services.change_model("new")
    library.fill()
    library.until(lambda: (now := library.change.progress()) is not None and now.problem is not None)
    assert library.in_force == "old"
    assert list(library.services.embedders) == ["old"]
    assert library.found(_WORDS[0])[0] == _WORDS[0]
    monkeypatch.undo()
    library.add(_WORDS[1])
    assert library.found(_WORDS[1])[0] == _WORDS[1]


def test_a_version_embedded_with_the_model_before_goes_back_to_the_worker(
    library: Library, known: dict[str, Turned]
) -> None:
    library.add(_WORDS[0])
    library.services.change_model("new")
    library.fill()

    def switch(_: Sequence[EmbedInput]) -> None:
        known["old"].before = lambda _: None
        library.until_in_force("new")

    known["old"].before = switch  # a worker embeds with the old model while the new one takes over
    taken = library.services.intake.take(
        io.BytesIO("迟到的文件，内容很短。".encode()), file_name="a.txt", metadata=Metadata(title="迟到")
    )
    assert isinstance(taken, Accepted)
    old = known["old"]
    drain(catalogue=library.catalogue, files=library.files, embedder=old, settings=library.services.settings)
    library.until(lambda: library.catalogue.job(taken.job.id).state is JobState.QUEUED)
    assert library.catalogue.job(taken.job.id).error_code == "index-mismatch"
    library.work()
    assert library.catalogue.version_by_id(taken.version.id).state is VersionState.LIVE
    assert library.catalogue.job(taken.job.id).state is JobState.DONE
    assert library.found("迟到的文件")[0] == "迟到"


def test_a_removed_document_can_be_restored_after_the_change(library: Library, known: dict[str, Turned]) -> None:
    gone, _ = library.add(*_WORDS[:2])
    library.services.remove(gone.document_id)
    library.services.change_model("new")
    library.fill()
    library.until_in_force("new")
    library.catalogue.restore_document(gone.document_id, at=datetime.now(UTC))
    library.until(lambda: not library.catalogue.handed_over())
    library.work()  # the publisher gave it to the worker
    assert library.found(_WORDS[0])[0] == _WORDS[0]
    assert "new" in library.files.embedded(gone)


def test_what_is_purged_while_it_is_embedded_leaves_no_file(library: Library, known: dict[str, Turned]) -> None:
    (gone,) = library.add(_WORDS[0])
    library.services.change_model("new")

    def purge(_: Sequence[EmbedInput]) -> None:
        library.services.remove(gone.document_id, now=True)
        library.until(lambda: not library.catalogue.deleted())

    known["new"].before = purge
    library.fill()
    assert not (library.services.settings.data_dir / "files" / gone.sha256).exists()


def test_the_choice_holds_after_a_restart_as_long_as_the_setting_says_nothing_new(
    tmp_path: Path, known: dict[str, Turned]
) -> None:
    with opened(tmp_path, known) as library:
        library.add(_WORDS[0])
        library.services.change_model("new")
    with opened(tmp_path, known) as library:  # it goes on where it was
        library.fill()
        library.until_in_force("new")
        assert library.services.embedding_model == "new"
    for setting in ("old", "new"):
        with opened(tmp_path, known, embedding_model=setting) as library:
            assert library.in_force == "new"
            assert library.found(_WORDS[0])[0] == _WORDS[0]
            told = [it.code for it in library.services.doctor()]
            assert told == ["vectors-kept", "model-setting"] if setting == "old" else ["vectors-kept"]
    with pytest.raises(IndexMismatch, match="reindex --model other"), opened(tmp_path, known, embedding_model="other"):
        pass
    moved = {"elsewhere": known["new"], **known}
    with opened(tmp_path, moved, embedding_model="elsewhere") as library:  # the same model in another place
        assert library.found(_WORDS[0])[0] == _WORDS[0]
    del known["new"]
    with pytest.raises(Misconfigured, match="chosen for the library") as refused, opened(tmp_path, known):
        pass
    assert "reindex --model" in refused.value.hint


def test_without_a_server_the_change_is_made_at_once_and_goes_on_where_it_was(
    tmp_path: Path, known: dict[str, Turned]
) -> None:
    with opened(tmp_path, known) as library:
        library.add(*_WORDS[:3])
    del known["old"]  # nor is the old model needed
    settings, told = Settings(data_dir=tmp_path, embedding_model="old"), list[tuple[int, int]]()

    def interrupt(done: int, total: int) -> None:
        told.append((done, total))
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xuesi.wiring, "open_model", lambda own: known[own.embedding_model])
        with pytest.raises(KeyboardInterrupt):
            change_model_offline(settings, "new", base_url="", progress=interrupt)
        assert told == [(1, 3)]
        passages = change_model_offline(settings, "new", base_url="", progress=lambda *now: told.append(now))
    assert passages == 3
    assert told == [(1, 3), (2, 3), (3, 3)]
    with opened(tmp_path, known) as library:
        assert [library.found(word)[0] for word in _WORDS[:3]] == list(_WORDS[:3])


def test_page_and_interface_tell_how_far_the_change_is(library: Library) -> None:
    library.add(*_WORDS[:2])
    client = TestClient(create_app(library.services), base_url=BASE)
    assert client.get("/api/v1/embedding-model").json() == {"model": "old", "fingerprint": "old", "next": None}
    begun = client.post("/api/v1/embedding-model", json={"model": "new"})
    assert begun.status_code == 202
    following = begun.json()["next"]
    assert (following["model"], following["stage"], following["done"], following["total"]) == ("new", "embedding", 0, 2)
    assert "0 of 2 passages" in client.get("/library", headers={"Accept-Language": "en"}).text
    assert client.post("/api/v1/embedding-model", json={"model": "nowhere"}).status_code == 409
    assert client.post("/api/v1/embedding-model/cancel").json()["next"] is None
    refused = client.post("/api/v1/embedding-model", json={"model": "nowhere"})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-input")
    code = client.post("/api/v1/embedding-model", json={"model": "llama-index:os:abort"})
    assert code.status_code == 422
    assert "XUESI_EMBEDDING_MODEL" in code.json()["hint"]
    assert client.post("/api/v1/embedding-model/drop-old").json() == {"versions": 0, "bytes": 0}


def test_code_is_loaded_only_where_the_settings_name_it(tmp_path: Path) -> None:
    named, settings = Choice("llama-index:os:abort", "", "embedded"), Settings(data_dir=tmp_path)
    with open_catalogue(f"sqlite:///{tmp_path / 'catalogue.db'}") as catalogue:
        models.choose(catalogue, named, "as a backup may say")
        with pytest.raises(Misconfigured, match="is code"):
            models.settings_in_force(settings, catalogue)
        own = settings.model_copy(update={"embedding_model": named.name})
        assert models.settings_in_force(own, catalogue).embedding_model == named.name

"""How does a file become passages that can be cited? read ▶ cut ▶ embed, the whole path on this page.

What a worker makes of a version lies in the catalogue (pages, passages) and beside its files (text, boxes, vectors) when it is done. The
indexes are not touched here: the server's publisher takes the version into them and makes it live.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from ingest.names import title_of_name, title_of_reading
from ingest.passages import cut
from ingest.signature import signature
from ingest.suggest import suggest
from xuesi.core.domain import Document, Passage, Span, Version, VersionState
from xuesi.core.errors import Conflict, NoText
from xuesi.core.ports import (
    Catalogue,
    Embedder,
    EmbedInput,
    Files,
    Floats,
    Halves,
    Ints,
    Reading,
    SentenceVectors,
    TokenCodes,
)
from xuesi.core.text import in_context, sentences

Progress = Callable[[str, int, int], None]
# Passages given to the embedder at once, in its batches: enough that it can put passages of like length together, few enough that
# progress shows and a cancelled job is left within seconds.
_BATCHES_AT_ONCE = 8
_KEPT = ("origin",)  # what the intake knew of a version


def _unwatched(_stage: str, _done: int, _total: int) -> None:
    """Where nobody watches."""


def ingest(  # noqa: PLR0913 the parts that it joins
    version: Version,
    *,
    catalogue: Catalogue,
    files: Files,
    read: Callable[..., Reading],
    embedder: Embedder,
    passage_chars: int,
    batch: int,
    refuse_same: bool = True,
    progress: Progress = _unwatched,
) -> None:
    """Read a version's file, cut it into passages and embed them. What an earlier attempt left is replaced.

    Args:
        version: The version, whose original is kept.
        catalogue: Takes pages and passages.
        files: Takes text, boxes and vectors.
        read: Reads a file of that name apart, as `ReadingApart.read`.
        embedder: Makes the vectors.
        passage_chars: Longest passage of Chinese, in code points.
        batch: Passages in one forward pass.
        refuse_same: Whether the text of another document may not come in again.
        progress: Called with stage, done and total. What it raises ends the work and passes.

    Raises:
        InvalidInput: If the file cannot be read: encrypted, damaged, without text, beyond a limit.
        DuplicateDocument: If another document has the same text.
        ParserCrashed: If the process that read it died.
        ModelUnavailable: If the embedder does not answer.
        StorageFull: If the disk is.
    """
    progress(VersionState.READING, 0, 0)
    reading = read(files.original(version.sha256), version.file_name, watch=partial(progress, VersionState.READING))
    document = _titled(version, reading, catalogue)
    passages = cut(
        reading,
        version.id,
        max_chars=passage_chars,
        count_tokens=embedder.count_tokens,
        max_tokens=embedder.max_tokens,
        title=document.title,
    )
    if not passages:
        raise NoText("The file opens, but there is no text in it.", hint="If it is a scan, add a version with text.")
    progress(VersionState.READING, len(reading.pages), len(reading.pages))
    files.put_reading(version, reading)
    catalogue.save_reading(
        version.id,
        pages=reading.pages,
        passages=passages,
        chars=len(reading.text),
        quality=_quality(reading) | {name: version.quality[name] for name in _KEPT if name in version.quality},
        report=reading.report,
    )
    found = suggest(reading)
    catalogue.save_findings(version.id, text=signature(reading.text), suggestions=found, refuse_same=refuse_same)
    del reading, passages  # of a file of thousands of pages they are large, and embedding takes long
    embed_version(version, catalogue=catalogue, files=files, embedder=embedder, batch=batch, progress=progress)


def read_again(
    version: Version,
    *,
    catalogue: Catalogue,
    files: Files,
    read: Callable[..., Reading],
    embedder: Embedder,
    batch: int,
    progress: Progress = _unwatched,
) -> None:
    """Read the file of a version that was live, and put back what was made of it: text, boxes, outline, the passages' texts, and vectors.

    Its passages are cited, so they keep their ids and spans, and the text must be the one that they were cut from.

    Raises:
        Conflict: If the file reads otherwise now; nothing is changed then.
        InvalidInput, ParserCrashed, ModelUnavailable, StorageFull: As `ingest`.
    """
    progress(VersionState.READING, 0, 0)
    reading = read(files.original(version.sha256), version.file_name, watch=partial(progress, VersionState.READING))
    passages = catalogue.passages(version.id)
    differing = {it.ordinal: it.span.of(reading.text) for it in passages if it.span.of(reading.text) != it.text}
    known = catalogue.text_sha256(version.id)
    same = not differing if known is None else signature(reading.text).text_sha256 == known
    if not same or len(reading.text) != version.chars:
        raise Conflict(
            f"Read again, {version.file_name} gives another text than the one that is cited.",
            hint="Restore a backup; or save the original, remove the document and add it anew.",
        )
    files.put_reading(version, reading)
    if differing:
        catalogue.put_texts(version.id, differing)
    del reading, passages
    embed_version(version, catalogue=catalogue, files=files, embedder=embedder, batch=batch, progress=progress)


def embed_version(
    version: Version,
    *,
    catalogue: Catalogue,
    files: Files,
    embedder: Embedder,
    batch: int,
    progress: Progress = _unwatched,
) -> None:
    """Embed the passages that the catalogue has of a version, and keep the vectors beside its files and beside those of other models.

    The version may be live: it stays live, its passages keep their ids, and the same model's vectors from before stay until the new ones replace
    them all at once. If the title is changed meanwhile, the passages are embedded once more, since it is embedded with each of them.

    Raises:
        DocumentNotFound: If the document was deleted.
        ModelUnavailable: If the embedder does not answer.
        StorageFull: If the disk is.
    """
    passages = catalogue.passages(version.id)
    title = None
    while title != (title := catalogue.document(version.document_id).title):
        vectors, parts, tokens = [], [], []
        for done, several in _several(passages, batch * _BATCHES_AT_ONCE):
            progress(VersionState.EMBEDDING, done, len(passages))
            made = embedder.embed_passages([_input(title, passage) for passage in several])
            vectors.append(made.passages)
            tokens.append(made.tokens)
            parts += [_kept_sentences(*pair) for pair in zip(several, made.sentences, strict=True)]
        progress(VersionState.EMBEDDING, len(passages), len(passages))
        files.put_vectors(
            version,
            fingerprint=embedder.fingerprint,
            title=title,
            passages=np.concatenate(vectors) if vectors else np.zeros((0, embedder.dimension), np.float32),
            sentences=_joined(parts, embedder.dimension),
            tokens=_all_tokens(tokens),
        )


def _quality(reading: Reading) -> dict[str, Any]:
    left_out = [{"what": it.what.value, "text": it.text, "pages": list(it.pages)} for it in reading.left_out]
    return {"warnings": list(reading.warnings), "properties": dict(reading.properties), "left_out": left_out}


def _titled(version: Version, reading: Reading, catalogue: Catalogue) -> Document:
    """The document, with the title that the file gives itself if nobody gave it one."""
    document = catalogue.document(version.document_id)
    found = title_of_reading(reading)
    if found is None or version.number > 1 or document.title != title_of_name(version.file_name):
        return document
    return catalogue.update_document(document.id, {"title": found})


def _several(passages: Sequence[Passage], at_once: int) -> Iterator[tuple[int, Sequence[Passage]]]:
    for start in range(0, len(passages), at_once):
        yield start, passages[start : start + at_once]


def _input(title: str, passage: Passage) -> EmbedInput:
    text, begin = in_context(title, passage.heading_path, passage.text)
    inside = sentences(passage.text)
    return EmbedInput(text, tuple(Span(begin + s.start, begin + s.end) for s in inside))


def _kept_sentences(passage: Passage, vectors: Floats) -> tuple[Ints, Ints, Halves]:
    """Spans in the version's text, ordinals and vectors of a passage's sentences; none where the embedder has none."""
    spans = [(passage.span.start + s.start, passage.span.start + s.end) for s in sentences(passage.text)]
    spans = spans if len(vectors) else []
    if len(spans) != len(vectors):
        raise ValueError(f"{len(vectors)} vectors for {len(spans)} sentences of passage {passage.id}")
    ordinals = np.full(len(spans), passage.ordinal, np.int32)
    return np.array(spans, np.int32).reshape(-1, 2), ordinals, vectors.astype(np.float16)


def _joined(parts: Sequence[tuple[Ints, Ints, Halves]], dimension: int) -> SentenceVectors:
    empty = np.zeros((0, 2), np.int32), np.zeros(0, np.int32), np.zeros((0, dimension), np.float16)
    spans, ordinals, vectors = zip(*parts, empty, strict=True)
    return SentenceVectors(np.concatenate(spans), np.concatenate(ordinals), np.concatenate(vectors))


def _all_tokens(parts: Sequence[TokenCodes | None]) -> TokenCodes | None:
    shown = [part for part in parts if part is not None]
    if not shown:
        return None
    ends = np.cumsum([len(part.codes) for part in shown])
    begins = ends - [len(part.codes) for part in shown]
    starts = np.concatenate([[0], *(begin + part.starts[1:] for begin, part in zip(begins, shown, strict=True))])
    return TokenCodes(np.concatenate([part.codes for part in shown]), starts.astype(np.int32))

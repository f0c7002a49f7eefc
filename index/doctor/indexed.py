"""Do both indexes hold exactly the passages that the catalogue knows, with the vectors that are stored?"""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from index.doctor.finding import ERROR, WARNING, Finding, Names, Parts
from index.rebuild import rebuild
from index.versions import INDEXED
from xuesi.core.domain import PassageId, Version, VersionId
from xuesi.core.errors import Corrupt, NotFound
from xuesi.core.text import counted


def examine_indexes(parts: Parts, *, deep: bool = False) -> list[Finding]:
    """Compare both ways; with `deep` also every indexed vector with the stored one."""
    indexes = parts.indexes
    if gone := [str(place) for place in indexes.folders if not place.is_dir()]:
        again = partial(rebuild, indexes, catalogue=parts.catalogue, publisher=parts.publisher)
        return [Finding("index-missing", ERROR, "The folder of an index is not there.", "xuesi doctor --repair makes both indexes anew.", tuple(gone), again)]  # fmt: skip
    with indexes.writing():  # the publisher waits, or what it takes in just now would look unknown
        wanted = _wanted(parts)
        held = {
            "vector": Counter(indexes.vectors.ids()),
            "lexical": Counter(indexes.lexical.ids()),
        }
        leaving = _leaving(parts)
    findings: list[Finding] = []
    for name, ids in held.items():
        lacking = Counter(wanted[id_].id for id_ in wanted.keys() - ids.keys())
        findings += _of_versions(parts, lacking, wanted, "missing-in-index", f"The {name} index lacks passages")
        twice = Counter(wanted[id_].id for id_, times in ids.items() if times > 1 and id_ in wanted)
        findings += _of_versions(parts, twice, wanted, "twice-in-index", f"The {name} index holds passages twice")
        findings += _unknown(parts, name, ids.keys() - wanted.keys() - leaving)
    if deep:
        differing = Counter(wanted[id_].id for id_ in _differing(parts, wanted))
        findings += _of_versions(parts, differing, wanted, "vector-differs", "The vector index holds other vectors than are stored")  # fmt: skip
    return findings


def _wanted(parts: Parts) -> dict[PassageId, Version]:
    versions = parts.catalogue.all_versions(INDEXED)
    return {passage.id: version for version in versions for passage in parts.catalogue.passages(version.id)}


def _leaving(parts: Parts) -> set[PassageId]:
    """Passages of documents that were removed just now, which the publisher is about to take out."""
    removed = parts.catalogue.deleted(parts.publisher.to_forget())
    return {passage.id for _, its in removed for version in its for passage in parts.catalogue.passages(version.id)}


def _of_versions(
    parts: Parts, passages: Counter[VersionId], wanted: dict[PassageId, Version], code: str, what: str
) -> list[Finding]:
    if not passages:
        return []
    versions = {version.id: version for version in wanted.values() if version.id in passages}
    names = Names(())
    items = tuple(
        f"{names.of(version, parts.catalogue)}: {counted(passages[version.id], 'passage')}"
        for version in versions.values()
    )
    detail = f"{what}: {counted(passages.total(), 'passage')} of {counted(len(items), 'version')}."
    mend = partial(_take_in, parts, list(versions.values()))
    return [Finding(code, ERROR, detail, "xuesi doctor --repair takes them in again.", items, mend)]


def _take_in(parts: Parts, versions: list[Version]) -> None:
    for version in versions:
        try:
            parts.publisher.index([version])
        except (NotFound, Corrupt):  # removed meanwhile; or its vectors are damaged, which is a finding of its own
            continue


def _unknown(parts: Parts, name: str, ids: set[PassageId]) -> list[Finding]:
    if not ids:
        return []
    index: Callable[[list[PassageId]], object] = (
        parts.indexes.vectors.remove if name == "vector" else parts.indexes.lexical.remove_passages
    )

    def throw_out() -> None:
        with parts.indexes.writing():
            index(sorted(ids - _wanted(parts).keys()))

    detail = f"The {name} index holds {counted(len(ids), 'passage')} that the catalogue does not know. They are never shown."  # fmt: skip
    items = tuple(f"passage {id_}" for id_ in sorted(ids))
    return [Finding("unknown-in-index", WARNING, detail, "xuesi doctor --repair throws them out.", items, throw_out)]


def _differing(parts: Parts, wanted: dict[PassageId, Version]) -> Iterator[PassageId]:
    versions = list({version.id: version for version in wanted.values()}.values())
    for version in versions:
        ids = [passage.id for passage in parts.catalogue.passages(version.id)]
        with parts.indexes.reading() as current:  # another model may take over between two versions
            try:
                stored = parts.files.vectors(version, current.fingerprint)
                tokens = parts.files.tokens(version, current.fingerprint)
            except (Corrupt, OSError, ValueError):  # a finding of its own
                continue
            indexed, codes = current.vectors.get(ids), current.vectors.tokens(ids)
        for place, (row, id_) in enumerate(zip(stored, ids, strict=False)):
            same = tokens is None or np.array_equal(codes.get(id_, ()), tokens.of(place))
            if id_ in indexed and not (same and np.allclose(indexed[id_], row, atol=1e-4)):
                yield id_

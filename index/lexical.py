"""Which passages have the question's words? BM25 on tantivy, one of the two rankings that search fuses.

The folder belongs to one process: whoever adds or removes holds tantivy's writer until `close`. Words of removed passages stay in the
segments, and so in document frequencies and in the number of documents, until tantivy merges them; that shifts all idf alike.
"""

import errno
import json
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import tantivy

from index.tokens import tokens, units
from xuesi.core.domain import PassageId, TermScore, VersionId
from xuesi.core.errors import IndexCorrupt, StorageFull, StoreUnavailable
from xuesi.core.ports import LexicalEntry, LexicalQuery
from xuesi.core.text import in_context

_OPTIONS = {"id": "basic", "version": "basic", "body": "freq", "units": "position"}
_BREAK = "¶"  # between title, headings and text, so that no phrase reaches from one into the other; never a unit
_WRITER_BYTES = 50_000_000
_FEW_TERMS = 500
_MOST_TOKENS = 256  # of a question; more cost time and are noise


class TantivyIndex:
    """Implements `LexicalIndex` in a folder."""

    def __init__(self, folder: Path) -> None:
        """Open the index, or make an empty one.

        Raises:
            IndexCorrupt: If the folder holds something that is no such index, or a damaged one.
        """
        self._folder = folder
        self._older = _schema(ordered=False)
        self._schema = _schema(ordered=True)
        self._write = Lock()
        self._writer: Any = None
        with self._translated():
            folder.mkdir(parents=True, exist_ok=True)
            self._index = self._opened()
            self._refresh()

    def _opened(self) -> Any:
        if tantivy.Index.exists(str(self._folder)):
            kept = json.loads((self._folder / "meta.json").read_text(encoding="utf-8"))
            if not any(field["name"] == "units" for field in kept["schema"]):
                self._schema = self._older
        return tantivy.Index(self._schema, path=str(self._folder))

    def close(self) -> None:
        """Let go of the writer, its merges finished."""
        with self._write, self._translated():
            if self._writer is not None:
                writer, self._writer = self._writer, None
                writer.wait_merging_threads()

    def add(self, entries: Sequence[LexicalEntry]) -> None:
        """Add or replace, and commit."""
        with self._committing() as writer:
            for entry in entries:
                writer.delete_documents_by_term("id", entry.id)
            for entry in entries:
                joined, _ = in_context(entry.title, entry.heading_path, entry.text)
                said = f" {_BREAK} ".join(
                    " ".join(units(part)) for part in (entry.title, *entry.heading_path, entry.text)
                )
                writer.add_document(
                    tantivy.Document(id=entry.id, version=entry.version_id, body=" ".join(tokens(joined)), units=said)
                )

    def remove(self, version_ids: Collection[VersionId]) -> None:
        """Forget the passages of these versions, and commit."""
        self._remove("version", version_ids)

    def remove_passages(self, ids: Collection[PassageId]) -> None:
        """Forget these passages, and commit; unknown ones are passed over."""
        self._remove("id", ids)

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text, in order, as they are indexed."""
        return tokens(text)

    def parse(self, query: str) -> LexicalQuery:
        """The question's different tokens with idf = ln(1 + (N - n + 0.5) / (n + 0.5)), n of N passages having the token.

        A token that the corpus lacks has n = 0, the highest idf. Of more than 256 tokens those that the corpus has go first, rarest first.
        """
        searcher, total = self._seen
        with self._translated():
            found = {token: searcher.doc_freq("body", token) for token in dict.fromkeys(tokens(query))}
        kept = sorted(found, key=lambda t: (found[t] == 0, found[t]))[:_MOST_TOKENS]
        idf = {token: math.log(1 + (total - found[token] + 0.5) / (found[token] + 0.5)) for token in kept}
        return LexicalQuery(idf=idf, ceiling=math.fsum(idf.values()), passages=total)

    def search(
        self,
        query: LexicalQuery,
        *,
        limit: int,
        within: Collection[VersionId] | None = None,
        phrases: Collection[str] = (),
    ) -> list[tuple[PassageId, float]]:
        """Best first with the BM25 score, ties by id. Among ties at the limit any may be left out.

        Of these versions only, if given. With phrases, those that have all of them, whether a token fits or not; nothing where `has_phrases` is false.
        """
        if not query.idf or limit < 1 or (within is not None and not within) or (phrases and not self.has_phrases):
            return []
        musts = [] if within is None else [self._among("version", within)]
        musts += [self._whole(phrase) for phrase in phrases]
        words = self._any("body", query.idf)
        return self._run(self._all(*musts, words) if not phrases else self._all(*musts, beside=words), limit)

    @property
    def has_phrases(self) -> bool:
        """Whether the folder's index knows the order of words: one that an earlier version of the program made does not."""
        return self._schema is not self._older

    def having(self, phrase: str, ids: Collection[PassageId]) -> set[PassageId]:
        """Those of the passages that have the phrase whole, whatever punctuation or white space is in it, in title, a heading or text."""
        if not ids or not self.has_phrases:
            return set()
        return {key for key, _ in self._run(self._all(self._among("id", ids), self._whole(phrase)), len(ids))}

    def score(self, query: LexicalQuery, ids: Collection[PassageId]) -> dict[PassageId, float]:
        """The same BM25 score for passages named; 0 where no token fits or the passage is not there."""
        scores = dict.fromkeys(ids, 0.0)
        if query.idf and scores:
            scores.update(self._run(self._all(self._among("id", scores), self._any("body", query.idf)), len(scores)))
        return scores

    def explain(self, query: LexicalQuery, ids: Collection[PassageId]) -> dict[PassageId, tuple[TermScore, ...]]:
        """What each token gave each passage, best first; those that gave nothing are left out."""
        given: dict[PassageId, list[TermScore]] = {passage_id: [] for passage_id in ids}
        if given:
            named = self._among("id", given)
            for token, idf in query.idf.items():
                for passage_id, score in self._run(self._all(named, self._any("body", [token])), len(given)):
                    given[passage_id].append(TermScore(term=token, score=score, idf=idf))
        return {key: tuple(sorted(terms, key=lambda t: (-t.score, t.term))) for key, terms in given.items()}

    def count(self) -> int:
        """How many passages are held."""
        return int(self._seen[0].num_docs)

    def ids(self) -> Iterator[PassageId]:
        """All ids that are held, in no order."""
        searcher, _ = self._seen
        with self._translated():
            found = searcher.search(tantivy.Query.all_query(), max(1, searcher.num_docs), count=False).hits
            yield from (PassageId(searcher.doc(address)["id"][0]) for _, address in found)

    def _any(self, field: str, terms: Iterable[str]) -> Any:
        # Terms, never tantivy's query language: whatever stands in a question is looked for and nothing else.
        option = _OPTIONS[field]
        term = tantivy.Query.term_query
        return tantivy.Query.boolean_query(
            [(tantivy.Occur.Should, term(self._schema, field, t, index_option=option)) for t in terms]
        )

    def _among(self, field: str, terms: Collection[str]) -> Any:
        """Those whose id or version is one of these, with score 0. A few single terms are faster than a set, many are slower."""
        few = len(terms) <= _FEW_TERMS
        query = self._any(field, terms) if few else tantivy.Query.term_set_query(self._schema, field, list(terms))
        return tantivy.Query.const_score_query(query, 0.0)

    def _whole(self, phrase: str) -> Any:
        """Those that have the units of the phrase in a row, with score 0. Of a phrase without a unit, none."""
        said = units(phrase)
        if len(said) < 2:
            return tantivy.Query.const_score_query(self._any("units", said), 0.0)
        return tantivy.Query.const_score_query(tantivy.Query.phrase_query(self._schema, "units", said), 0.0)

    def _all(self, *queries: Any, beside: Any = None) -> Any:
        """Those that meet every one of the queries, whether they meet the one `beside` or not; the scores add up."""
        if len(queries) == 1 and beside is None:
            return queries[0]
        clauses = [(tantivy.Occur.Must, query) for query in queries]
        return tantivy.Query.boolean_query(clauses + ([] if beside is None else [(tantivy.Occur.Should, beside)]))

    def _run(self, query: Any, limit: int) -> list[tuple[PassageId, float]]:
        searcher, _ = self._seen
        with self._translated():
            found = searcher.search(query, limit, count=False).hits
            named = [(PassageId(searcher.doc(address)["id"][0]), float(score)) for score, address in found]
        return sorted(named, key=lambda hit: (-hit[1], hit[0]))

    def _remove(self, field: str, values: Collection[str]) -> None:
        if not values:
            return
        with self._committing() as writer:
            for value in values:
                writer.delete_documents_by_term(field, value)

    @contextmanager
    def _committing(self) -> Iterator[Any]:
        with self._write, self._translated():
            if self._writer is None:
                self._writer = self._index.writer(heap_size=_WRITER_BYTES, num_threads=1)
            try:
                yield self._writer
                self._writer.commit()
            except BaseException:
                self._writer.rollback()
                raise
            self._refresh()

    def _refresh(self) -> None:
        """See what the last commit wrote. With it the N of tantivy's idf, which counts removed passages until their segment is merged."""
        self._index.reload()
        searcher = self._index.searcher()
        first = searcher.search(tantivy.Query.all_query(), 1, count=False).hits
        total = 0
        if first:
            own_id = searcher.doc(first[0][1])["id"][0]
            told = tantivy.Query.term_query(self._schema, "id", own_id, index_option="basic").explain(
                searcher, first[0][1]
            )
            total = _total(json.loads(told.to_json()))
        self._seen = searcher, total

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, OSError) as error:
            said = str(error)
            if "LockBusy" in said or "Lockfile" in said:
                raise StoreUnavailable(
                    f"Another process writes to the lexical index in {self._folder}.", hint="Stop it, then try again."
                ) from error
            if (isinstance(error, OSError) and error.errno == errno.ENOSPC) or "No space left" in said:
                raise StorageFull(f"There is no space left for the lexical index in {self._folder}.") from error
            raise IndexCorrupt(
                f"The lexical index in {self._folder} cannot be used: {said}",
                hint="Rebuild it from the catalogue: xuesi reindex",
                folder=str(self._folder),
            ) from error


def _schema(*, ordered: bool) -> Any:
    """Of the index; not `ordered` as it was before it knew the order of words."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option=_OPTIONS["id"])
    builder.add_text_field("version", tokenizer_name="raw", index_option=_OPTIONS["version"])
    builder.add_text_field("body", tokenizer_name="whitespace", index_option=_OPTIONS["body"])
    if ordered:
        builder.add_text_field("units", tokenizer_name="whitespace", index_option=_OPTIONS["units"])
    return builder.build()


def _total(explanation: dict[str, Any]) -> int:
    """N, the number of passages that tantivy counts, from its explanation of a term's score."""
    if explanation["description"].startswith("N,"):
        return int(explanation["value"])
    return max((_total(part) for part in explanation.get("details", [])), default=0)

"""Words in tantivy: BM25 over the passages, added to document by document.

English stems, case and accents folded, stop words left out. Identifiers stand in a field of their own, whole and in
parts. A question becomes an OR of its words and identifiers, so no character of it is ever read as an operator.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import tantivy

from ingest.identifiers import identifiers, parts
from ingest.records import Chunk, Document, Place

VERSION = 2  # of what is indexed and how; in the folder's name, so that an index of another version is built anew
ANALYZER = "passage"
MAX_WORDS = 64  # of a question, the rarest; the rest of a longer one adds time, not passages
MAX_IDENTIFIERS = 16  # of a question
# Words that ask rather than name; beside tantivy's own English stop words, and only dropped from questions.
ASKING = (
    "what which who whom whose when where why how do does did can could should would may might must i me "
    "my we us our you your he she him her his its them am was were been being have has had about from any "
    "some "
)
HEADING_BOOST = 0.5  # a word of title or heading counts half of one in the text
IDENTIFIER_BOOST = 4.0  # whoever writes a code means it
PART_BOOST = 0.5  # for "KB-2847" when the passage says "KB-ERR-2847"
_ACCENTS = re.compile("[\u0300-\u036f]")
_HEAP = 32_000_000  # bytes; the writer's floor is 15 MB a thread


class WordIndex:
    """Tantivy's folder of one generation, or one in memory. Any number of readers, one writer.

    Raises ValueError or OSError where the folder cannot be read.
    """

    def __init__(self, folder: Path | None) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("document_id", stored=True, tokenizer_name="raw")
        builder.add_integer_field("position", stored=True, indexed=False)
        builder.add_text_field("space", tokenizer_name="raw")
        builder.add_text_field("text", tokenizer_name=ANALYZER)
        builder.add_text_field("heading", tokenizer_name=ANALYZER)
        builder.add_text_field("identifiers", tokenizer_name="raw")
        self._schema = builder.build()
        self._analyzer = _analyzer()
        self._asking = frozenset(self._analyzer.analyze(ASKING))
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self._index = tantivy.Index(self._schema, path=None if folder is None else str(folder))
        self._index.register_tokenizer(ANALYZER, self._analyzer)
        self._writer: tantivy.IndexWriter | None = None

    def add(self, document: Document, chunks: Sequence[Chunk]) -> None:
        """Add a document's passages; what it held of that document is replaced. Not seen before `commit`."""
        writer = self._writing()
        writer.delete_documents_by_term("document_id", document.id)
        for chunk in chunks:
            entry = tantivy.Document()
            entry.add_text("document_id", document.id)
            entry.add_integer("position", chunk.position)
            entry.add_text("space", document.space)
            heading = f"{document.title}\n{chunk.heading}"
            entry.add_text("text", _folded(chunk.text))
            entry.add_text("heading", _folded(heading))
            for name in _names(f"{heading}\n{chunk.text}"):
                entry.add_text("identifiers", name)
            writer.add_document(entry)

    def remove(self, document_id: str) -> None:
        """Take a document's passages out. Not seen before `commit`."""
        self._writing().delete_documents_by_term("document_id", document_id)

    def commit(self) -> None:
        """Make everything added and removed so far durable and visible."""
        self._writing().commit()
        self._index.reload()

    def count(self) -> int:
        """Passages held."""
        return int(self._index.searcher().num_docs)

    def search(self, question: str, spaces: Sequence[str], limit: int) -> list[tuple[Place, float]]:
        """The `limit` passages of `spaces` that share words with the question, best first, with their BM25 score."""
        searcher = self._index.searcher()
        terms = [*self._words(searcher, question), *self._identifiers(question)]
        if not terms or not spaces or limit < 1:
            return []
        found = searcher.search(self._query(searcher, terms, set(spaces)), limit, count=False).hits
        return [(_place(searcher.doc(address)), float(score)) for score, address in found]

    def close(self) -> None:
        """Finish the writer's threads and give up its lock."""
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None

    def _words(self, searcher: tantivy.Searcher, question: str) -> list[tantivy.Query]:
        """What looks for the words of a question in text and headings."""
        said = dict.fromkeys(self._analyzer.analyze(_folded(question)))
        words = [word for word in said if word not in self._asking] or list(said)
        if len(words) > MAX_WORDS:
            frequency = {word: searcher.doc_freq("text", word) for word in words}
            words = sorted((word for word in words if frequency[word]), key=lambda word: frequency[word])[:MAX_WORDS]
        in_text = [self._term("text", word) for word in words]
        return in_text + [self._term("heading", word, HEADING_BOOST) for word in words]

    def _identifiers(self, question: str) -> list[tantivy.Query]:
        """What looks for the identifiers of a question and, with less weight, for their parts."""
        named = identifiers(_encodable(question))[:MAX_IDENTIFIERS]
        also = dict.fromkeys(part for name in named for part in parts(name))
        whole = [self._term("identifiers", name, IDENTIFIER_BOOST) for name in named]
        return whole + [self._term("identifiers", part, PART_BOOST) for part in also if part not in named]

    def _term(self, field: str, word: str, boost: float = 1.0) -> tantivy.Query:
        return tantivy.Query.boost_query(tantivy.Query.term_query(self._schema, field, word), boost)

    def _query(
        self, searcher: tantivy.Searcher, terms: Sequence[tantivy.Query], spaces: Collection[str]
    ) -> tantivy.Query:
        should, must = tantivy.Occur.Should, tantivy.Occur.Must
        wanted = tantivy.Query.boolean_query([(should, term) for term in terms])
        if sum(searcher.doc_freq("space", space) for space in spaces) == searcher.num_docs:
            return wanted  # there is nothing else; without a filter, tantivy passes over what cannot be among the best
        within = [(should, tantivy.Query.term_query(self._schema, "space", space)) for space in sorted(spaces)]
        allowed = tantivy.Query.const_score_query(tantivy.Query.boolean_query(within), 0.0)
        return tantivy.Query.boolean_query([(must, wanted), (must, allowed)])

    def _writing(self) -> tantivy.IndexWriter:
        if self._writer is None:
            self._writer = self._index.writer(heap_size=_HEAP, num_threads=1)
        return self._writer


def _analyzer() -> tantivy.TextAnalyzer:
    tokenizer = tantivy.Tokenizer
    filters = tantivy.Filter
    return (
        tantivy.TextAnalyzerBuilder(tokenizer.simple())
        .filter(filters.remove_long(60))
        .filter(filters.lowercase())
        .filter(filters.ascii_fold())
        .filter(filters.stopword("english"))
        .filter(filters.stemmer("english"))
        .build()
    )


def _names(text: str) -> Iterator[str]:
    """The identifiers of a passage and their parts, each once."""
    found = identifiers(_encodable(text))
    yield from dict.fromkeys([*found, *(part for name in found for part in parts(name))])


def _folded(text: str) -> str:
    """Text as it is analysed: letters of one form, without accents, also where the accent is a sign of its own."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", _encodable(text))))


def _encodable(text: str) -> str:
    """Text without halves of pairs, which have no place in UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _place(entry: tantivy.Document) -> Place:
    return Place(str(entry.get_first("document_id")), int(entry.get_first("position")))

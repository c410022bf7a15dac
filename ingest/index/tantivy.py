"""Words in tantivy: BM25 over the passages, added to document by document.

English stems, case and accents folded, stop words left out. A question becomes an OR of its words, so no
character of it is ever read as an operator.
"""

from collections.abc import Sequence
from pathlib import Path

import tantivy

from ingest.records import Chunk, Document, Place

ANALYZER = "passage"
MAX_WORDS = 64  # of a question; the rest of a longer one adds time, not passages
# Words that ask rather than name; beside tantivy's own English stop words, and only dropped from questions.
ASKING = (
    "what which who whom whose when where why how do does did can could should would may might must i me "
    "my we us our you your he she him her his its them am was were been being have has had about from any "
    "some "
)
HEADING_BOOST = 0.5  # a word of title or heading counts half of one in the text
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
            entry.add_text("text", chunk.text)
            entry.add_text("heading", f"{document.title}\n{chunk.heading}")
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
        said = dict.fromkeys(self._analyzer.analyze(question))
        words = ([word for word in said if word not in self._asking] or list(said))[:MAX_WORDS]
        if not words or not spaces or limit < 1:
            return []
        searcher = self._index.searcher()
        found = searcher.search(self._query(words, spaces), limit, count=False).hits
        return [(_place(searcher.doc(address)), float(score)) for score, address in found]

    def close(self) -> None:
        """Finish the writer's threads and give up its lock."""
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None

    def _query(self, words: Sequence[str], spaces: Sequence[str]) -> tantivy.Query:
        should = tantivy.Occur.Should
        terms = [(should, tantivy.Query.term_query(self._schema, "text", word)) for word in words]
        terms += [
            (
                should,
                tantivy.Query.boost_query(tantivy.Query.term_query(self._schema, "heading", word), HEADING_BOOST),
            )
            for word in words
        ]
        allowed = tantivy.Query.const_score_query(
            tantivy.Query.term_set_query(self._schema, "space", list(spaces)), 0.0
        )
        must = tantivy.Occur.Must
        return tantivy.Query.boolean_query([(must, tantivy.Query.boolean_query(terms)), (must, allowed)])

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


def _place(entry: tantivy.Document) -> Place:
    return Place(str(entry.get_first("document_id")), int(entry.get_first("position")))

"""What every reranker keeps. A test class inherits this and gives a `reranker`."""

from collections.abc import Sequence

import pytest
from examples import make_hit

from rag_app.records import Hit
from rag_app.stages import Reranker

QUESTION = "can i approve my own"
TEXTS = ("can rule", "can i approve my", "rule", "approve my own", "can i")  # no two share as many words


class RerankerContract:
    """Override `reranker`."""

    @pytest.fixture
    def reranker(self) -> Reranker:
        raise NotImplementedError

    @pytest.fixture
    def hits(self) -> Sequence[Hit]:
        return [make_hit(text, name=str(number), relevance=None) for number, text in enumerate(TEXTS)]

    def test_it_has_a_name(self, reranker):
        assert reranker.name

    def test_ranks_run_from_one_in_the_order_given_back(self, reranker, hits):
        ranks = [hit.rerank_rank for hit in reranker.rerank(QUESTION, hits)]

        assert ranks == [1, 2, 3, 4, 5]

    def test_nothing_is_lost_doubled_or_changed(self, reranker, hits):
        ranked = reranker.rerank(QUESTION, hits)

        assert sorted((hit.chunk.id, hit.chunk.text) for hit in ranked) == [
            (hit.chunk.id, hit.chunk.text) for hit in hits
        ]

    def test_the_order_does_not_hang_on_the_order_given(self, reranker, hits):
        forwards = [hit.chunk.id for hit in reranker.rerank(QUESTION, hits)]
        backwards = [hit.chunk.id for hit in reranker.rerank(QUESTION, hits[::-1])]

        assert forwards == backwards

    def test_equal_passages_keep_their_order(self, reranker):
        ranked = reranker.rerank(QUESTION, [make_hit("my own rule", name=name) for name in "bac"])

        assert [hit.chunk.id for hit in ranked] == ["chunk-b", "chunk-a", "chunk-c"]

    def test_no_candidates_are_no_error(self, reranker):
        assert reranker.rerank(QUESTION, []) == []

    def test_the_hits_given_are_left_as_they_were(self, reranker, hits):
        reranker.rerank(QUESTION, hits)

        assert {hit.rerank_rank for hit in hits} == {None}

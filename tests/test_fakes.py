"""The fakes keep the contracts of what they stand in for."""

import pytest
from fakes import WordReranker
from reranker_contract import RerankerContract


class TestWordReranker(RerankerContract):
    @pytest.fixture
    def reranker(self):
        return WordReranker()

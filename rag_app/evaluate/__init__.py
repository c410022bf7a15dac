"""The proof: how well each stage finds what was judged right, with intervals, and what reranking adds."""

"""Rerankers: question and passage read together."""

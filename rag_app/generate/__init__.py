"""The generators: one that asks a language model, one that quotes."""

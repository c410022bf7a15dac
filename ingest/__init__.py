"""Documents in, passages held. Knows nothing of questions."""

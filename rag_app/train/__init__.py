"""Training cross-encoders: the one that ships, and the user's own."""

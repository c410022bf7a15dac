"""People who work together: who they are, what they may do where, and what they did. Kept in app.db."""

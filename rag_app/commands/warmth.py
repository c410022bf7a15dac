"""Whether a server's models and index are ready: said by the thread that prepares them, read by others."""

LOADING = "The models are still being loaded. Ask again in a moment."


class Warmth:
    """Cold until it is told otherwise."""

    def __init__(self) -> None:
        self.lacking = LOADING  # a sentence; "" once everything is ready

    def tell(self, lacking: str) -> None:
        """How preparing ended: a sentence where it failed, "" where it did not."""
        self.lacking = lacking

"""Every way a rerank server can fail, told once, in a sentence for the reader. The key is never part of one."""

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Faults:
    """The sentences about one server."""

    host: str
    model: str
    key: str  # the variable that holds its key; "" where it has none
    hosted: bool  # at the address of the service itself

    def unreachable(self) -> str:
        """Say that nothing answers at the address."""
        if self.hosted:
            return f"The reranker at {self.host} cannot be reached. Check the connection to the internet."
        return (
            f"The reranker at {self.host} cannot be reached. Check that its server is running and that "
            "RAG_RERANKER_URL is right."
        )

    def late(self, seconds: float) -> str:
        """Say that the reply took too long."""
        return f"The reranker at {self.host} took longer than {seconds:g} seconds."

    def broke_off(self) -> str:
        """Say that the connection was lost."""
        return f"The connection to the reranker at {self.host} was lost before it had answered."

    def garbage(self, wrong: str) -> str:
        """Say that what came back is no ranking; `wrong` is the end of a sentence."""
        return (
            f"The reply of {self.host} is not a ranking of the passages: {wrong}. Check that RAG_RERANKER names the "
            "kind of server that runs there."
        )

    def refused(self, status: int, detail: str) -> str:
        """Say what an HTTP status means. `detail` is the server's own sentence, cleaned."""
        because = f' It says: "{detail}"' if detail else ""
        model = f"the model {self.model}" if self.model else "this path"
        wants = (
            f"refused the key. Check {self.key}."
            if self.key
            else "asks for a key, and a server of your own is sent none."
        )
        known: dict[int, str] = {
            HTTPStatus.UNAUTHORIZED: f"{self.host} {wants}",
            HTTPStatus.FORBIDDEN: f"{self.host} does not allow the use of {model}.{because}",
            HTTPStatus.NOT_FOUND: f"{self.host} does not know {model}. Check RAG_RERANKER and its address.{because}",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"The passages are too much at once for {self.host}.{because}",
            HTTPStatus.TOO_MANY_REQUESTS: f"{self.host} takes no more questions for now: its limit is reached.",
        }
        return known.get(status) or self._by_class(status, because)

    def _by_class(self, status: int, because: str) -> str:
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return f"The reranker at {self.host} failed ({status}).{because}"
        if status >= HTTPStatus.BAD_REQUEST:
            return f"{self.host} did not accept the request ({status}). Check RAG_RERANKER.{because}"
        if status < HTTPStatus.MULTIPLE_CHOICES:
            return f"{self.host} answered without a ranking ({status}). Check RAG_RERANKER."
        return f"{self.host} sends requests on to another address ({status}). Set RAG_RERANKER_URL to that address."

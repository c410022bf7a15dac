"""What answering needs to know, as text and numbers; holds an ingest Settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ingest.errors import SettingsError
from ingest.settings import PREFIX, from_env, known_names
from ingest.settings import Settings as IngestSettings


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Field `candidates` is the variable RAG_CANDIDATES, and so on; the names in OUTSIDE are their services' own."""

    ingest: IngestSettings = field(default_factory=IngestSettings)
    candidates: int = 50  # passages the cross-encoder reads
    passages: int = 3  # passages the generator is given
    strict: int = 0  # 1 takes sentences that the sources do not say out of answers
    reranker: str = "bundled"  # "bundled", a folder, a hub name, or a server such as "cohere:rerank-v3.5" or "tei"
    reranker_url: str = ""  # the server's address; "" where the service has its own
    llm_model: str = ""  # "" answers by quoting, without a language model
    llm_connect_s: float = 5.0  # seconds to reach the endpoint
    llm_first_s: float = 15.0  # seconds until its first words
    llm_between_s: float = 10.0  # seconds between two pieces
    llm_total_s: float = 120.0  # seconds for a whole answer
    host: str = "127.0.0.1"
    port: int = 7860
    password: str = field(default="", repr=False)  # required when host is not loopback
    oidc_issuer: str = ""  # the OpenID Connect provider people may sign in at; "" for none
    oidc_client_id: str = ""  # what that provider calls this server
    oidc_client_secret: str = field(default="", repr=False)  # "" for a client that has none
    log: str = "plain"  # "plain", lines for people; "json", also a line for each request and each answer
    openai_base_url: str = ""
    openai_api_key: str = field(default="", repr=False)
    cohere_api_key: str = field(default="", repr=False)
    voyage_api_key: str = field(default="", repr=False)
    jina_api_key: str = field(default="", repr=False)

    @staticmethod
    def from_environment(environ: Mapping[str, str]) -> "Settings":
        """Read every setting. Raises SettingsError for a bad value or an unknown RAG_ name."""
        unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in NAMES)
        if unknown:
            raise SettingsError(f"{unknown[0]} is not a setting. Known ones: {', '.join(sorted(NAMES))}.")
        plain = {name: value for name, value in environ.items() if name in NAMES}
        for name in OUTSIDE:
            plain[PREFIX + name] = environ.get(name, "")
        settings = from_env(Settings, plain)
        for name in ("candidates", "passages", "port"):
            if getattr(settings, name) < 1:
                raise SettingsError(f"{PREFIX}{name.upper()} must be at least 1.")
        if settings.strict not in {0, 1}:
            raise SettingsError(f"{PREFIX}STRICT must be 0 or 1.")
        if settings.log not in {"plain", "json"}:
            raise SettingsError(f"{PREFIX}LOG must be plain or json.")
        settings._check_provider()  # noqa: SLF001 - its own
        return settings

    def _check_provider(self) -> None:
        """Raise SettingsError for a provider that nobody could safely sign in at."""
        if not self.oidc_issuer:
            if self.oidc_client_id or self.oidc_client_secret:
                raise SettingsError(f"{PREFIX}OIDC_ISSUER is missing. Set it to the address of the provider.")
            return
        if not self.oidc_client_id:
            raise SettingsError(
                f"{PREFIX}OIDC_CLIENT_ID is missing. Set it to what the provider calls this server; it says so where "
                "you register it there."
            )
        parts = urlsplit(self.oidc_issuer)
        near = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
        more = parts.query or parts.fragment or parts.username or parts.password
        if not parts.hostname or not (parts.scheme == "https" or near) or more:
            raise SettingsError(
                f"{PREFIX}OIDC_ISSUER must be an address such as https://login.example.org. It may begin with http:// "
                "only on this computer, because whoever answers there decides who is let in."
            )


OUTSIDE = ("OPENAI_BASE_URL", "OPENAI_API_KEY", "COHERE_API_KEY", "VOYAGE_API_KEY", "JINA_API_KEY")
NAMES = known_names(Settings) - {PREFIX + name for name in OUTSIDE}

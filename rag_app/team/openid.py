"""Signing in at an OpenID Connect provider. The one file that knows Authlib, which speaks the protocol.

Authorization code with PKCE (RFC 7636); what the provider says of somebody is taken from an ID token whose signature,
issuer, audience, time and nonce were checked (OpenID Connect Core 1.0, section 3.1.3.7).
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest.errors import RagError
from rag_app.endpoints import host_of, is_local
from rag_app.team.entrance import NotLetIn

if TYPE_CHECKING:
    from authlib.integrations.starlette_client import StarletteOAuth2App

TOTAL_S = 10.0  # seconds for all that a provider is asked at once
KNOWN_S = 3600.0  # seconds until its addresses and keys are read anew
RETRY_S = 5.0  # seconds for which one that did not answer is not asked again
LEEWAY_S = 60  # by which two clocks may differ
SCOPE = "openid email"
DISCOVERY = "/.well-known/openid-configuration"
# A provider's own list may hold "none", or a secret of both sides, which would make a token worth nothing more.
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})

UNREACHABLE = (
    "{host} does not answer, so nobody can sign in there now. Sign in with your password, or try again in a minute."
)
UNFIT = (
    "{host} did not say what an OpenID Connect provider says at {address}. Whoever runs this server should look at "
    "RAG_OIDC_ISSUER; until then sign in with your password."
)
UNPROVEN = "What {host} said of you could not be verified, so you were not signed in. Try again; if it stays so, tell "
UNPROVEN += "whoever runs this server."


class ProviderError(NotLetIn):
    """The provider cannot be asked, or what it said cannot be trusted."""


class ProviderDown(ProviderError):
    """The provider does not answer, or not as one."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that somebody was sent to the provider with."""

    url: str  # where their browser goes
    state: str  # comes back with them
    nonce: str  # comes back in the ID token
    verifier: str  # proves that the code is used by whoever asked for it


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is for the provider."""

    issuer: str
    subject: str  # never given to anybody else by this issuer
    email: str = ""  # only one that the provider has verified, in ASCII


class Provider:
    """An OpenID Connect provider. Belongs to the event loop it is first used in."""

    def __init__(self, issuer: str, client_id: str, client_secret: str = "", *, total_s: float = TOTAL_S) -> None:
        """`client_secret` is "" for a client that has none; `total_s` are seconds. Asks nothing yet."""
        self.issuer, self.host = issuer, host_of(issuer)
        self._client_id, self._client_secret, self._total_s = client_id, client_secret, total_s
        self._app: StarletteOAuth2App | None = None
        self._known = self._failed = float("-inf")  # monotonic seconds
        self._lock = asyncio.Lock()

    async def begin(self, redirect_uri: str) -> Begun:
        """Where to send somebody who comes back to `redirect_uri`. Raises ProviderError."""
        async with self._asking():
            app = await self._ready()
            made = await app.create_authorization_url(redirect_uri)
        return Begun(made["url"], made["state"], made["nonce"], made["code_verifier"])

    async def finish(self, begun: Begun, redirect_uri: str, code: str) -> Identity:
        """Who came back to `redirect_uri` with `code`. Raises ProviderError."""
        async with self._asking():
            app = await self._ready()
            token = await app.fetch_access_token(redirect_uri=redirect_uri, code=code, code_verifier=begun.verifier)
            said = await self._claims(app, token, begun.nonce)
            if "email" not in said and "access_token" in token and app.server_metadata.get("userinfo_endpoint"):
                more = await app.userinfo(token=token)
                said = {**more, **said} if more.get("sub") == said["sub"] else said
        return Identity(self.issuer, str(said["sub"]), _verified_email(said))

    async def probe(self) -> None:
        """Read the provider's addresses and keys. Raises ProviderError."""
        async with self._asking():
            app = await self._ready()
            await app.fetch_jwk_set(force=True)

    async def _claims(self, app: "StarletteOAuth2App", token: dict[str, Any], nonce: str) -> dict[str, Any]:
        from authlib.oidc.core import CodeIDToken

        options = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._client_id},
        }
        said = await app.parse_id_token(token, nonce, options, CodeIDToken, LEEWAY_S)
        if not said or not said.get("sub"):
            raise ProviderError(UNPROVEN.format(host=self.host))
        return dict(said)

    async def _ready(self) -> "StarletteOAuth2App":
        """Authlib's client, with the provider's addresses. Raises ProviderDown."""
        async with self._lock:
            now = time.monotonic()
            if self._app is not None and now < self._known + KNOWN_S:
                return self._app
            if now < self._failed + RETRY_S:
                raise ProviderDown(UNREACHABLE.format(host=self.host))
            app = self._client()
            try:
                told = await app.load_server_metadata()
            except BaseException:
                self._failed = time.monotonic()
                raise
            if told.get("issuer") != self.issuer or not {"authorization_endpoint", "token_endpoint"} <= told.keys():
                raise ProviderDown(UNFIT.format(host=self.host, address=_discovery(self.issuer)))
            named = ALGORITHMS.intersection(told.get("id_token_signing_alg_values_supported") or ())
            told["id_token_signing_alg_values_supported"] = sorted(named) or ["RS256"]
            self._app, self._known = app, now
            return app

    def _client(self) -> "StarletteOAuth2App":
        import httpx2
        from authlib.integrations.starlette_client import StarletteOAuth2App

        secure = self.issuer.startswith("https:")  # loading the certificates takes a tenth of a second
        asking = {
            "scope": SCOPE,
            "code_challenge_method": "S256",
            "timeout": self._total_s,
            "verify": httpx2.create_ssl_context() if secure else False,
            "trust_env": not is_local(self.issuer),  # a proxy for the internet is none for this computer
        }
        if not self._client_secret:  # a public client has nothing but PKCE
            asking["token_endpoint_auth_method"] = "none"  # noqa: S105 - says that there is none
        return StarletteOAuth2App(
            None,
            client_id=self._client_id,
            client_secret=self._client_secret,
            server_metadata_url=_discovery(self.issuer),
            client_kwargs=asking,
        )

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[None]:
        """Bound the time, and say in our words what went wrong; the provider's own may hold what it was sent."""
        import httpx2
        from authlib.integrations.base_client import OAuthError
        from joserfc.errors import JoseError

        try:
            async with asyncio.timeout(self._total_s):
                yield
        except RagError:
            raise
        except (TimeoutError, httpx2.TransportError, httpx2.InvalidURL) as error:
            raise ProviderDown(UNREACHABLE.format(host=self.host)) from error
        except (OAuthError, JoseError) as error:
            raise ProviderError(UNPROVEN.format(host=self.host)) from error
        except (httpx2.HTTPError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            # A page instead of JSON, a number instead of an object, an address missing.
            raise ProviderDown(UNFIT.format(host=self.host, address=_discovery(self.issuer))) from error


def _discovery(issuer: str) -> str:
    return issuer.rstrip("/") + DISCOVERY


def _verified_email(said: dict[str, Any]) -> str:
    """The address, where the provider says that it is theirs. Letters of other scripts may look like these."""
    email = said.get("email")
    proven = said.get("email_verified") in (True, "true")
    return email.strip() if proven and isinstance(email, str) and email.isascii() else ""

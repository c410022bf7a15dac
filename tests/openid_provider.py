"""An OpenID Connect provider as a process of its own: django-oauth-toolkit, on 127.0.0.1. PORT REDIRECT.

Who signs in decides what goes wrong: each of SPOILED gets an ID token that only a hostile or broken provider gives.
"""

import io
import os
import sys
import time
from dataclasses import dataclass

CLIENT, SECRET, PASSWORD = "rag", "the secret of rag", "the provider's own password"


@dataclass(frozen=True)
class Account:
    """What the provider says of somebody."""

    email: str
    verified: bool = True


ACCOUNTS = {
    "anna": Account("Anna@example.org"),
    "bert": Account("bert@example.org"),
    "successor": Account("anna@example.org"),  # who was given an address that was somebody else's
    "claims": Account("root@example.org", verified=False),  # who typed an address that is not theirs
    "told later": Account("later@example.org"),
    "stranger": Account("stranger@example.net"),
    "disabled": Account("disabled@example.org"),
    "lookalike": Account("\N{FULLWIDTH LATIN SMALL LETTER A}nna@example.org"),
}
SPOILED = {
    "wrong nonce": {"nonce": "of another sign-in"},
    "no nonce": {"nonce": None},
    "wrong audience": {"aud": "another client"},
    "another client": {"aud": ["another client", CLIENT], "azp": "another client"},
    "another server": {"aud": "another client", "azp": CLIENT},
    "wrong issuer": {"iss": "https://login.example.net"},
    "expired": {"exp": int(time.time()) - 3600, "iat": int(time.time()) - 7200},
    "no subject": {"sub": None},
    "another key": {},
    "no signature": {},
    "shared secret": {},
}


def new_key():
    """An RSA key as PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.private_bytes(*form).decode()


def configure(port):
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="of a test",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="openid_site",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": new_key(),
            "OIDC_ISS_ENDPOINT": f"http://127.0.0.1:{port}/o",
            "OAUTH2_VALIDATOR_CLASS": "openid_site.Validator",
            "SCOPES": {"openid": "who you are", "email": "your address"},
            "PKCE_REQUIRED": True,
        },
    )  # fmt: skip
    django.setup()


def fill(redirect):
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from oauth2_provider.models import Application

    call_command("migrate", stdout=io.StringIO())
    for name in (*ACCOUNTS, *SPOILED):
        User.objects.create_user(name, password=PASSWORD)
    Application.objects.create(
        client_id=CLIENT, client_secret=SECRET, redirect_uris=redirect, client_type="confidential",
        authorization_grant_type="authorization-code", algorithm="RS256", skip_authorization=True,
    )  # fmt: skip


def serve(port):
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    from django.core.wsgi import get_wsgi_application

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_told):
            pass

    with make_server("127.0.0.1", port, get_wsgi_application(), handler_class=Quiet) as server:
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # on this computer only
    configure(int(sys.argv[1]))
    fill(sys.argv[2])
    serve(int(sys.argv[1]))

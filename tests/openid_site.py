"""What the provider of `openid_provider.py` says of people, and its sign-in page. Imported once Django is set up."""

import base64
import json

from django.contrib.auth import authenticate, login
from django.http import HttpResponse
from django.urls import include, path
from jwcrypto import jwk, jwt
from oauth2_provider.oauth2_validators import OAuth2Validator
from openid_provider import ACCOUNTS, PASSWORD, SECRET, SPOILED, Account, new_key


class Validator(OAuth2Validator):
    """Says who somebody is, and says it wrong of those who are spoiled."""

    def get_additional_claims(self, request):
        """Names of their own choosing, and an address that is verified or not."""
        account = ACCOUNTS.get(request.user.username, Account("anna@example.org"))
        said = {"name": "root", "preferred_username": "root", "nickname": "root"}
        return {**said, "email": account.email, "email_verified": account.verified}

    def get_id_token_dictionary(self, token, token_handler, request):
        claims, expires = super().get_id_token_dictionary(token, token_handler, request)
        if request.nonce:
            claims["nonce"] = request.nonce
        if request.user.username == "told later":  # as many providers do: addresses are told to who asks for them
            claims = {name: value for name, value in claims.items() if not name.startswith("email")}
        return claims | SPOILED.get(request.user.username, {}), expires

    def finalize_id_token(self, id_token, token, token_handler, request):
        right = super().finalize_id_token(id_token, token, token_handler, request)
        header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in right.split(".")[:2])
        name = request.user.username
        claims = {said: value for said, value in claims.items() if value not in (None, "None")}
        if name == "no signature":
            return f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(claims)}."
        key = request.client.jwk_key
        if name == "another key":
            key = jwk.JWK.from_pem(new_key().encode())
        if name == "shared secret":
            key = jwk.JWK(kty="oct", k=base64.urlsafe_b64encode(SECRET.encode().ljust(32)).decode().rstrip("="))
            header["alg"] = "HS256"
        made = jwt.JWT(header=json.dumps(header), claims=json.dumps(claims))
        made.make_signed_token(key)
        return made.serialize()


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def sign_in(request):
    """As short as a sign-in page can be."""
    login(request, authenticate(username=request.GET["name"], password=PASSWORD))
    return HttpResponse("Signed in at the provider.")


urlpatterns = [path("sign-in", sign_in), path("o/", include("oauth2_provider.urls", namespace="oauth2_provider"))]

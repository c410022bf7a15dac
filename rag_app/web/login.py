"""The pages for those who are not signed in: small documents without scripts. Pure."""

from urllib.parse import urlencode

from rag_app.escape import escape

OUT = "/sign-in/openid"  # where a sign-in at the OpenID Connect provider begins
_TITLE = "Ask your PDFs"


def login_html(after: str, sentence: str = "", *, named: bool = False, provider: str = "") -> str:
    """The page that asks for the password, and for a name where people are registered (`named`), then goes to `after`.

    `sentence` says what was wrong; `provider` is the host of one where they may sign in instead, "" for none.
    """
    name = (
        '<label for="name">Name</label>'
        '<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" '
        "required autofocus>"
        if named
        else ""
    )
    told = "This library is kept for people who are registered." if named else _SHARED
    return page_html(
        "Sign in",
        f'<p>{told}</p>{_wrong(sentence)}<form method="post" action="/login">'
        f'<input type="hidden" name="next" value="{escape(after)}">{name}'
        f"{_password('Password', 'current-password', sentence, focused=not named)}"
        f'<button type="submit" class="primary">Sign in</button></form>{_elsewhere(provider, next=after)}',
    )


def invitation_html(name: str, sentence: str = "", *, least: int, link: str = "", provider: str = "") -> str:
    """The page on which `name` chooses a password of at least `least` characters.

    Or says with the same `link` (its secret) that they will sign in at the `provider` of this host.
    """
    return page_html(
        "Choose a password",
        f"<p>You will sign in as <strong>{escape(name)}</strong>. Choose a password of at least {least} characters; a "
        f'few words in a row will do.</p>{_wrong(sentence)}<form method="post">'
        f'<input type="hidden" name="username" autocomplete="username" value="{escape(name)}">'
        f"{_password('Password', 'new-password', sentence, focused=True, least=least)}"
        f'<button type="submit" class="primary">Sign in</button></form>{_elsewhere(provider, link=link)}',
    )


def notice_html(sentence: str, way_on: str, address: str) -> str:
    """A page that says one sentence and offers one way on."""
    return page_html(
        _TITLE,
        f'<p>{escape(sentence)}</p><p><a href="{escape(address)}">{escape(way_on)}</a></p>',
    )


_SHARED = "This library is kept for people who know its password."


def page_html(title: str, body: str) -> str:
    """A small document of its own."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}</title><link rel="stylesheet" href="/ui/app.css"></head>'
        f'<body class="login"><main><h1>{_TITLE}</h1>{body}</main></body></html>'
    )


def _elsewhere(provider: str, **carried: str) -> str:
    """The way to the provider. A link, because a form may not be sent to another site from here."""
    if not provider:
        return ""
    return (
        f'<p class="or"><span>or</span></p><p><a class="elsewhere" href="{OUT}?{escape(urlencode(carried))}">'
        f"Sign in with {escape(provider)}</a></p>"
    )


def _wrong(sentence: str) -> str:
    return f'<p class="notice" id="wrong" role="alert">{escape(sentence)}</p>' if sentence else ""


def _password(label: str, kind: str, sentence: str, *, focused: bool, least: int = 0) -> str:
    described = ' aria-describedby="wrong" aria-invalid="true"' if sentence else ""
    shortest = f' minlength="{least}"' if least else ""
    focus = " autofocus" if focused else ""
    return (
        f'<label for="password">{label}</label>'
        f'<input id="password" name="password" type="password" autocomplete="{kind}"{shortest} required{focus}'
        f"{described}>"
    )

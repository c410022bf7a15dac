"""The sign-in page: one small document without scripts. Pure."""

from rag_app.escape import escape


def login_html(after: str, sentence: str = "") -> str:
    """The page that asks for the password and then goes to `after`; `sentence` says what was wrong."""
    wrong = f'<p class="notice" id="wrong" role="alert">{escape(sentence)}</p>' if sentence else ""
    described = ' aria-describedby="wrong" aria-invalid="true"' if sentence else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<title>Sign in</title><link rel="stylesheet" href="/ui/app.css"></head>'
        '<body class="login"><main><h1>Ask your PDFs</h1>'
        "<p>This library is kept for people who know its password.</p>"
        f'{wrong}<form method="post" action="/login"><input type="hidden" name="next" value="{escape(after)}">'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" required autofocus'
        f"{described}>"
        '<button type="submit" class="primary">Sign in</button></form></main></body></html>'
    )

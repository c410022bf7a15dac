"""The frame of pages without scripts that have the bar of all others: people, spaces, keys, the audit log. Pure."""

_SHEETS = "".join(f'<link rel="stylesheet" href="/ui/{name}.css">' for name in ("app", "pages", "team"))


def team_page(title: str, bar: str, body: str) -> str:
    """A document with the `bar` on top; `title` is a text of ours."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title>{_SHEETS}</head>"
        f'<body class="login team"><header>{bar}</header><main><h1>{title}</h1>{body}</main></body></html>'
    )

"""The Settings page as escaped HTML: models, what is in force and where it came from, and the checks. Pure."""

from collections.abc import Sequence

from rag_app.checks import Check
from rag_app.escape import escape, escape_name
from rag_app.web.office import Configuration, Model, Setting
from rag_app.web.render import number

CHECKING = '<p role="status">Looking at every part. This takes a few seconds.</p>'
_LOCKED = (
    "Settings come from the environment of the server or are the defaults; neither can be changed on this page. Set "
    "the variable and start the server again."
)


def in_force_html(configuration: Configuration) -> str:
    """Which models are in use and what answers are made from."""
    models = "".join(_model(model) for model in configuration.models)
    return (
        '<h1>Settings</h1><section><h2>Models</h2><dl class="facts">'
        f"{models}</dl></section><section><h2>Answers</h2>{_answers(configuration)}</section>"
    )


def settings_html(configuration: Configuration) -> str:
    """Every setting, with where its value came from."""
    rows = "".join(_setting(setting) for setting in configuration.settings)
    return (
        f'<section><h2>All settings</h2><p class="told">{_LOCKED}</p>'
        '<div class="scroll" tabindex="0" role="group" aria-label="All settings"><table class="figures settings-list">'
        '<thead><tr><th scope="col">Setting</th><th scope="col">Value</th><th scope="col">From</th>'
        f'<th scope="col">What it decides</th></tr></thead><tbody>{rows}</tbody></table></div></section>'
        '<section><h2>Other programs</h2><p class="told">They ask with a key. <a href="/keys">Make and revoke keys</a>'
        "</p></section>"
    )


def checks_html(checks: Sequence[Check] | None, index: str) -> str:
    """The state of the index, and what each check said; None where none was made yet."""
    run = '<button type="button" class="open" data-check>Check every part</button>'
    head = f'<section><h2>State</h2><p><span class="told">Search index:</span> {escape(index)}</p>'
    if checks is None:
        return f"{head}<p>{run}</p></section>"
    wrong = sum(not check.ok for check in checks)
    told = f"{number(len(checks) - wrong)} of {number(len(checks))} parts work."
    rows = "".join(_check(check) for check in checks)
    return f'{head}<p role="status">{told}</p><ul class="checks">{rows}</ul><p>{run}</p></section>'


def _check(check: Check) -> str:
    mark, word = ("✓", "works") if check.ok else ("!", "needs you")
    return (
        f'<li class="{"good" if check.ok else "bad"}"><span class="sign" aria-hidden="true">{mark}</span>'
        f'<span><strong>{escape(check.name)}</strong> <span class="word">{word}</span>'
        f'<span class="foreign detail">{escape_name(check.detail)}</span></span></li>'
    )


def _answers(configuration: Configuration) -> str:
    facts = (
        ("Passages", f"{number(configuration.passages)}", "an answer is made from, at most"),
        ("Candidates", f"{number(configuration.candidates)}", "passages the reranker reads for a question"),
        (
            "Threshold",
            f"{configuration.threshold:.3f}",
            "the relevance that the best passage needs; below it nothing is answered. It comes with the reranker",
        ),
        (
            "Only from the documents",
            "always on",
            "answers are made of these passages alone, and each sentence is checked against them",
        ),
    )
    return f'<dl class="facts">{"".join(_fact(*fact) for fact in facts)}</dl>'


def _model(model: Model) -> str:
    return _fact(
        escape(model.task), f'<span class="foreign">{escape_name(model.name)}</span>', escape_name(model.detail)
    )


def _fact(name: str, value: str, told: str) -> str:
    return f'<div><dt>{name}</dt><dd><strong>{value}</strong> <span class="told foreign">{told}</span></dd></div>'


def _setting(setting: Setting) -> str:
    value = (
        f'<span class="foreign">{escape_name(setting.value)}</span>'
        if setting.value
        else '<span class="told">empty</span>'
    )
    source = '<span class="tag">environment</span>' if setting.given else "default"
    return (
        f'<tr><th scope="row"><code>{escape(setting.name)}</code></th><td>{value}</td><td>{source}</td>'
        f"<td>{escape(setting.told)}</td></tr>"
    )

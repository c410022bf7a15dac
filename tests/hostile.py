"""Hostile text by rule: what could run, fetch, forge or mislead, in every place that people, files and models write."""

import itertools

RUNS = (
    "<script>{act}</script>",
    "<img src=x onerror={act}>",
    "<svg onload={act}>",
    "<svg><script>{act}</script></svg>",
    "<iframe srcdoc='<script>parent.{act}</script>'>",
    "<details open ontoggle={act}>",
    "<input autofocus onfocus={act}>",
    "<math><mtext><table><mglyph><style><img src=x onerror={act}>",
    "<a href=javascript:{act}>press</a>",
    "<form action=javascript:{act}><button>press</button></form>",
    "<body onload={act}>",
    "<video><source onerror={act}></video>",
    "{act}",
    "${{{act}}}",
    "{{{{{act}}}}}",
    "{{{{constructor.constructor('{act}')()}}}}",
    "{{{{#each this}}}}{act}{{{{/each}}}}",
    "`${{{act}}}`",
    "[press](javascript:{act})",
    "<javascript:{act}>",
    "[ref]\n\n[ref]: javascript:{act}",
    "$$\\href{{javascript:{act}}}{{x}}$$",
    "\\(\\htmlData{{onclick={act}}}{{x}}\\)",
    "$\\unicode{{<img src=x onerror={act}>}}$",
    "```mermaid\ngraph TD; A[<img src=x onerror={act}>]-->B\nclick A call {act}\n```",
    "```html\n<script>{act}</script>\n```",
    "<mermaid>click A href 'javascript:{act}'</mermaid>",
    "<style>*{{background:url(javascript:{act})}}</style>",
    "<meta http-equiv=refresh content='0;url=javascript:{act}'>",
    "<base href=javascript:{act}//>",
)
FETCHES = (
    "![x]({away}/a.png)",
    "<img src={away}/b.png>",
    "<link rel=stylesheet href={away}/c.css>",
    "<script src={away}/d.js></script>",
    "<iframe src={away}/e></iframe>",
    "<object data={away}/f></object>",
    "<style>@import '{away}/g.css'</style>",
    "<video poster={away}/h.png>",
    "$$\\includegraphics{{{away}/i.png}}$$",
    "{away}/j",
    "<{away}/k>",
    "[l]({away}/l)",
    "<input type=image src={away}/m.png>",
    "<body background={away}/n.png>",
    "<p style='background:url({away}/o.png)'>",
)
FORGES = (
    "</div></article></section><h1>Your session ended</h1>",
    '" onmouseover="{act}" x="',
    "' onfocus='{act}' autofocus x='",
    "--><img src=x onerror={act}><!--",
    "]]><img src=x onerror={act}>",
    "</textarea></title></style></script><img src=x onerror={act}>",
    "<button class=cite id=cite-0-0>[1]</button>",
    "[1] [2] [99] [-1] [1][1]",
    "<dialog open>Sign in again <input type=password></dialog>",
    "&lt;b&gt; &amp;amp; &#60;i&#62; &#x3c;script&#x3e;",
    "# heading\n\n* list\n\n> quote\n\n| a | b |\n|---|---|",
    "**b** __b__ *i* _i_ ~~s~~ ==m== ^u^ ~d~",
    ":smile: @everyone #1 :::warning",
)
MISLEADS = (
    "\u202egnp.exe\u202c",
    "\u2066left\u2067right\u2068first\u2069",
    "a\u200bb\u200cc\u200dd\u2060e\ufefff",
    "p\u0430yp\u0430l.pdf",
    "e\u0301" * 200,
    "Z" + "\u0334\u0335\u0336" * 60,
    "tab\tnul\x00esc\x1b[31mred\x7fdel\x85nel",
    "\u2028line\u2029paragraph",
    "\ud800 lone \udfff surrogates",
    "\U000e0041\U000e0042 tags",
    "\u0600\u06dd\u070f prefixes",
    "x" * 5_000,
    "\U0001f469\u200d\U0001f469\u200d\U0001f467" * 100,
    " \u00a0\u3000 ",
    "CON.pdf",
    "../../../../etc/passwd",
    "..\\..\\windows\\system32",
    "%2e%2e%2f%00.pdf",
    "'; DROP TABLE documents; --",
    '=HYPERLINK("{away}/p")',
)
ACTS = ("window.hit=1", "alert(1)", "top.location='{away}/q'", "fetch('{away}/r')")
AWAY = "https://hostile.invalid"
WRAPS = ("{}", "Report {} 2026", "\n{}\n", "> {}", "- {}", "    {}", '"{}"', "&{};")


def hostile(count: int) -> list[str]:
    """`count` different texts; the same ones every time, each kind among the first hundred."""
    acts = [act.format(away=AWAY) for act in ACTS]
    kinds = [*RUNS, *FETCHES, *FORGES, *MISLEADS]
    made: dict[str, None] = {}
    for wrap, act, kind in itertools.product(WRAPS, acts, kinds):
        text = wrap.replace("{}", kind.format(act=act, away=AWAY) if "{" in kind else kind)
        made.setdefault(text)
        if len(made) == count:
            return list(made)
    raise AssertionError(f"the rules make only {len(made)} texts")

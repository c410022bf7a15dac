"""How long it takes to start: the command's help, a question from the command line, the first question to a server.

    python -m benchmarks.start [--rounds 5]

The handbook is ingested into a home of its own by `rag ingest`. Then, each in processes of their own, median of
`--rounds`:

- `rag --help`, bar 0.3 s.
- `rag ask QUESTION`, cold. What it takes beyond the same question in a process that answered it before is importing and
  loading, bar 4 s.
- A server's parts, warmed as `rag serve` does it: the first question beside the tenth, which is the same one.

The last table says which packages the cold question imports and what each costs by itself, as `python -X importtime`
counts it, which is slower than without.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.ingest import machine
from rag_app.build import build
from rag_app.commands.serve import prepare
from rag_app.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
QUESTION = "Which reranking models can I use?"
ASKED = 10  # times the same question is put to a warmed server
HELP_S, LOADING_S = 0.3, 4.0  # bars
SHOWN = 8  # packages in the table of imports
_IMPORT = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", re.MULTILINE)


def imported(report: str) -> dict[str, float]:
    """Seconds spent by each package in its own modules, the costliest first, from what `-X importtime` writes."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for microseconds, module in _IMPORT.findall(report):
        seconds[module.partition(".")[0]] += int(microseconds) / 1e6
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def run(home: Path, *words: str, options: Sequence[str] = ()) -> tuple[float, subprocess.CompletedProcess[str]]:
    """One `rag` command in a process of its own: its wall time in seconds, and what it wrote."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *options, "-m", "rag_app", *words],
        cwd=ROOT,
        env={**os.environ, "RAG_HOME": str(home), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - started, done


def asked_when_warm(home: Path) -> list[float]:
    """Milliseconds of the same question, again and again, from the first on, in this process."""
    application = build(Settings.from_environment({"RAG_HOME": str(home)}))
    prepare(application)

    async def last() -> float:
        async for answer in application.pipeline.ask(QUESTION):
            total = answer.timings.total
        return total

    times = [asyncio.run(last()) for _ in range(ASKED)]
    application.parts.index.close()
    return times


def _warm_child(home: Path) -> list[float]:
    command = [sys.executable, "-m", "benchmarks.start", "--warm", str(home)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    times: list[float] = json.loads(done.stdout)
    return times


def table(help_s: Sequence[float], cold_s: Sequence[float], warm_ms: Sequence[Sequence[float]]) -> str:
    """The medians beside their bars. `warm_ms`: for each process the questions' times, the first one first."""
    first, tenth = (statistics.median(times[place] for times in warm_ms) for place in (0, -1))
    cold = statistics.median(cold_s)
    ratio = statistics.median(times[0] / times[-1] for times in warm_ms)
    lines = [
        f"{'rag --help':<44}{statistics.median(help_s):>8.2f} s   bar {HELP_S} s",
        f"{'rag ask, cold':<44}{cold:>8.2f} s",
        f"{'  of that importing and loading':<44}{cold - tenth / 1000:>8.2f} s   bar {LOADING_S} s",
        f"{'warmed server, first question':<44}{first:>8.0f} ms",
        f"{'warmed server, the same the tenth time':<44}{tenth:>8.0f} ms  first / tenth {ratio:.2f}",
    ]
    return "\n".join(lines)


def imports_table(seconds: Mapping[str, float]) -> str:
    """The costliest packages of a cold question."""
    lines = [f"imports of a cold question: {sum(seconds.values()):.2f} s by -X importtime, of which"]
    lines += [f"  {name:<30}{took:>8.2f} s" for name, took in list(seconds.items())[:SHOWN]]
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="processes for each figure")
    parser.add_argument("--warm", type=Path, metavar="HOME", help=argparse.SUPPRESS)  # one process of the third figure
    arguments = parser.parse_args()
    if arguments.warm is not None:
        print(json.dumps(asked_when_warm(arguments.warm)))
        return
    with tempfile.TemporaryDirectory(prefix="start-") as folder:
        home = Path(folder) / "home"
        run(home, "ingest", str(ROOT / "docs_corpus"))
        helped = [run(home, "--help")[0] for _ in range(arguments.rounds)]
        cold = [run(home, "ask", QUESTION, "--json")[0] for _ in range(arguments.rounds)]
        warm = [_warm_child(home) for _ in range(arguments.rounds)]
        report = run(home, "ask", QUESTION, "--json", options=("-X", "importtime"))[1].stderr
    print(f"{table(helped, cold, warm)}\n\n{imports_table(imported(report))}\n\n{machine()}")


if __name__ == "__main__":
    main()

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pdf_makers import bomb, changed, drawn, endless, lines

from ingest.errors import Refused
from ingest.reading import read
from ingest.reading.frames import BadFrames, Unpacker, pack
from ingest.reading.sandbox import Cause, Limits, Stopped, run
from ingest.records import FileState

ROOT = Path(__file__).resolve().parent.parent
LIMITS = Limits(seconds=30, step_seconds=30, memory_mb=800)


def put(folder: Path, content: bytes, name: str = "file.pdf") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def ask(path: Path) -> dict[str, object]:
    return {"task": "read", "format": "pdf", "path": str(path), "first": 1, "skip": []}


def children() -> set[int]:
    """The processes this one has started and not buried."""
    found = Path("/proc").glob("[0-9]*/stat")
    return {int(stat.parent.name) for stat in found if _parent(stat) == os.getpid()}


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def test_frames_come_out_as_they_went_in_however_they_are_cut():
    frames = [{"kind": "page", "text": "caf\u00e9 \ud83d"}, b"\x00\xff" * 9, {"kind": "end"}]
    packed = b"".join(pack(frame) for frame in frames)
    unpacker = Unpacker(1000)

    assert [frame for byte in packed for frame in unpacker.feed(bytes([byte]))] == frames


@pytest.mark.parametrize(
    "arrived",
    [
        b"X\x00\x00\x00\x01a",
        b"J\x00\x00\x00\x03{]}",
        b"J\x00\x00\x00\x02[]",
        b"B\xff\xff\xff\xff",
        b"J" + b"\x00" * 2000,
        pack({"a": 1})[:5] + b"\xff" * 8,
        b"J\x00\x00\x03\x84" + b"[" * 900,
    ],
    ids=["kind", "not json", "not an object", "endless", "too much", "not ascii", "deep"],
)
def test_bad_frames_are_told_apart(arrived: bytes):
    with pytest.raises(BadFrames):
        list(Unpacker(1000).feed(arrived))


def test_child_answers_and_is_gone(tmp_path: Path):
    path = put(tmp_path, drawn(lines("Hello there")))

    frames = list(run(ask(path), LIMITS))

    assert [frame["kind"] for frame in frames] == ["opened", "page"]
    assert children() == set()


@pytest.mark.slow
def test_child_that_takes_too_long_in_all_is_killed(tmp_path: Path):
    path = put(tmp_path, endless("one", "three"))

    with pytest.raises(Stopped) as stopped:  # with room: a fast machine fills 800 MB before the time is up
        list(run(ask(path), Limits(seconds=1.0, step_seconds=30, memory_mb=4000)))

    assert stopped.value.cause is Cause.TIME
    assert children() == set()


@pytest.mark.slow
def test_child_that_is_stuck_in_one_step_is_killed(tmp_path: Path):
    path = put(tmp_path, endless("one", "three"))

    with pytest.raises(Stopped) as stopped:
        list(run(ask(path), Limits(seconds=30, step_seconds=1.0, memory_mb=4000)))

    assert stopped.value.cause is Cause.STEP


def test_child_that_says_too_much_is_killed(tmp_path: Path):
    path = put(tmp_path, drawn(*[lines("Hello there")] * 3))

    with pytest.raises(Stopped) as stopped:
        list(run(ask(path), Limits(seconds=30, step_seconds=30, memory_mb=800, output_mb=0)))

    assert stopped.value.cause is Cause.OUTPUT


@pytest.mark.slow
def test_child_that_wants_too_much_memory_is_stopped(tmp_path: Path):
    path = put(tmp_path, bomb(400))

    with pytest.raises(Stopped) as stopped:
        list(run(ask(path), Limits(seconds=30, step_seconds=30, memory_mb=250)))

    assert stopped.value.cause is Cause.MEMORY


@pytest.mark.slow
def test_cancelling_kills_the_child(tmp_path: Path):
    path = put(tmp_path, endless("one", "three"))
    begun = time.monotonic()

    with pytest.raises(Stopped) as stopped:
        list(run(ask(path), LIMITS, cancelled=lambda: time.monotonic() > begun + 0.5))

    assert stopped.value.cause is Cause.CANCELLED
    assert children() == set()


def test_caller_who_walks_away_leaves_no_child(tmp_path: Path):
    frames = run(ask(put(tmp_path, endless("one", "three"))), LIMITS)

    next(frames)
    frames.close()

    assert children() == set()


def test_child_whose_code_fails_is_a_bug_not_a_bad_file(tmp_path: Path):
    with pytest.raises(RuntimeError, match="KeyError: 'no such task'"):
        list(run({"task": "no such task", "format": "pdf", "path": str(tmp_path)}, LIMITS))


def _limits_inside(tmp_path: Path, code: str) -> str:
    """What `code` prints in a process that has taken on the child's limits."""
    program = f"import sys; sys.path.append({str(ROOT)!r})\nfrom ingest.reading.child import take_limits\n"
    program += f"take_limits(600, 20)\n{code}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("open('new.txt', 'wb', buffering=0).write(b'x')", "File too large"),
        ("x = bytearray(900 << 20)", "MemoryError"),
        ("files = [open('/dev/null') for _ in range(100)]", "Too many open files"),
        ("import resource; print(resource.getrlimit(resource.RLIMIT_CORE))", "(0, 0)"),
        ("import os; print(os.nice(0))", str(min(os.nice(0) + 10, 19))),
    ],
    ids=["no files", "memory", "few open files", "no core dump", "low priority"],
)
def test_limits_hold_inside_the_child(tmp_path: Path, code: str, said: str):
    assert said in _limits_inside(tmp_path, code)


def test_child_is_told_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    path = put(tmp_path, endless("one", "three"))
    frames = run(ask(path), LIMITS)
    next(frames)

    environments = [Path(f"/proc/{child}/environ").read_bytes() for child in children()]
    frames.close()

    assert environments
    assert not any(b"secret" in environment for environment in environments)


def test_works_from_another_folder(tmp_path: Path):
    path = put(tmp_path, drawn(lines("Hello there")))
    program = "import sys; from pathlib import Path; from ingest.reading import read; "
    program += "print(read(Path(sys.argv[1]), seconds=30, memory_mb=800).pages[0].text)"

    done = subprocess.run(
        [sys.executable, "-c", program, path.name],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == "Hello there\n"


@pytest.mark.slow
def test_page_that_hangs_costs_that_page_only(tmp_path: Path):
    path = put(tmp_path, endless("First page", "Third page"))

    found = read(path, seconds=6, memory_mb=800)

    assert [(page.number, page.text) for page in found.pages] == [(1, "First page"), (3, "Third page")]
    assert (found.failed_pages, found.page_count) == ((2,), 3)


REFUSED: dict[str, tuple[Callable[[], bytes], str, FileState]] = {
    "empty": (lambda: b"", r"file\.pdf is empty: it has 0 bytes", FileState.REFUSED),
    "picture": (
        lambda: b"\x89PNG\r\n\x1a\n" + bytes(99),
        "not a PDF and not a text file, it seems to be a PNG picture",
        FileState.REFUSED,
    ),
    "word": (lambda: b"PK\x03\x04..word/document.xml", "seems to be a Word document", FileState.REFUSED),
    "page": (lambda: b"<!DOCTYPE html><p>Dear all</p>", "seems to be a web page", FileState.REFUSED),
    "torn": (lambda: b"4 0 0 rg\nendstream\nendobj\nxref\n", "seems to be a part of a PDF", FileState.REFUSED),
    "nulls": (lambda: b"some\0text " * 99, "a file of an unknown kind", FileState.REFUSED),
    "binary": (lambda: b"some text " * 500 + bytes(range(256)) * 99, "most of it is no text", FileState.REFUSED),
    "russian": (lambda: "\u043f\u0440\u0438\u0432\u0435\u0442 ".encode("koi8-r") * 99, "as UTF-8", FileState.REFUSED),
    "spaces": (lambda: b" \n\t " * 99, "has no text", FileState.NO_TEXT),
    "long": (lambda: b"words " * 4_000_000, "the limit for text is 20 MB", FileState.REFUSED),
    "web page": (lambda: b"<!DOCTYPE html><html>", "seems to be a web page", FileState.REFUSED),
    "noise": (lambda: bytes(range(256)), "a file of an unknown kind", FileState.REFUSED),
    "header only": (lambda: b"%PDF-1.7\n", "is damaged and cannot be opened", FileState.REFUSED),
    "noise after a header": (lambda: b"%PDF-1.7\n" + bytes(range(256)) * 40, "is damaged", FileState.REFUSED),
    "locked": (
        lambda: changed(drawn(lines("secret")), lambda writer: writer.encrypt("password", algorithm="AES-256")),
        "needs a password to open. Save a copy without one and add that",
        FileState.NEEDS_PASSWORD,
    ),
    "no pages": (
        lambda: changed(drawn(lines("x")), lambda writer: writer.remove_page(0)),
        "no pages",
        FileState.REFUSED,
    ),
    "bomb": (lambda: bomb(400), r"more than 250 MB of memory.*RAG_READ_MEMORY_MB", FileState.REFUSED),
    "nothing on it": (lambda: drawn(lines("")), "has no text on its one page", FileState.NO_TEXT),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(REFUSED))
def test_file_that_is_not_taken_in_is_refused_with_a_sentence(tmp_path: Path, name: str):
    make, said, state = REFUSED[name]

    with pytest.raises(Refused, match=said) as refused:
        read(put(tmp_path, make()), seconds=30, memory_mb=250)

    assert refused.value.state is state
    assert str(refused.value).endswith(".")


@pytest.mark.slow
def test_file_that_is_too_slow_is_refused_with_its_limit(tmp_path: Path):
    with pytest.raises(
        Refused, match=r"reading it took longer than 1 seconds; 1 of its 3 pages were done.*RAG_READ_SECONDS"
    ):
        read(put(tmp_path, endless("one", "three")), seconds=1, memory_mb=800)


def test_reading_stops_when_it_is_cancelled(tmp_path: Path):
    with pytest.raises(Refused, match="it was stopped as asked"):
        read(put(tmp_path, endless("one", "three")), seconds=30, memory_mb=800, cancelled=lambda: True)


@pytest.mark.parametrize("name", ["gone.pdf", "."])
def test_missing_file_or_folder_is_refused(tmp_path: Path, name: str):
    with pytest.raises(Refused, match="cannot be opened"):
        read(tmp_path / name, seconds=30, memory_mb=800)


@pytest.mark.parametrize(
    "name", ["a b'\"$(x);.pdf", "-rf.pdf", "~root.pdf", "\u6587\u4ef6.pdf", "bad\udcff.pdf", "x\ny.pdf"]
)
def test_file_with_a_hostile_name_is_read(tmp_path: Path, name: str):
    found = read(put(tmp_path, drawn(lines("Hello there")), name), seconds=30, memory_mb=800)

    assert found.pages[0].text == "Hello there"


def test_a_crash_under_a_large_parent_is_not_taken_for_want_of_memory(tmp_path: Path):
    program = (
        "import sys; from pathlib import Path\n"
        "from ingest.reading.sandbox import Limits, run\n"
        "ballast = bytearray(b'x') * (300 << 20)\n"
        "try: list(run({'task': 'no such task', 'path': sys.argv[1]}, Limits(20, 20, 400)))\n"
        "except RuntimeError as error: print('told as a bug', len(ballast))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stdout.startswith("told as a bug"), done.stderr

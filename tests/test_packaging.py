"""The image and the compose file, read rather than run: no Docker engine is needed."""

import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent


def instructions(text):
    """Instructions of a Dockerfile as (name, rest), continued lines joined, comments left out."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = lines.replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def image():
    return instructions((ROOT / "Dockerfile").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def last_stage(image):
    start = max(index for index, (name, _) in enumerate(image) if name == "FROM")
    return image[start:]


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def app(compose):
    return compose["services"]["app"]


def test_process_in_the_image_is_not_root(last_stage):
    users = [rest for name, rest in last_stage if name == "USER"]

    assert users
    assert users[-1] not in ("root", "0", "0:0")


def test_image_has_a_health_check_and_a_volume_for_its_state(last_stage):
    checks = [rest for name, rest in last_stage if name == "HEALTHCHECK"]

    assert len(checks) == 1
    assert "/healthz" in checks[0]
    assert ("VOLUME", '["/data"]') in last_stage
    assert any(name == "ENV" and "RAG_HOME=/data/" in rest for name, rest in last_stage)


def test_torch_comes_from_the_processor_index_unless_another_is_named(image):
    assert ("ARG", "TORCH_INDEX=https://download.pytorch.org/whl/cpu") in image
    assert any('--index-url "${TORCH_INDEX}" torch==' in rest for name, rest in image if name == "RUN")


def test_torch_has_one_version_everywhere(image):
    constraint = re.search(r"^torch==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    script = re.search(r"^TORCH=(\S+)$", (ROOT / "scripts" / "setup.sh").read_text(encoding="utf-8"), re.MULTILINE)

    assert script[1] == constraint[1]
    assert any(f"torch=={constraint[1]}" in rest.split() for name, rest in image if name == "RUN")


def test_every_file_the_image_copies_exists_and_reaches_the_build(image):
    copied = [shlex.split(rest) for name, rest in image if name == "COPY" and "--from=" not in rest]
    sources = {word.removeprefix("./") for words in copied for word in words[:-1]}
    admitted = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    }

    assert {source for source in sources if not (ROOT / source).exists()} == set()
    assert sources == admitted


def test_build_context_leaves_state_and_environment_out():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert next(line for line in lines if not line.startswith("#")) == "*"


def test_image_starts_the_entry_point_that_the_package_installs(last_stage):
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]

    assert ("CMD", '["rag", "serve", "--handbook", "/opt/docs_corpus"]') in last_stage
    assert "rag" in scripts


def test_password_is_required(app):
    assert re.fullmatch(r"\$\{RAG_PASSWORD:\?.+\}", app["environment"]["RAG_PASSWORD"])


def test_only_the_application_is_published_and_only_on_this_computer(compose, app):
    published = {name for name, service in compose["services"].items() if "ports" in service}

    assert published == {"app"}
    assert all(port.startswith("127.0.0.1:") and port.endswith(":7860") for port in app["ports"])


def test_application_writes_only_to_its_volume_and_temporary_folder(app):
    assert app["read_only"] is True
    assert app["volumes"] == ["state:/data"]
    assert app["tmpfs"] == ["/tmp"]
    assert app["environment"]["RAG_HOME"].startswith("/data/")


def test_application_gives_up_the_rights_it_does_not_need(app):
    assert app["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in app["security_opt"]
    assert not app.get("privileged", False)


def test_each_volume_is_declared_and_used(compose):
    used = {volume.split(":")[0] for service in compose["services"].values() for volume in service["volumes"]}

    assert used == set(compose["volumes"])


def test_language_model_has_a_health_check_that_the_application_waits_for(compose, app):
    assert compose["services"]["ollama"]["healthcheck"]["test"] == ["CMD", "ollama", "list"]
    assert app["depends_on"]["ollama"]["condition"] == "service_healthy"


def test_compose_passes_only_settings_that_exist(app):
    from rag_app.settings import NAMES

    assert {name for name in app["environment"] if name.startswith("RAG_")} - NAMES == set()


def test_image_sets_only_settings_that_exist(last_stage):
    from rag_app.settings import NAMES

    words = [word for name, rest in last_stage if name == "ENV" for word in shlex.split(rest)]

    assert {word.split("=")[0] for word in words if word.startswith("RAG_")} - NAMES == set()


def test_compose_uses_only_keys_that_compose_knows(compose):
    known = {
        "build", "image", "environment", "ports", "volumes", "read_only", "tmpfs", "cap_drop", "security_opt", "init",
        "stop_grace_period", "restart", "depends_on", "healthcheck",
    }  # fmt: skip

    assert set(compose) == {"name", "services", "volumes"}
    assert {key for service in compose["services"].values() for key in service} - known == set()


def test_setup_script_is_plain_shell():
    text = (ROOT / "scripts" / "setup.sh").read_text(encoding="utf-8")

    assert text.startswith("#!/bin/sh\n")
    assert "[[" not in text
    assert "set -eu" in text


def test_setup_tells_a_full_disk_before_it_begins(tmp_path):
    (tmp_path / "bin").mkdir()
    full = tmp_path / "bin" / "df"
    full.write_text("#!/bin/sh\necho Filesystem\necho /dev/vda 252000 251880 120\n", encoding="utf-8")
    full.chmod(0o755)
    environment = {**os.environ, "PATH": f"{full.parent}:{os.environ['PATH']}", "VENV": str(tmp_path / "venv")}

    done = subprocess.run(
        ["sh", str(ROOT / "scripts" / "setup.sh")], env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert f"the disk of {ROOT} has 120 MB left" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_constraints_pin_each_package_once_and_no_local_build():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    names = [pin.split("==")[0].lower().replace("_", "-") for pin in pins]

    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", pin) for pin in pins)
    assert len(set(names)) == len(names)


def test_each_dependency_is_pinned_by_the_constraints():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[^A-Za-z0-9._-]", name)[0].lower().replace("_", "-") for name in wanted}
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    }

    assert names - pinned == set()

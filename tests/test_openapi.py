"""The description of the addresses for programs is accurate: schemathesis asks as it says, and looks at the answers."""

from dataclasses import fields

import pytest
import schemathesis
from schemathesis import engine
from schemathesis.engine import events
from scripted_desk import HANDBOOK, OWN, ScriptedDesk
from served import served
from starlette.testclient import TestClient

from rag_app.records import Timings
from rag_app.web import api_models
from rag_app.web.server import create_app

ADDRESSES = {
    ("post", "/api/ask"),
    ("post", "/api/search"),
    ("post", "/api/feedback"),
    ("get", "/api/documents"),
    ("post", "/api/documents"),
    ("delete", "/api/documents/{document_id}"),
    ("get", "/api/jobs"),
    ("post", "/v1/chat/completions"),
    ("get", "/v1/models"),
    ("get", "/v1/models/{model}"),
    ("get", "/readyz"),
    ("get", "/metrics"),
}
# The same examples each time: what fails here fails everywhere.
CONFIGURATION = {
    "generation": {"deterministic": True, "max-examples": 12, "database": "none"},
    "phases": {"stateful": {"enabled": False}},
    "operations": [
        # Files are generated as well, and a picture is refused.
        {
            "include-name": "POST /api/documents",
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 404, 409, 422]}},
        },
        # A schema cannot say that the last message must be the question.
        {
            "include-name": "POST /v1/chat/completions",
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 400, 404]}},
        },
    ],
}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    return create_app(ScriptedDesk(home, (HANDBOOK, OWN)).desk(), home=home, max_upload_mb=1)


@pytest.fixture(scope="module")
def page(app):
    return TestClient(app, base_url="http://127.0.0.1:7860").get("/api/openapi.json").json()


@pytest.fixture(scope="module")
def described(page, address):
    schema = schemathesis.openapi.from_dict(page, config=schemathesis.Config.from_dict(CONFIGURATION))
    schema.config.update(base_url=address)
    return schema


@pytest.fixture(scope="module")
def address(app):
    with served(app) as base:
        yield base


@pytest.mark.slow
def test_every_answer_is_as_described(described):
    """Examples, every edge of every schema, and generated requests, right and wrong ones."""
    faults, asked, looked_at = set(), set(), 0
    for event in engine.from_schema(described).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            faults.add(repr(getattr(event, "value", None) or event.exception))
        if isinstance(event, events.ScenarioFinished):
            asked.add(event.recorder.label)
            for checks in event.recorder.checks.values():
                looked_at += len(checks)
                faults |= {
                    f"{event.recorder.label} {one.name}: {one.failure_info.failure} {one.failure_info.code_sample}"
                    for one in checks
                    if one.failure_info is not None
                }

    assert not faults, "\n\n".join(sorted(faults))
    assert asked == {f"{method.upper()} {path}" for method, path in ADDRESSES}
    assert looked_at > 1_000


@pytest.mark.slow
def test_exactly_these_addresses_are_described(page):
    assert {(method, path) for path, methods in page["paths"].items() for method in methods} == ADDRESSES


def test_every_refusal_is_described_in_the_shape_it_has(page):
    for path, methods in page["paths"].items():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                named = response.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
                if status.startswith("4") and status != "409":
                    assert named.endswith("/OpenAIFailed" if path.startswith("/v1") else "/Failed"), (path, status)


def test_the_stages_that_are_timed_are_described():
    assert list(api_models.Timings.model_fields) == [field.name for field in fields(Timings)]


def test_every_field_that_may_puzzle_somebody_is_explained(page):
    schemas = page["components"]["schemas"]

    assert all(schemas[name].get("description") for name in schemas)
    assert schemas["Question"]["properties"]["store"]["description"]

"""What the admin API says of itself holds: the description is valid, and a weir keeps to it."""

import hypothesis
import pytest
import schemathesis
from openapi_spec_validator import validate
from schemathesis import checks

from support.admin import DESCRIPTION, FIRST_TOKEN, Admin, description

schema = schemathesis.openapi.from_path(str(DESCRIPTION))

# A fixed course, so that a run that fails fails again.
BOUNDED = hypothesis.settings(max_examples=15, derandomize=True, deadline=None, database=None,
                              suppress_health_check=list(hypothesis.HealthCheck))
CHECKS = [checks.not_a_server_error, schemathesis.checks.CHECKS.get_one("status_code_conformance"),
          schemathesis.checks.CHECKS.get_one("content_type_conformance"),
          schemathesis.checks.CHECKS.get_one("response_headers_conformance"),
          schemathesis.checks.CHECKS.get_one("response_schema_conformance")]


THINGS = {"teams": {"name": "red"}, "users": {"name": "ada", "team": "red"},
          "keys": {"user": "ada", "name": "laptop"}, "tokens": {"name": "spare", "role": "viewer"},
          "providers": {"name": "extra", "base_url": "http://127.0.0.1:9/v1"},
          "models": {"name": "extra", "targets": ["extra"]}}
NAMES = {"team": "red", "user": "ada", "key": "laptop", "token": "spare", "provider": "extra",
         "model": "extra"}


@pytest.fixture(scope="module")
def root(make_gateway):
    admin = {"token": FIRST_TOKEN, "allowed_networks": ["127.0.0.0/8"]}
    return Admin(make_gateway({"admin": admin}).weir.admin_port, FIRST_TOKEN)


def make_things(root):
    """What a request may have removed is there again."""
    for kind, members in THINGS.items():
        assert root.call("POST", kind, members).status in (201, 409)
    root.call("PUT", "secrets/extra", {"value": "sk-its-credential"})


def test_the_description_is_valid_and_is_what_a_weir_answers_with(root):
    validate(description())
    assert root.ok("GET", "openapi.json") == description()


@schema.parametrize()
@BOUNDED
def test_no_request_breaks_what_is_described(case, root):
    """Each request as it was made up, and once more about things that there are."""
    call = dict(base_url=f"http://127.0.0.1:{root.port}", checks=CHECKS)
    headers = {"authorization": f"Bearer {FIRST_TOKEN}"}
    case.call_and_validate(headers=headers, **call)
    make_things(root)
    case.path_parameters = {name: NAMES[name] for name in case.path_parameters or {}}
    case.call_and_validate(headers=headers | {"if-match": "*"}, **call)

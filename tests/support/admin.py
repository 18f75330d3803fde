"""A client of the admin API, and what its description says of each route."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from support import wire

DESCRIPTION = Path(__file__).resolve().parents[2] / "src" / "admin" / "openapi.json"
FIRST_TOKEN = "the-first-token-of-all"  # admin.token of the configuration
ROLES = ("viewer", "operator", "admin", "team_admin")
RANKS = {"viewer": 1, "operator": 2, "admin": 3}


@dataclass(frozen=True)
class Route:
    """An operation of the description, which a unit test compares with the program's own table."""

    method: str
    path: str
    role: str
    for_team: bool
    takes_match: bool
    takes_body: bool

    def __str__(self):
        return f"{self.method} {self.path.removeprefix('/admin/v1/')}"

    def is_open_to(self, role):
        return self.for_team if role == "team_admin" else RANKS[role] >= RANKS[self.role]

    def with_names(self, name="nobody"):
        return re.sub(r"\{[a-z]+\}", name, self.path)


def description():
    return json.loads(DESCRIPTION.read_text())


def routes():
    found = []
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            found.append(Route(method.upper(), path, operation["x-weir-role"],
                               operation["x-weir-team-admin"], "428" in operation["responses"],
                               "requestBody" in operation))
    return found


class Admin:
    """Calls the admin listener with one token."""

    def __init__(self, port, token=None):
        self.port = port
        self.token = token

    def call(self, method, path, body=None, headers=(), token=None):
        path = path if path.startswith("/") else f"/admin/v1/{path}"
        headers = list(headers)
        if body is not None and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("content-type", "application/json"))
        data = wire.request(method, path, b"" if body is None else body, token or self.token,
                            headers)
        response = wire.exchange(self.port, data, method)
        check_answer(response, method)
        return response

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def ok(self, method, path, body=None, **options):
        """The object of an answer that must be good."""
        response = self.call(method, path, body, **options)
        assert response.status in (200, 201), (response.status, response.body)
        return response.json()

    def change(self, method, path, body=None, if_match="*"):
        return self.call(method, path, body, headers=[("if-match", if_match)])

    def create(self, kind, **members):
        return self.ok("POST", kind, members)

    def all_items(self, path, **parameters):
        """Every item of a list, page by page."""
        items, after = [], None
        while True:
            query = dict(parameters, **({"after": after} if after else {}))
            page = self.ok("GET", path + "?" + "&".join(f"{k}={v}" for k, v in query.items()))
            items += page["items"]
            after = page["next"]
            if after is None:
                return items


def check_answer(response, method="GET"):
    """What holds of every answer of the admin API."""
    assert response.header("x-request-id"), response
    assert not any(name.lower().startswith("access-control-") for name, _ in response.headers)
    assert response.header("cache-control") == "no-store"
    if response.status >= 400:
        assert response.header("content-type") == "application/problem+json", response
        if method != "HEAD":
            problem = response.json()
            assert set(problem) == {"type", "title", "status", "detail"}, problem
            assert problem["status"] == response.status and problem["detail"], problem
    if response.status == 401:
        assert response.header("www-authenticate") == "Bearer"
    if response.status == 405:
        assert response.header("allow")

"""The answers that every adapter gives: tests/behaviour/adapters.json of libtorii."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import REPOSITORY
from fastapi import Depends, FastAPI, Request, Response
from serving import serving

from torii_backend import (
    ToriiRequire,
    ToriiRequirements,
    ToriiVerifier,
)
from torii_backend.fastapi import require_auth
from torii_backend.testing import LocalTorii

CORPUS = json.loads((REPOSITORY / "tests/behaviour/adapters.json").read_text(encoding="utf-8"))
METHODS = ["GET", "HEAD", "POST", "OPTIONS"]


def ours(row: dict[str, Any]) -> bool:
    return "python" in row.get("only", ["python"]) and "python" not in row.get("except", [])


ROWS = [row for row in CORPUS["rows"] if ours(row)]


def requirements_of(wanted: dict[str, Any] | None) -> ToriiRequirements | None:
    if wanted is None:
        return None
    return ToriiRequirements(
        sum(ToriiRequire[name.upper()] for name in wanted.get("flags", [])),
        claims=[(each["pointer"], json.loads(each["json"])) for each in wanted.get("claims", [])],
        organizations=[(each["id"], each.get("role")) for each in wanted.get("organizations", [])],
    )


def app_with(configuration: dict[str, Any], url: str) -> FastAPI:
    """The handler on all paths, each with its own requirements, and one verifier for all."""
    options = dict(configuration)
    verifier = ToriiVerifier(
        f"{url}/{options.pop('issuer')}",
        audience=options.pop("audiences", None),
        requirements=requirements_of(options.pop("requirements", None)),
        realm=options.pop("realm", None),
        resource_metadata=options.pop("resource_metadata", None),
    )
    routes = options.pop("routes", {})
    app = FastAPI()
    for path, wanted in [*routes.items(), ("/{path:path}", None)]:
        requirements = requirements_of(wanted)
        dependency = require_auth(verifier=verifier, requirements=requirements, **options)
        add_handler(app, path, dependency)
    return app


def add_handler(app: FastAPI, path: str, dependency: Any) -> None:
    @app.api_route(path, methods=METHODS)
    async def handler(request: Request, auth: Any = Depends(dependency)) -> Response:
        user = auth.user_id if auth else "-"
        return Response(await request.body(), headers={"Handler-User": user})


class Servers:
    """A server for each configuration, started when a row needs it, and a connection to it."""

    def __init__(self, emulator: LocalTorii, exits: ExitStack) -> None:
        self.emulator = emulator
        self.exits = exits
        self.connections: dict[str, http.client.HTTPConnection] = {}

    def connection(self, name: str) -> http.client.HTTPConnection:
        if name not in self.connections:
            app = app_with(CORPUS["configurations"][name], self.emulator.url)
            address = urlsplit(self.exits.enter_context(serving(app))).netloc
            connection = http.client.HTTPConnection(address, timeout=120)
            self.connections[name] = connection
            self.exits.callback(connection.close)
        return self.connections[name]

    def token(self, name: str) -> str:
        how = CORPUS["tokens"][name]
        if "repeat" in how:
            text: str = how["repeat"] * how["times"]
            return text
        answer = self.emulator.control("POST", f"/issuers/{how['issuer']}/tokens", how["mint"])
        token: str = answer["token"]
        return token


@pytest.fixture(scope="module")
def servers(running_torii: LocalTorii) -> Iterator[Servers]:
    running_torii.reset()
    for request in CORPUS["setup"]:
        running_torii.control("POST", request["path"], request["body"])
    with ExitStack() as exits:
        yield Servers(running_torii, exits)


class Row:
    """A row with its tokens, and the answer to it."""

    def __init__(self, row: dict[str, Any], servers: Servers) -> None:
        self.servers = servers
        self.tokens: dict[str, str] = {}
        self.method: str = row["method"]
        self.path = self.fill(row["path"])
        self.headers = [(name, self.fill(value)) for name, value in row["headers"]]
        self.body = self.fill(row.get("body", ""))

    def fill(self, text: str) -> str:
        return re.sub(r"{(.+?)}", lambda name: self.token(name[1]), text)

    def token(self, name: str) -> str:
        if name not in self.tokens:
            self.tokens[name] = self.servers.token(name)
        return self.tokens[name]

    def send(self, connection: http.client.HTTPConnection) -> Answer:
        connection.putrequest(self.method, self.path)
        for name, value in self.headers:
            connection.putheader(name, value)
        if self.body:
            connection.putheader("Content-Length", str(len(self.body)))
        connection.endheaders(self.body.encode() or None)
        return Answer(connection.getresponse())

    def secrets(self) -> Iterator[str]:
        """The payloads and the signatures, which must not come back."""
        for token in self.tokens.values():
            yield from filter(None, token.split(".")[-2:])


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read().decode()

    @cached_property
    def code(self) -> Any:
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.body)["detail"]["code"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_adapter(row: dict[str, Any], servers: Servers) -> None:
    request = Row(row, servers)
    answer = request.send(servers.connection(row["configuration"]))
    if answer.status in row.get("server_may_refuse", []):
        assert answer.headers["handler-user"] is None
        return
    expected = CORPUS["answers"][row["answer"]]
    assert answer.status == expected["status"]
    assert answer.headers["www-authenticate"] == expected["www_authenticate"]
    assert answer.headers["cache-control"] == expected["cache_control"]
    if expected["retry_after"]:
        assert int(answer.headers["retry-after"]) >= 1
    else:
        assert answer.headers["retry-after"] is None
    body = answer.body if request.method != "HEAD" else None
    if answer.status == 200:
        assert answer.headers["handler-user"] == (row["user"] or "-")
        assert body in (None, request.body)
        return
    assert answer.headers["handler-user"] is None
    if body is not None:
        assert answer.code == expected["code"]
        assert not any(text in body for text in CORPUS["never_in_refusals"])
    sent_back = f"{answer.headers}{answer.body}"
    assert not any(secret in sent_back for secret in request.secrets())

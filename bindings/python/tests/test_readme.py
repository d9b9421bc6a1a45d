"""The snippets of this README and of torii-backend 0.0.2 run unchanged."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from sender import OTHER, SECRET, signed
from serving import bearer, serving

import torii_backend.fastapi
from torii_backend import METRICS_TYPE, ToriiAuthError, ToriiStatus, ToriiVerifier, verify
from torii_backend.testing import LocalTorii

ISSUER = "https://acme.torii.so"
HERE = Path(__file__).parent
README = (HERE.parent / "README.md").read_text(encoding="utf-8")
SEED_README = (HERE / "torii-backend-0.0.2.README.md").read_text(encoding="utf-8")


def snippets(document: str, language: str) -> list[str]:
    """The fenced blocks of that language, without the indentation of the list they stand in."""
    pattern = rf"^(?P<indent> *)```{language}\n(?P<code>.*?)^ *```$"
    return [
        re.sub(rf"^{match['indent']}", "", match["code"], flags=re.MULTILINE)
        for match in re.finditer(pattern, document, flags=re.DOTALL | re.MULTILINE)
    ]


def execute(code: str, names: dict[str, Any]) -> None:
    """Runs a file of its own: without the `from __future__` of this one."""
    exec(compile(code, "README.md", "exec", dont_inherit=True), names)


@pytest.fixture
def names(emulator: LocalTorii, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names that the snippets use. They reach the local torii, by its keys and its address."""
    keys = httpx.get(f"{emulator.issuer}/_torii/.well-known/jwks.json").text
    offline = partial(ToriiVerifier, jwks=keys)
    client = partial(torii_backend.ToriiClient, api_url=emulator.url)
    for module in (torii_backend, torii_backend.fastapi, verify):
        monkeypatch.setattr(module, "ToriiVerifier", offline)
    monkeypatch.setattr(torii_backend, "create_torii_client", client)
    monkeypatch.setenv("TORII_SECRET_KEY", emulator.secret_key)
    monkeypatch.setenv("WEBHOOK_SECRETS", f"{OTHER} {SECRET}")
    verify.shared_verifier.cache_clear()
    user = client(emulator.secret_key).users.create(name="Augusta", phone="+44 1", address="London")
    token = emulator.token(claims={"iss": ISSUER, "sub": user.id})
    return {"token": token, "user_id": user.id, "banned_id": "user-2"}


def test_the_seed(
    emulator: LocalTorii, names: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = snippets(SEED_README, "python")
    verifying, creating, serving_users, managing, updating, patching = blocks
    user_id = names["user_id"]

    execute(verifying, names)
    assert capsys.readouterr().out.split() == [user_id, emulator.environment_id, "True"]

    execute(creating, names)
    assert names["user"].id == user_id

    execute(serving_users, names)
    with serving(names["app"]) as url:
        answer = httpx.get(f"{url}/me", headers=bearer(names["token"]))
        assert answer.json() == {"user_id": user_id}
        assert httpx.get(f"{url}/me").status_code == 401

    execute(managing, names)
    assert names["user"].email == "x@y.com"
    assert names["torii"].users.get(names["user"].id).status == "banned"
    assert names["page"].items[0].id == user_id

    (wire,) = snippets(SEED_README, "json")
    for snippet in (updating, patching):
        execute(snippet, names)
        request = emulator.requests("/api")[-1]
        assert (request["method"], json.loads(request["body"])) == ("PATCH", json.loads(wire))
    raw = names["torii"].users.get(user_id).raw
    assert raw["name"] == "Ada"

    execute("torii.users.update(user_id)", names)
    assert emulator.requests("/api")[-1]["body"] == "{}"
    print("6 snippets ran")


def test_this_one(emulator: LocalTorii, names: dict[str, Any]) -> None:
    claims = {"iss": ISSUER, "email_verified": True, "plan": "pro", "sub": names["user_id"]}
    names["token"] = emulator.token(claims=claims)
    for snippet in snippets(README, "python"):
        execute(snippet, names)
    assert names["auth"].user_id == names["user_id"]
    assert emulator.requests("/api")[-1]["body"] == '{"firstName":"Ada","lastName":null}'
    with serving(names["app"]) as url:
        answer = httpx.get(f"{url}/me", headers={"Cookie": f"app_token={names['token']}"})
        assert answer.json() == {"user_id": names["user_id"]}
        headers = signed(b"{}")
        assert httpx.post(f"{url}/webhooks", content=b"{}", headers=headers).status_code == 204
        assert httpx.post(f"{url}/webhooks", content=b"{ }", headers=headers).status_code == 400
        scrape = httpx.get(f"{url}/metrics")
    assert scrape.headers["Content-Type"] == METRICS_TYPE
    assert 'torii_tokens_total{status="TORII_OK"} ' in scrape.text
    assert REGISTRY.get_sample_value("torii_tokens_total", {"status": "TORII_OK"})
    for user, status in (("user-1", None), ("user-2", ToriiStatus.TOKEN_REVOKED)):
        assert refusal(names["verifier"], emulator.token({"iss": ISSUER, "sub": user})) == status
    for test in ("test_a_signed_in_user", "test_the_issuer_is_down"):
        emulator.reset()
        names[test](emulator)


def refusal(verifier: ToriiVerifier, token: str) -> int | None:
    try:
        verifier.verify(token)
    except ToriiAuthError as error:
        return error.reason
    return None

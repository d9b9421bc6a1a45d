"""The verdicts that every binding has to give: tests/behaviour/verify.json of libtorii."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import REPOSITORY

from torii_backend import (
    ToriiAuth,
    ToriiAuthError,
    ToriiError,
    ToriiRequire,
    ToriiStatus,
    ToriiVerifier,
    ToriiWebhook,
    webhooks,
)

CORPUS = json.loads((REPOSITORY / "tests/behaviour/verify.json").read_text(encoding="utf-8"))


def text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "".join(piece * times for piece, times in value["repeat"])


def key_set(name: str) -> str:
    return text(CORPUS["key_sets"][name]["jwks"])


def judge(case: dict[str, Any]) -> ToriiAuth:
    options = case["options"]
    now = options.get("now")
    verifier = ToriiVerifier(
        options["issuer"],
        jwks=key_set(case["key_set"]),
        issuers={each["issuer"]: key_set(each["key_set"]) for each in options.get("issuers", [])},
        audience=options.get("audiences"),
        leeway=options.get("leeway", 30),
        require=sum(ToriiRequire[name.upper()] for name in options.get("require", [])),
        clock=None if now is None else lambda: now,
    )
    if "token" in case:
        return verifier.verify(text(case["token"]))
    return verifier.authenticate(text(case["header"]))


@pytest.mark.parametrize("case", CORPUS["cases"], ids=lambda case: case["name"])
def test_verdict(case: dict[str, Any]) -> None:
    expected = case["expect"]
    if expected["status"] != "TORII_OK":
        with pytest.raises(ToriiAuthError) as caught:
            judge(case)
        assert caught.value.reason == ToriiStatus[expected["status"].replace("TORII_ERR_", "")]
        return
    auth = judge(case)
    for member, value in expected["auth"].items():
        assert getattr(auth, member) == (text(value) if member == "claims_json" else value), member
    assert auth.raw == json.loads(auth.claims_json)


@pytest.mark.parametrize("name", [n for n, s in CORPUS["key_sets"].items() if s["usable"] == 0])
def test_key_set_without_a_usable_key_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^jwks: "):
        ToriiVerifier("https://acme.torii.so", jwks=key_set(name))


def judge_webhook(case: dict[str, Any]) -> ToriiWebhook:
    headers = {f"webhook-{name}": text(case[name]) for name in ("id", "timestamp", "signature")}
    return webhooks.verify(
        bytes.fromhex(case["body_hex"]),
        {name: value for name, value in headers.items() if value},
        secrets=case["secrets"],
        tolerance=case["tolerance"],
        now=case["now"],
    )


@pytest.mark.parametrize("case", CORPUS["webhooks"], ids=lambda case: case["name"])
def test_webhook_verdict(case: dict[str, Any]) -> None:
    expected = case["expect"]
    if expected["status"] != "TORII_OK":
        with pytest.raises(ToriiError) as caught:
            judge_webhook(case)
        assert caught.value.reason == ToriiStatus[expected["status"].replace("TORII_ERR_", "")]
        return
    webhook = judge_webhook(case)
    assert webhook.id == text(case["id"])
    assert webhook.sent_at.timestamp() == expected["sent_at"]
    assert webhook.secret_index == expected["secret_index"]

"""The cases that every binding runs: tests/behaviour/verify.json of libtorii."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from conftest import REPOSITORY

from torii_backend import (
    ToriiAuth,
    ToriiAuthError,
    ToriiError,
    ToriiRequire,
    ToriiRequirements,
    ToriiStatus,
    ToriiVerifier,
    ToriiWebhook,
    webhooks,
)

CORPUS = json.loads((REPOSITORY / "tests/behaviour/verify.json").read_text(encoding="utf-8"))


OPTIONS = {
    *("issuer", "issuers", "audiences", "ignore_audience", "leeway", "max_lifetime_seconds"),
    *("legacy_organization", "require", "requirements", "now"),
}


def text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "".join(piece * times for piece, times in value["repeat"])


def key_set(name: str) -> str:
    return text(CORPUS["key_sets"][name]["jwks"])


def requirements_of(case: dict[str, Any]) -> ToriiRequirements | None:
    wanted = case["options"].get("requirements")
    if wanted is None:
        return None

    def value(text: str) -> Any:
        return json.loads(text, parse_int=Decimal, parse_float=Decimal)

    return ToriiRequirements(
        wanted.get("flags", 0),
        claims=[(each["pointer"], value(each["json"])) for each in wanted.get("claims", [])],
        organizations=[(each["id"], each.get("role")) for each in wanted.get("organizations", [])],
    )


def verify(case: dict[str, Any], with_call: bool = False) -> ToriiAuth:
    """Verifies with the requirements of the case set on the verifier, or passed with the call."""
    options = case["options"]
    now = options.get("now")
    requirements = requirements_of(case)
    of_verifier, of_call = (None, requirements) if with_call else (requirements, None)
    verifier = ToriiVerifier(
        options["issuer"],
        jwks=key_set(case["key_set"]),
        issuers={each["issuer"]: key_set(each["key_set"]) for each in options.get("issuers", [])},
        audience=options.get("audiences"),
        leeway=options.get("leeway", 30),
        require=sum(ToriiRequire[name.upper()] for name in options.get("require", [])),
        requirements=of_verifier,
        ignore_audience=options.get("ignore_audience", False),
        max_lifetime=options.get("max_lifetime_seconds"),
        legacy_organization=options.get("legacy_organization", False),
        clock=None if now is None else lambda: now,
    )
    if "token" in case:
        return verifier.verify(text(case["token"]), requirements=of_call)
    return verifier.authenticate(text(case["header"]), requirements=of_call)


@pytest.mark.parametrize("case", CORPUS["cases"], ids=lambda case: case["name"])
def test_case(case: dict[str, Any]) -> None:
    check(case, with_call=False)


@pytest.mark.parametrize(
    "case",
    [case for case in CORPUS["cases"] if "requirements" in case["options"]],
    ids=lambda case: case["name"],
)
def test_requirements_of_a_call(case: dict[str, Any]) -> None:
    check(case, with_call=True)


def check(case: dict[str, Any], with_call: bool) -> None:
    options = set(case["options"])
    assert options <= OPTIONS, options - OPTIONS
    expected = case["expect"]
    if expected["status"] != "TORII_OK":
        with pytest.raises(ToriiAuthError) as caught:
            verify(case, with_call)
        assert caught.value.reason == ToriiStatus[expected["status"].replace("TORII_ERR_", "")]
        return
    auth = verify(case, with_call)
    for member, value in expected["auth"].items():
        assert getattr(auth, member) == (text(value) if member == "claims_json" else value), member
    assert auth.raw == json.loads(auth.claims_json)


@pytest.mark.parametrize("name", [n for n, s in CORPUS["key_sets"].items() if s["usable"] == 0])
def test_key_set_without_a_usable_key_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^jwks: "):
        ToriiVerifier("https://acme.torii.so", jwks=key_set(name))


def verify_webhook(case: dict[str, Any], secrets: list[str]) -> ToriiWebhook:
    headers = {f"webhook-{name}": text(case[name]) for name in ("id", "timestamp", "signature")}
    return webhooks.verify(
        bytes.fromhex(case["body_hex"]),
        {name: value for name, value in headers.items() if value},
        secrets=secrets,
        tolerance=case["tolerance"],
        now=case["now"],
    )


@pytest.mark.parametrize("case", CORPUS["webhooks"], ids=lambda case: case["name"])
def test_webhook(case: dict[str, Any]) -> None:
    expected = case["expect"]
    if expected["status"] != "TORII_OK":
        with pytest.raises(ToriiError) as caught:
            verify_webhook(case, case["secrets"])
        assert caught.value.reason == ToriiStatus[expected["status"].replace("TORII_ERR_", "")]
        return
    webhook = verify_webhook(case, case["secrets"])
    assert webhook.id == text(case["id"])
    assert webhook.sent_at.timestamp() == expected["sent_at"]
    assert verify_webhook(case, [case["secrets"][expected["secret_index"]]]) == webhook

"""Texts cross as they are, or are refused by name."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from torii_backend import (
    ToriiAuthError,
    ToriiClient,
    ToriiStatus,
    ToriiUsageError,
    ToriiVerifier,
)
from torii_backend.testing import LocalTorii

MEBIBYTE = 1 << 20
SECRET_KEY = "sk_test_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
ODD = {"nul": "a\0b", "surrogate": "\udcff", "long": "x" * MEBIBYTE, "empty": ""}


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", ToriiStatus.TOKEN_MISSING),
        (b"", ToriiStatus.TOKEN_MISSING),
        ("a.b\0.c", ToriiStatus.TOKEN_MALFORMED),
        (b"\xff\xfe.\x80.x", ToriiStatus.TOKEN_MALFORMED),
        ("\ud800.\udfff.x", ToriiStatus.TOKEN_MALFORMED),
        ("x" * MEBIBYTE, ToriiStatus.TOKEN_TOO_LARGE),
    ],
)
def test_odd_tokens_are_invalid(token: str | bytes, reason: ToriiStatus) -> None:
    with pytest.raises(ToriiAuthError) as caught:
        ToriiVerifier("https://acme.torii.so").verify(token)
    assert caught.value.reason == reason


def test_a_valid_token_with_something_behind_a_nul_is_invalid(emulator: LocalTorii) -> None:
    token, verifier = emulator.token(), ToriiVerifier(emulator.issuer)
    assert verifier.verify(token.encode()).user_id
    with pytest.raises(ToriiAuthError):
        verifier.verify(token + "\0")


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("issuer", lambda text: ToriiVerifier(text)),
        ("jwks", lambda text: ToriiVerifier("https://acme.torii.so", jwks=text)),
        ("secret_key", lambda text: ToriiClient(text)),
        ("(api_)?url", lambda text: ToriiClient(SECRET_KEY, api_url=text)),
        (".*suffix", lambda text: ToriiClient(SECRET_KEY, user_agent_suffix=text or "\0")),
        ("user_id", lambda text: ToriiClient(SECRET_KEY).users.get(text)),
        ("cursor", lambda text: ToriiClient(SECRET_KEY).users.list(cursor=text or "\0")),
        ("method", lambda text: ToriiClient(SECRET_KEY).request(text, "/x")),
        ("path", lambda text: ToriiClient(SECRET_KEY).request("GET", text)),
    ],
)
def test_odd_texts_are_refused_by_name(name: str, use: Callable[[str], Any], odd: str) -> None:
    with pytest.raises(ToriiUsageError, match=f"^{name}: "):
        use(ODD[odd])


@pytest.mark.parametrize("value", [5, 1.5, object(), ["x"]])
def test_a_value_that_is_not_text_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="token must be a str"):
        ToriiVerifier("https://acme.torii.so").verify(value)
    with pytest.raises(TypeError, match="issuer must be a str"):
        ToriiVerifier(value)
    with pytest.raises(TypeError):
        ToriiClient(SECRET_KEY).users.get(value)


def test_claims_hold_every_character(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    claims = {"sub": "Ünïcødé 🦆", "note": "a\0b", "long": "x" * 9000, "empty": ""}
    auth = verifier.verify(emulator.token(claims=claims))
    assert {name: auth.raw[name] for name in claims} == claims
    assert auth.user_id == claims["sub"]


def test_bodies_hold_every_character(emulator: LocalTorii, client: ToriiClient) -> None:
    bag = {"nul": "a\0b", "duck": "🦆", "empty": "", "": "no name", "quote": '"\\\n'}
    user = client.users.create(first_name="a\0b", public_metadata=bag)
    assert (user.first_name, user.public_metadata) == ("a\0b", bag)
    assert client.users.get(user.id).public_metadata == bag
    with pytest.raises(ToriiUsageError, match=r"^body: "):
        client.users.update(user.id, first_name="\ud800")


def test_answers_may_be_long(emulator: LocalTorii, client: ToriiClient) -> None:
    emulator.fault("/api/", kind="status", status=200, body='{"long":"' + "x" * MEBIBYTE + '"}')
    assert client.request("GET", "/api/server/v1/allowed-origins")["long"] == "x" * MEBIBYTE

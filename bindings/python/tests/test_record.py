"""Results: requirements, claims, and the buffer that a call writes to."""

from __future__ import annotations

import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from types import FrameType
from typing import Any

import pytest

from torii_backend import (
    ToriiAuth,
    ToriiAuthError,
    ToriiKeysUnavailableError,
    ToriiPolicyError,
    ToriiRequire,
    ToriiRequirements,
    ToriiStatus,
    ToriiUsageError,
    ToriiVerifier,
    _native,
    verify,
)
from torii_backend.testing import LocalTorii


def test_impersonation_and_organization(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    claims = {"o": {"id": "org-1", "rol": "admin"}, "act": {"sub": "support-1"}}
    auth = verifier.verify(emulator.token(claims=claims, without=["impersonating"]))
    assert (auth.organization_id, auth.organization_role) == ("org-1", "admin")
    assert (auth.actor_id, auth.impersonating) == ("support-1", True)
    assert ToriiRequire.ORGANIZATION in auth.flags
    assert ToriiRequire.NOT_IMPERSONATED not in auth.flags
    auth = verifier.verify(emulator.token(without=["o", "act", "impersonating"]))
    assert (auth.organization_id, auth.organization_role, auth.actor_id) == (None, None, None)
    assert not auth.impersonating


@pytest.mark.parametrize(
    ("requirements", "met", "unmet"),
    [
        (ToriiRequirements(ToriiRequire.EMAIL_VERIFIED), {"email_verified": True}, {}),
        (ToriiRequirements(claims={"/plan": "pro"}), {"plan": ["pro"]}, {"plan": "Pro"}),
        (ToriiRequirements(claims={"/a~1b/0": True}), {"a/b": [True]}, {"a/b": [1]}),
        (ToriiRequirements(claims={"/n": Decimal("1.10")}), {"n": 1.1}, {"n": 1.2}),
        (ToriiRequirements(claims=[("/r", "a"), ("/r", "b")]), {"r": ["a", "b"]}, {"r": "a"}),
        (ToriiRequirements(organizations="org-1"), {"o": "org-1"}, {"o": "org-2"}),
        (
            ToriiRequirements(organizations=["org-2", ("org-1", "admin")]),
            {"o": {"id": "org-1", "rol": "admin"}},
            {"o": {"id": "org-1", "rol": "member"}},
        ),
    ],
)
def test_requirements(
    emulator: LocalTorii,
    verifier: ToriiVerifier,
    requirements: ToriiRequirements,
    met: dict[str, Any],
    unmet: dict[str, Any],
) -> None:
    """The same on the verifier and with the call, and one call leaves no trace for the next."""
    yes = emulator.token(claims=met)
    no = emulator.token(claims=unmet, without=["email_verified"])
    strict = ToriiVerifier(emulator.issuer, requirements=requirements)
    strict.verify(yes)
    with pytest.raises(ToriiPolicyError):
        strict.verify(no)
    for each, token in ((verifier.verify, no), (verifier.authenticate, f"Bearer {no}")):
        each(token)
        with pytest.raises(ToriiPolicyError) as caught:
            each(token, requirements=requirements)
        error = caught.value
        assert (error.reason, error.http_status) == (ToriiStatus.POLICY, 403)
        assert error.public_code == "forbidden"
        assert error.www_authenticate == 'Bearer realm="torii", error="insufficient_scope"'
        each(token)
    verifier.verify(yes, requirements=requirements)
    verifier.verify_nowait(yes, requirements=requirements)
    verifier.authenticate_nowait(f"Bearer {yes}", requirements=requirements)


def test_requirements_of_the_verifier_and_flags_add_up(emulator: LocalTorii) -> None:
    requirements = ToriiRequirements(ToriiRequire.ORGANIZATION)
    verifier = ToriiVerifier(
        emulator.issuer, requirements=requirements, require=ToriiRequire.EMAIL_VERIFIED
    )
    verifier.verify(emulator.token(claims={"email_verified": True, "o": "org-1"}))
    for claims in ({"email_verified": True}, {"email_verified": False, "o": "org-1"}):
        with pytest.raises(ToriiPolicyError):
            verifier.verify(emulator.token(claims=claims))


@pytest.mark.parametrize(
    "wrong",
    [
        {"flags": 16},
        {"flags": -1},
        {"claims": {"": "x"}},
        {"claims": {"plan": "x"}},
        {"claims": {"/plan": None}},
        {"claims": {"/plan": ["x"]}},
        {"claims": {"/plan": float("nan")}},
        {"claims": {"/plan": Decimal("NaN")}},
        {"organizations": ""},
        {"organizations": [("", "admin")]},
    ],
)
def test_invalid_requirements(wrong: dict[str, Any]) -> None:
    with pytest.raises(ToriiUsageError):
        ToriiRequirements(**wrong)


def test_requirements_of_another_type(verifier: ToriiVerifier) -> None:
    for wrong in (1, {"flags": 1}, ToriiRequire.EMAIL_VERIFIED):
        with pytest.raises(TypeError, match="requirements must be ToriiRequirements"):
            verifier.verify("x", requirements=wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="requirements must be ToriiRequirements"):
            ToriiVerifier("https://acme.torii.so", requirements=wrong)  # type: ignore[arg-type]


def test_options_about_claims(emulator: LocalTorii) -> None:
    audience = emulator.token(claims={"aud": "api"})
    with pytest.raises(ToriiAuthError) as caught:
        ToriiVerifier(emulator.issuer).verify(audience)
    assert caught.value.reason == ToriiStatus.TOKEN_AUDIENCE
    assert ToriiVerifier(emulator.issuer, ignore_audience=True).verify(audience)
    long = emulator.token(expires_in=7200)
    with pytest.raises(ToriiAuthError) as caught:
        ToriiVerifier(emulator.issuer, max_lifetime=3600).verify(long)
    assert caught.value.reason == ToriiStatus.TOKEN_LIFETIME
    assert ToriiVerifier(emulator.issuer, max_lifetime=7200).verify(long)
    older = emulator.token(claims={"org_id": "org-1", "org_role": "admin"}, without=["o"])
    assert ToriiVerifier(emulator.issuer).verify(older).organization_id is None
    auth = ToriiVerifier(emulator.issuer, legacy_organization=True).verify(older)
    assert (auth.organization_id, auth.organization_role) == ("org-1", "admin")


def test_the_challenge(emulator: LocalTorii) -> None:
    verifier = ToriiVerifier(emulator.issuer, realm="api", resource_metadata="https://x.example/m")
    for header, error in (("", ""), ("Basic x", ""), ("Bearer x", ', error="invalid_token"')):
        with pytest.raises(ToriiAuthError) as caught:
            verifier.authenticate(header)
        assert caught.value.www_authenticate == (
            f'Bearer realm="api"{error}, resource_metadata="https://x.example/m"'
        )
        assert caught.value.public_code == "authentication_failed"
        assert "access token" in caught.value.public_message


def test_keys_through_a_proxy(emulator: LocalTorii) -> None:
    issuer = "http://issuer.example"
    token = emulator.token(claims={"iss": issuer})
    with socket.create_server(("127.0.0.1", 0)) as proxy, ThreadPoolExecutor(1) as pool:
        proxy.settimeout(600)
        port = proxy.getsockname()[1]
        proxied = ToriiVerifier(issuer, allow_http=True, proxy=f"http://127.0.0.1:{port}")
        verifying = pool.submit(proxied.verify, token)
        connection, _ = proxy.accept()
        with connection, connection.makefile("rb") as request:
            assert b"issuer.example" in request.readline()
        assert isinstance(verifying.exception(), ToriiKeysUnavailableError)


def test_a_host_that_refreshes_keys(emulator: LocalTorii) -> None:
    verifier = ToriiVerifier(emulator.issuer, background_refresh=False)
    assert verifier.due_in() == 0
    verifier.refresh_due(emulator.issuer)
    verifier.refresh_due()
    assert len(emulator.requests("/acme/")) == 1
    due = verifier.due_in()
    assert due is not None
    assert due > 1
    assert verifier.verify_nowait(emulator.token()).user_id
    with pytest.raises(ToriiUsageError):
        verifier.refresh_due("https://globex.torii.so")


def test_a_buffer_grows_and_is_reused(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    verify._frames.clear()
    small = emulator.token(claims={"sub": "small"})
    assert verifier.verify(small).user_id == "small"
    (first,) = verify._frames
    for length in (1500, 1900, 2000, 2100, 9000):
        note = "x" * length
        auth = verifier.verify(emulator.token(claims={"sub": "large", "note": note}))
        assert (auth.user_id, auth.raw["note"]) == ("large", note)
    (last,) = verify._frames
    assert len(first.record) < len(last.record) == _native.RECORD_MAX
    assert verifier.stats()["accepted"] == 6


def test_a_refusal_shows_no_earlier_user(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    verify._frames.clear()
    assert verifier.verify(emulator.token()).user_id
    (frame,) = verify._frames
    with pytest.raises(ToriiAuthError):
        verifier.verify("x")
    assert verify._frames == [frame]
    assert frame.record[: frame.size.value].strip(b"\0") == b""


def test_auths_do_not_change(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    first = verifier.verify(emulator.token(claims={"sub": "one"}))
    verifier.verify(emulator.token(claims={"sub": "two"}))
    assert first.user_id == first.raw["sub"] == "one"
    for name in ("user_id", "flags", "other"):
        with pytest.raises(AttributeError):
            setattr(first, name, "three")


def test_a_signal_handler_may_verify(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    """It runs between two steps of the call that it interrupts, on the same thread."""
    one, two = (emulator.token(claims={"sub": sub}) for sub in ("one", "two"))
    seen: list[str] = []

    def handle(_: int, __: FrameType | None) -> None:
        seen.append(verifier.verify(two).user_id)

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        while len(seen) < 300:
            assert verifier.verify(one).user_id == "one"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert set(seen) == {"two"}


def test_a_clock_may_verify(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    one, two = (emulator.token(claims={"sub": sub}) for sub in ("one", "two"))
    inner: list[ToriiAuth] = []

    def now() -> float:
        inner.append(verifier.verify(two))
        return inner[-1].issued_at

    assert ToriiVerifier(emulator.issuer, clock=now).verify(one).user_id == "one"
    assert {auth.user_id for auth in inner} == {"two"}


def test_threads_get_their_own_results(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    tokens = {sub: emulator.token(claims={"sub": sub}) for sub in ("a", "b", "c", "d")}
    started = threading.Barrier(len(tokens))

    def work(sub: str) -> None:
        started.wait()
        for _ in range(2000):
            assert verifier.verify(tokens[sub]).user_id == sub

    with ThreadPoolExecutor(len(tokens)) as pool:
        for done in [pool.submit(work, sub) for sub in tokens]:
            done.result(timeout=600)
    assert len(verify._frames) <= len(tokens) + 8

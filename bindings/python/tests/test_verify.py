"""Verifiers against the local torii: tokens, keys, options."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest

from torii_backend import (
    ToriiAuth,
    ToriiAuthError,
    ToriiError,
    ToriiKeysPendingError,
    ToriiKeysUnavailableError,
    ToriiPolicyError,
    ToriiRequire,
    ToriiRequirements,
    ToriiStatus,
    ToriiUsageError,
    ToriiVerifier,
    authenticate_request,
    verify_token,
)
from torii_backend.testing import LocalTorii


def refused(verifier: ToriiVerifier, token: str) -> int:
    with pytest.raises(ToriiAuthError) as caught:
        verifier.verify(token)
    return caught.value.reason


def test_a_valid_token(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    flags = {"email_verified": True, "profile_complete": False, "impersonating": True}
    token = emulator.token(claims={"sub": "user-1", "locale": "da", "o": {"id": 7}, **flags})
    for auth in (verifier.verify(token), verifier.authenticate(f"bearer {token}")):
        assert auth.user_id == "user-1"
        assert auth.environment_id == emulator.environment_id
        assert auth.issuer == emulator.issuer
        assert auth.locale == "da"
        assert auth.email_verified
        assert not auth.profile_complete
        assert auth.impersonating
        assert auth.expires_at - auth.issued_at == 300
        assert auth.raw["o"] == {"id": 7}
        assert repr(auth).startswith("ToriiAuth(user_id='user-1'")
    assert len(emulator.requests("/acme/")) == 1


def test_auths_compare_by_their_claims(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    token = emulator.token()
    auth = verifier.verify(token)
    assert auth == verifier.verify(token)
    assert len({auth, verifier.verify(token), verifier.verify(emulator.token())}) == 2
    assert auth != token


def test_copies(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    auth = verifier.verify(emulator.token())
    assert copy.copy(auth) is copy.deepcopy(auth) is auth
    assert pickle.loads(pickle.dumps(auth)) == auth
    twin = copy.copy(verifier)
    verifier.close()
    assert twin.verify(emulator.token()).user_id
    for handle in (twin, ToriiRequirements(1)):
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(handle)
    with pytest.raises(TypeError, match="neither copied nor pickled"):
        copy.deepcopy(twin)


def test_an_auth_outlives_its_verifier(emulator: LocalTorii) -> None:
    auth = ToriiVerifier(emulator.issuer).verify(emulator.token(claims={"sub": "user-1"}))
    assert auth.user_id == "user-1"


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        ({"expires_in": -60}, ToriiStatus.TOKEN_EXPIRED),
        ({"now_offset": 600}, ToriiStatus.TOKEN_NOT_YET_VALID),
        ({"signer": "forged"}, ToriiStatus.TOKEN_SIGNATURE),
        ({"header": {"alg": "none"}}, ToriiStatus.TOKEN_ALGORITHM),
        ({"header": {"kid": "nobody's"}}, ToriiStatus.TOKEN_KEY_UNKNOWN),
        ({"claims": {"iss": "https://evil.example"}}, ToriiStatus.TOKEN_ISSUER),
        ({"without": ["pid"]}, ToriiStatus.TOKEN_CLAIM),
    ],
)
def test_an_invalid_token(
    emulator: LocalTorii, verifier: ToriiVerifier, wishes: dict[str, object], reason: ToriiStatus
) -> None:
    token = emulator.token(**wishes)
    with pytest.raises(ToriiAuthError) as caught:
        verifier.verify(token)
    assert (caught.value.reason, caught.value.http_status) == (reason, 401)
    assert token.split(".")[1] not in str(caught.value)


def test_keys_rotate(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    before = emulator.token()
    verifier.verify(before)
    emulator.control("POST", "/issuers/acme/keys")
    after = emulator.token()
    assert after.split(".")[0] != before.split(".")[0]
    verifier.verify(after)
    verifier.verify(before)
    assert len(emulator.requests("/acme/")) == 2


def test_missing_keys(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    emulator.fault("/acme/", kind="status", status=500)
    with pytest.raises(ToriiKeysUnavailableError) as caught:
        verifier.verify(emulator.token())
    assert (caught.value.reason, caught.value.http_status) == (ToriiStatus.KEYS_UNAVAILABLE, 503)
    assert caught.value.retry_after is not None
    assert caught.value.issuer == emulator.issuer
    assert caught.value.www_authenticate is None
    with pytest.raises(ToriiKeysUnavailableError):
        verifier.refresh()


def test_a_slow_issuer_times_out(emulator: LocalTorii) -> None:
    emulator.fault("/acme/", kind="hang")
    verifier = ToriiVerifier(emulator.issuer, fetch_timeout=0.2)
    # The issuer hangs until the faults are cleared.
    with pytest.raises(ToriiKeysUnavailableError):
        verifier.verify(emulator.token())
    emulator.control("DELETE", "/faults")


def test_nowait_does_no_io(emulator: LocalTorii) -> None:
    verifier = ToriiVerifier(emulator.issuer, background_refresh=False)
    token = emulator.token()
    for verify, value in (
        (verifier.verify_nowait, token),
        (verifier.authenticate_nowait, f"Bearer {token}"),
    ):
        with pytest.raises(ToriiKeysPendingError) as caught:
            verify(value)
        assert caught.value.http_status == 503
    assert emulator.requests("/acme/") == []
    verifier.refresh()
    assert verifier.verify_nowait(token) == verifier.authenticate_nowait(f"Bearer {token}")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, ToriiStatus.TOKEN_MISSING),
        ("", ToriiStatus.TOKEN_MISSING),
        ("Basic dTpw", ToriiStatus.TOKEN_SCHEME),
        ("Bearer x", ToriiStatus.TOKEN_MALFORMED),
    ],
)
def test_invalid_headers(verifier: ToriiVerifier, header: str | None, reason: ToriiStatus) -> None:
    with pytest.raises(ToriiAuthError) as caught:
        verifier.authenticate(header)
    assert caught.value.reason == reason


def test_requirements(emulator: LocalTorii) -> None:
    verifier = ToriiVerifier(
        emulator.issuer, require=ToriiRequire.EMAIL_VERIFIED | ToriiRequire.NOT_IMPERSONATED
    )
    verifier.verify(emulator.token(claims={"email_verified": True}))
    for claims in ({"email_verified": False}, {"email_verified": True, "impersonating": True}):
        with pytest.raises(ToriiPolicyError) as caught:
            verifier.verify(emulator.token(claims=claims))
        assert (caught.value.reason, caught.value.http_status) == (ToriiStatus.POLICY, 403)


def test_several_issuers_and_audiences(emulator: LocalTorii) -> None:
    other = emulator.control("POST", "/issuers", {"name": "other"})["issuer"]
    verifier = ToriiVerifier(emulator.issuer, issuers=other, audience=["app", "api"])
    token = emulator.control("POST", "/issuers/other/tokens", {"claims": {"aud": ["api", "x"]}})
    assert verifier.verify(token["token"]).issuer == other
    assert verifier.verify(emulator.token(claims={"aud": "app"})).issuer == emulator.issuer
    assert refused(verifier, emulator.token(claims={"aud": "x"})) == ToriiStatus.TOKEN_AUDIENCE
    assert refused(verifier, emulator.token()) == ToriiStatus.TOKEN_AUDIENCE


def test_a_clock(emulator: LocalTorii) -> None:
    token = emulator.token()
    times = [time.time(), time.time() + 10_000]
    verifier = ToriiVerifier(emulator.issuer, clock=lambda: times[0])
    auth = verifier.verify(token)
    times.reverse()
    assert refused(verifier, token) == ToriiStatus.TOKEN_EXPIRED
    times[0] = auth.issued_at - 31
    assert refused(verifier, token) == ToriiStatus.TOKEN_NOT_YET_VALID


@pytest.mark.parametrize("claims", [{}, {"iat": -1, "nbf": -1, "exp": 253402300799}])
def test_an_exception_of_a_clock_is_raised(emulator: LocalTorii, claims: dict[str, int]) -> None:
    def broken() -> float:
        raise RuntimeError("the clock stands still")

    verifier = ToriiVerifier(emulator.issuer, clock=broken)
    for verify in (verifier.verify, verifier.verify_nowait):
        with pytest.raises(RuntimeError, match="the clock stands still"):
            verify(emulator.token(claims=claims))
    assert refused(verifier, "x") == ToriiStatus.TOKEN_MALFORMED


def test_offline_keys(emulator: LocalTorii) -> None:
    jwks = {"keys": []}
    with pytest.raises(ToriiUsageError, match=r"^jwks: "):
        ToriiVerifier(emulator.issuer, jwks=jwks)


def test_stats(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    token = emulator.token()
    verifier.verify(token)
    verifier.verify(token)
    with pytest.raises(ToriiAuthError):
        verifier.verify("x")
    stats = verifier.stats()
    assert (stats["accepted"], stats["hits"]) == (2, 1)
    assert stats["refused"] == {"TORII_ERR_KEYS_PENDING": 1, "TORII_ERR_TOKEN_MALFORMED": 1}
    assert stats["issuers"][0]["issuer"] == emulator.issuer
    assert stats["issuers"][0]["keys"] >= 1


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"issuer": "acme"}, "issuer"),
        ({"issuer": "http://acme.torii.so"}, "issuer"),
        ({"issuers": ["acme"]}, "issuer"),
        ({"audience": ""}, "audience"),
        ({"audience": []}, "audience"),
        ({"leeway": 301}, "leeway"),
        ({"leeway": -1}, "leeway"),
        ({"leeway": 2**32}, "leeway"),
        ({"require": 16}, "flags"),
        ({"require": -1}, "require"),
        ({"key_lifetime": 0}, "lifetime"),
        ({"max_stale": 2592001}, "stale"),
        ({"fetch_timeout": 0.01}, "timeout"),
        ({"ca_file": "/nowhere/ca.pem"}, "/nowhere/ca.pem"),
        ({"token_cache_bytes": -1}, "token_cache_bytes"),
        ({"max_lifetime": -1}, "max_lifetime"),
        ({"realm": 'a"b'}, "realm"),
        ({"resource_metadata": "a b"}, "resource_metadata"),
        ({"proxy": "ftp://proxy.example"}, "proxy"),
        ({"audience": "api", "ignore_audience": True}, "audience"),
        ({"issuers": {"https://globex.torii.so": "{}"}}, "jwks"),
        ({"issuers": {"globex": None}}, "issuer"),
        ({"key_cache_dir": ""}, "key cache directory"),
        ({"revocations_file": ""}, "revocations file"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], named: str) -> None:
    with pytest.raises(ToriiUsageError, match=named):
        ToriiVerifier(**{"issuer": "https://acme.torii.so", **options})  # type: ignore[arg-type]


def test_all_options_are_accepted(emulator: LocalTorii) -> None:
    verifier = ToriiVerifier(
        emulator.issuer,
        leeway=0.0,
        key_lifetime=60,
        max_stale=0,
        fetch_timeout=2.5,
        background_refresh=False,
        token_cache_bytes=0,
        fixed_base=True,
        metrics_issuer_label=True,
        allow_http=True,
    )
    token = emulator.token()
    verifier.verify(token)
    verifier.verify(token)
    assert verifier.stats()["hits"] == 0


def test_a_closed_verifier_says_so(emulator: LocalTorii) -> None:
    with ToriiVerifier(emulator.issuer) as verifier:
        verifier.verify(emulator.token())
    verifier.close()
    for use in (
        lambda: verifier.verify("x"),
        lambda: verifier.authenticate("x"),
        lambda: verifier.verify_nowait("x"),
        lambda: verifier.authenticate_nowait("x"),
        lambda: verifier.revoke("user-1", 0),
        lambda: verifier.set_revocations({"revoked": []}),
        verifier.refresh,
        verifier.stats,
        verifier.metrics,
    ):
        with pytest.raises(ToriiUsageError, match="the verifier is closed"):
            use()


def test_the_next_process_has_the_cached_keys(emulator: LocalTorii, tmp_path: Path) -> None:
    first = emulator.verifier(key_cache_dir=tmp_path)
    token = emulator.token({"sub": "user-1"})
    first.verify(token)
    deadline = time.monotonic() + 120
    while not first.stats()["issuers"][0]["key_cache_dir"]["written"]:
        assert time.monotonic() < deadline
    emulator.fail_keys()
    program = """
import sys
from torii_backend import ToriiVerifier
print(ToriiVerifier(sys.argv[1], key_cache_dir=sys.argv[2] or None).verify(sys.argv[3]).user_id)
"""

    def start(key_cache_dir: str) -> str:
        command = [sys.executable, "-c", program, emulator.issuer, key_cache_dir, token]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    assert start("") == "", "the issuer is down"
    assert start(str(tmp_path)) == "user-1\n"


def test_module_functions(emulator: LocalTorii) -> None:
    token = emulator.token(claims={"aud": "app"})

    def verified(headers: dict[str, object], header: str = "authorization") -> ToriiAuth:
        return authenticate_request(headers, issuer=emulator.issuer, audience="app", header=header)

    auth = verify_token(token, issuer=emulator.issuer, audience=["app"], leeway=30.0)
    assert verified({"AUTHORIZATION": f"Bearer {token}"}) == auth
    assert verified({"x": 1, "X-Token": [f"Bearer {token}"]}, header="x-token") == auth
    for headers in ({}, {"authorization": []}):
        with pytest.raises(ToriiAuthError) as caught:
            verified(headers)
        assert caught.value.reason == ToriiStatus.TOKEN_MISSING
    for twice in ([f"Bearer {token}"] * 2, [f"Bearer {token}", ""]):
        with pytest.raises(ToriiAuthError):
            verified({"Authorization": twice})
    with pytest.raises(ToriiAuthError) as caught:
        verify_token(token, issuer=emulator.issuer)
    assert caught.value.reason == ToriiStatus.TOKEN_AUDIENCE
    with pytest.raises(ToriiAuthError, match="empty"):
        verify_token(None, issuer=emulator.issuer)


def test_errors_can_be_sent_to_another_process(verifier: ToriiVerifier) -> None:
    with pytest.raises(ToriiError) as caught:
        verifier.verify("x")
    twin = pickle.loads(pickle.dumps(caught.value))
    assert (str(twin), twin.reason) == (str(caught.value), ToriiStatus.TOKEN_MALFORMED)

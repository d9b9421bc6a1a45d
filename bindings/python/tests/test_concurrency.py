"""Threads, and processes made by fork."""

from __future__ import annotations

import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from torii_backend import (
    ToriiAuthError,
    ToriiClient,
    ToriiStatus,
    ToriiUsageError,
    ToriiVerifier,
    verify_token,
)
from torii_backend.testing import LocalTorii


def test_threads_share_a_verifier(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    tokens = [emulator.token(claims={"sub": f"user-{number}"}) for number in range(16)]

    def verify(number: int) -> None:
        for turn in range(50):
            chosen = (number + turn) % len(tokens)
            assert verifier.verify(tokens[chosen]).user_id == f"user-{chosen}"
            with pytest.raises(ToriiAuthError):
                verifier.verify(tokens[chosen][:-4])

    with ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(verify, number) for number in range(16)]:
            done.result()
    assert len(emulator.requests("/acme/")) == 1, "all waited for one fetch"


def test_threads_share_a_clock(emulator: LocalTorii) -> None:
    """No thread waits in the library for one that waits for the GIL."""
    verifier = ToriiVerifier(emulator.issuer, clock=time.time)
    tokens = [emulator.token() for _ in range(8)]

    def verify(token: str) -> None:
        for _ in range(300):
            verifier.verify(token)
            verifier.verify_nowait(token)

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(verify, token) for token in tokens]:
            done.result(timeout=120)


def test_other_threads_run_while_one_waits(emulator: LocalTorii) -> None:
    verifier = ToriiVerifier(emulator.issuer, fetch_timeout=60)
    token = emulator.token()
    emulator.fault("/acme/", kind="hang")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(verifier.verify, token)
        emulator.control("GET", "/requests?path=/acme/&at_least=1&timeout_ms=120000")
        assert not waiting.done()
        verifier.stats()
        emulator.control("DELETE", "/faults")
        assert isinstance(waiting.exception(), ToriiAuthError)


def test_closing_does_not_disturb_a_call(emulator: LocalTorii) -> None:
    verifier = ToriiVerifier(emulator.issuer)
    client = ToriiClient(emulator.secret_key, api_url=emulator.url)
    emulator.fault("/", kind="delay", ms=300)
    token = emulator.token()
    with ThreadPoolExecutor(2) as pool:
        verifying = pool.submit(verifier.verify, token)
        listing = pool.submit(client.users.list)
        emulator.control("GET", "/requests?path=/acme/&at_least=1&timeout_ms=120000")
        emulator.control("GET", "/requests?path=/api/&at_least=1&timeout_ms=120000")
        verifier.close()
        client.close()
        assert verifying.result().user_id
        assert listing.result().items == []
    with pytest.raises(ToriiUsageError):
        verifier.verify(token)


def test_closing_under_load(emulator: LocalTorii) -> None:
    token = emulator.token()
    for _ in range(20):
        verifier = ToriiVerifier(emulator.issuer)
        verifier.refresh()
        started = threading.Barrier(5)

        def work(verifier: ToriiVerifier = verifier, started: threading.Barrier = started) -> None:
            started.wait()
            with pytest.raises(ToriiUsageError, match="closed"):
                while True:
                    verifier.verify(token)

        with ThreadPoolExecutor(4) as pool:
            verifying = [pool.submit(work) for _ in range(4)]
            started.wait()
            verifier.close()
            for done in verifying:
                done.result(timeout=120)


def _in_child(
    verifier: ToriiVerifier, client: ToriiClient, tokens: list[str], issuer: str, user_id: str
) -> None:
    assert verifier.verify(tokens[0]).user_id == "user-1"
    assert verifier.verify(tokens[1]).user_id == "user-2"
    assert verify_token(tokens[1], issuer=issuer).user_id == "user-2"
    with pytest.raises(ToriiAuthError) as caught:
        verifier.verify("x")
    assert caught.value.reason == ToriiStatus.TOKEN_MALFORMED
    assert client.users.get(user_id).id == user_id


def test_fork(emulator: LocalTorii, verifier: ToriiVerifier, client: ToriiClient) -> None:
    """The child knows the keys of the parent, and fetches those that come later by itself."""
    first = emulator.token(claims={"sub": "user-1"})
    verifier.verify(first)
    user_id = client.users.create().id
    emulator.control("POST", "/issuers/acme/keys")
    second = emulator.token(claims={"sub": "user-2"})
    context = multiprocessing.get_context("fork")
    arguments = (verifier, client, [first, second], emulator.issuer, user_id)
    children = [context.Process(target=_in_child, args=arguments) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(timeout=120)
    assert [child.exitcode for child in children] == [0] * 4
    _in_child(*arguments)


def test_fork_while_threads_verify(emulator: LocalTorii, verifier: ToriiVerifier) -> None:
    token = emulator.token(claims={"sub": "user-1"})
    verifier.verify(token)
    stop = threading.Event()

    def verify() -> None:
        while not stop.is_set():
            verifier.verify(token)

    def child() -> None:
        for _ in range(100):
            assert verifier.verify(token).user_id == "user-1"

    context = multiprocessing.get_context("fork")
    with ThreadPoolExecutor(2) as pool:
        verifying = [pool.submit(verify) for _ in range(2)]
        try:
            children = [context.Process(target=child) for _ in range(8)]
            for each in children:
                each.start()
            for each in children:
                each.join(timeout=120)
        finally:
            stop.set()
        assert [each.exitcode for each in children] == [0] * 8
        for done in verifying:
            done.result()

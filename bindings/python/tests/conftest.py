"""The local torii, started once for all tests and reset before each."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from torii_backend import ToriiClient, ToriiVerifier, clear_jwks_cache_for_tests

# httpx gives up after 5 s, which an answer may take on a busy machine.
httpx._config.DEFAULT_TIMEOUT_CONFIG.__init__(120)  # type: ignore[misc]

REPOSITORY = Path(__file__).resolve().parents[3]


class Emulator:
    """The program, and its control API."""

    def __init__(self) -> None:
        command = [os.environ["TORII_EMULATOR"], "--port", "0", "--until-stdin-closes"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout
        about = json.loads(self.process.stdout.readline())
        self.url: str = about["url"]
        self.issuer: str = about["issuer"]
        self.secret_key: str = about["secret_key"]
        self.environment_id: str = about["environment_id"]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/_emulator{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read() or "null")

    def token(self, **wishes: Any) -> str:
        token: str = self.control("POST", "/issuers/acme/tokens", wishes)["token"]
        return token

    def fault(self, path: str, **fault: Any) -> None:
        self.control("POST", "/faults", {"path": path, "fault": fault})

    def requests(self, path: str = "/") -> list[dict[str, Any]]:
        requests: list[dict[str, Any]] = self.control("GET", f"/requests?path={path}")["requests"]
        return requests

    def stop(self) -> None:
        self.process.communicate(timeout=120)


@pytest.fixture(scope="session")
def running() -> Iterator[Emulator]:
    emulator = Emulator()
    yield emulator
    emulator.stop()


@pytest.fixture
def emulator(running: Emulator) -> Iterator[Emulator]:
    """Fails a test that violates the contract of the API."""
    running.control("POST", "/reset")
    clear_jwks_cache_for_tests()
    yield running
    assert running.control("GET", "/violations") == []


@pytest.fixture
def verifier(emulator: Emulator) -> ToriiVerifier:
    return ToriiVerifier(emulator.issuer)


@pytest.fixture
def client(emulator: Emulator) -> ToriiClient:
    return ToriiClient(emulator.secret_key, api_url=emulator.url)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    corpora = {
        "test_case[": "cases",
        "test_webhook[": "webhooks",
        "test_adapter[": "adapter rows",
    }
    for test, what in corpora.items():
        ran = [
            report
            for report in terminalreporter.getreports("passed")
            if report.when == "call" and test in report.nodeid
        ]
        terminalreporter.write_line(f"{len(ran)} {what} of tests/behaviour passed")

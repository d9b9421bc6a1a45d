"""The local torii, started once for all tests and reset before each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from torii_backend import ToriiClient, ToriiVerifier
from torii_backend.testing import LocalTorii

# httpx gives up after 5 s, which an answer may take on a busy machine.
httpx._config.DEFAULT_TIMEOUT_CONFIG.__init__(120)  # type: ignore[misc]

REPOSITORY = Path(__file__).resolve().parents[3]


pytest_plugins = ["torii_backend.pytest_plugin"]


@pytest.fixture
def emulator(local_torii: LocalTorii) -> Iterator[LocalTorii]:
    """Fails a test that violates the contract of the API."""
    yield local_torii
    assert local_torii.control("GET", "/violations") == []


@pytest.fixture
def verifier(emulator: LocalTorii) -> ToriiVerifier:
    return emulator.verifier()


@pytest.fixture
def client(emulator: LocalTorii) -> ToriiClient:
    return emulator.client()


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

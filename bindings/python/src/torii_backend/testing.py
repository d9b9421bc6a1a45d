"""A local torii for the tests of your application: real tokens, users and key faults, no network.

.. code-block:: python

    with LocalTorii() as torii:
        token = torii.token({"sub": "user-1", "email_verified": True})
        assert ToriiVerifier(torii.issuer).verify(token).user_id == "user-1"

With pytest, write ``pytest_plugins = ["torii_backend.pytest_plugin"]`` into ``conftest.py``, and
use the fixture ``local_torii``.

It runs the program ``torii-emulator``, which ends with this process. ``TORII_EMULATOR`` names the
program; otherwise it is found beside the loaded libtorii, or in ``PATH``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from torii_backend.client import ToriiClient
from torii_backend.errors import ToriiApiError
from torii_backend.verify import ToriiVerifier, clear_jwks_cache_for_tests

_PROGRAM = "torii-emulator"


class LocalSession(NamedTuple):
    """A signed-in user."""

    id: str
    token: str


class LocalEnvironment:
    """An environment of the local torii: an issuer with its keys, users and a secret key."""

    name: str
    issuer: str
    environment_id: str
    secret_key: str

    def __init__(self, torii: LocalTorii, about: Mapping[str, str]) -> None:
        self._torii = torii
        self.name = about["name"]
        self.issuer = about["issuer"]
        self.environment_id = about["environment_id"]
        self.secret_key = about["secret_key"]

    def token(self, claims: Mapping[str, Any] | None = None, **options: Any) -> str:
        """Returns a signed token, by default of a new user and valid for 300 seconds.

        :param claims: claims to set.
        :param options: members of a token request of the control API, such as ``expires_in=-60``,
            ``without=["pid"]`` or ``signer="forged"``.
        """
        wish = options if claims is None else {"claims": claims, **options}
        return str(self._ask("POST", "/tokens", wish)["token"])

    def sign_in(self, user_id: str, **options: Any) -> LocalSession:
        """Signs in a user of this environment, whom :meth:`client` creates.

        :param options: members of a session, such as ``active_organization_id``.
        """
        answer = self._ask("POST", "/sessions", {"user_id": user_id, **options})
        return LocalSession(answer["session"]["id"], answer["token"])

    def fail_keys(self, status: int = 503) -> None:
        """Answers key fetches with this HTTP status until :meth:`LocalTorii.clear_faults`. Drops
        the keys that this process has."""
        self._torii.fault(f"/{self.name}/", kind="status", status=status)
        clear_jwks_cache_for_tests()

    def rotate_keys(self) -> str:
        """Signs with a new key, and publishes it. The earlier keys stay published.

        :returns: the ``kid`` of the new key.
        """
        return str(self._ask("POST", "/keys", {})["kid"])

    def remove_key(self, kid: str) -> None:
        """Removes a key from the published ones."""
        self._ask("DELETE", f"/keys/{quote(kid, '')}")

    def verifier(self, **options: Any) -> ToriiVerifier:
        """Returns a verifier of its tokens."""
        return ToriiVerifier(self.issuer, **options)

    def client(self, **options: Any) -> ToriiClient:
        """Returns a client for it."""
        return ToriiClient(self.secret_key, api_url=self._torii.url, **options)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._torii.control(method, f"/issuers/{self.name}{path}", body)


class LocalTorii(LocalEnvironment):
    """A running local torii, with its environment ``acme``; :meth:`new_environment` makes others.

    :raises FileNotFoundError: if there is no program ``torii-emulator``.
    """

    url: str
    pid: int

    def __init__(self) -> None:
        command = [_program(), "--until-stdin-closes"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{command[0]}: ended with status {self._process.wait()}")
        about = json.loads(line)
        self.url = about["url"]
        self.pid = about["pid"]
        # An answer may take long on a busy machine.
        self._control = ToriiClient(about["secret_key"], api_url=self.url, timeout=120)
        super().__init__(self, {"name": "acme", **about})

    def new_environment(self, name: str) -> LocalEnvironment:
        """Creates a further environment; it exists until :meth:`reset`."""
        return LocalEnvironment(self, self.control("POST", "/issuers", {"name": name}))

    def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Calls the control API, which the README of torii-emulator describes."""
        path, _, query = path.partition("?")
        try:
            return self._control.request(method, f"/_emulator{path}", query=query, body=body)
        except ToriiApiError as error:
            raise RuntimeError(f"{method} {path}: {error} {error.body}") from error

    def fault(self, path: str, *, times: int | None = None, **fault: Any) -> None:
        """Injects a fault of the control API, such as ``kind="hang"``, into requests to paths that
        begin like this, a number of times or until :meth:`clear_faults`."""
        limit = {} if times is None else {"times": times}
        self.control("POST", "/faults", {"path": path, **limit, "fault": fault})

    def clear_faults(self) -> None:
        """Ends all faults. This process fetches keys again, without the backoff after a failure."""
        self.control("DELETE", "/faults")
        clear_jwks_cache_for_tests()

    def requests(self, path: str = "/") -> list[dict[str, Any]]:
        """Returns the requests to paths that begin like this, at most the last 1000."""
        answer = self.control("GET", f"/requests?path={quote(path)}")
        requests: list[dict[str, Any]] = answer["requests"]
        return requests

    def reset(self) -> None:
        """Restores the state after the start, and drops the keys that this process has."""
        self.control("POST", "/reset", {})
        clear_jwks_cache_for_tests()

    def stop(self) -> None:
        """Ends the program."""
        self._process.terminate()
        self._process.communicate()

    def __enter__(self) -> LocalTorii:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _program() -> str:
    named = os.environ.get("TORII_EMULATOR")
    if named:
        found = shutil.which(named)
        if found is None:
            raise FileNotFoundError(f"TORII_EMULATOR: {named} is not a program")
        return found
    beside = _folder_of_the_library()
    for folder in (beside, None):
        found = shutil.which(_PROGRAM, path=folder)
        if found is not None:
            return found
    raise FileNotFoundError(
        f"{_PROGRAM}: found neither in {beside or 'the folder of libtorii'} nor in PATH. "
        "Install it with libtorii, or set TORII_EMULATOR to its full path."
    )


def _folder_of_the_library() -> str | None:
    try:
        maps = Path("/proc/self/maps").read_text()
    except OSError:
        return None
    loaded = re.search(r"(/.*)/libtorii\.[^/\n]*$", maps, re.MULTILINE)
    return loaded and loaded[1]

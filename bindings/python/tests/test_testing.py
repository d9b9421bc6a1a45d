"""The test kit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from torii_backend import (
    ToriiAuthError,
    ToriiKeysUnavailableError,
    ToriiStatus,
    clear_jwks_cache_for_tests,
)
from torii_backend.testing import LocalTorii


def test_users_and_tokens(local_torii: LocalTorii) -> None:
    user = local_torii.client().users.create(email="ada@example.com")
    session = local_torii.sign_in(user.id, user_agent="a browser")
    verifier = local_torii.verifier()
    assert verifier.verify(session.token).user_id == user.id
    (listed,) = local_torii.client().sessions.list_for_user(user.id)
    assert (listed.id, listed.user_agent) == (session.id, "a browser")
    auth = verifier.verify(local_torii.token({"sub": "user-1", "plan": "pro"}, expires_in=60))
    assert (auth.user_id, auth.raw["plan"], auth.expires_at - auth.issued_at) == (
        "user-1",
        "pro",
        60,
    )
    assert auth.environment_id == local_torii.environment_id
    with pytest.raises(ToriiAuthError):
        verifier.verify(local_torii.token(signer="forged"))


def test_keys(local_torii: LocalTorii) -> None:
    verifier = local_torii.verifier()
    first = local_torii.token()
    verifier.verify(first)
    local_torii.fail_keys()
    with pytest.raises(ToriiKeysUnavailableError):
        verifier.verify(first)
    local_torii.clear_faults()
    verifier.verify(first)

    kid = local_torii.rotate_keys()
    second = local_torii.token()
    verifier.verify(second)
    local_torii.remove_key(kid)
    clear_jwks_cache_for_tests()
    with pytest.raises(ToriiAuthError) as caught:
        verifier.verify(second)
    assert caught.value.reason == ToriiStatus.TOKEN_KEY_UNKNOWN


def test_further_environments(local_torii: LocalTorii) -> None:
    other = local_torii.new_environment("other")
    assert other.verifier().verify(other.token()).environment_id == other.environment_id
    with pytest.raises(ToriiAuthError):
        local_torii.verifier().verify(other.token())
    other.fail_keys(500)
    local_torii.verifier().verify(local_torii.token())
    with pytest.raises(ToriiKeysUnavailableError):
        other.verifier().verify(other.token())
    local_torii.reset()
    with pytest.raises(RuntimeError, match="no issuer named"):
        other.token()


def run(program: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", f"from torii_backend.testing import LocalTorii\n{program}"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_the_end(pid: int) -> None:
    deadline = time.monotonic() + 120
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_ends_with_the_process(local_torii: LocalTorii) -> None:
    with LocalTorii() as other:
        pid = other.pid
        assert pid != local_torii.pid
    assert not Path(f"/proc/{pid}").exists()
    killed = run("print(LocalTorii().pid, flush=True); input()")
    assert killed.stdout
    pid = int(killed.stdout.readline())
    killed.kill()
    killed.communicate()
    wait_for_the_end(pid)


def test_where_the_program_is(tmp_path: Path) -> None:
    program = "with LocalTorii() as torii: print(torii.token())"
    emulator = os.environ["TORII_EMULATOR"]
    library = shutil.copy(os.environ["TORII_LIBRARY"], tmp_path / "libtorii.so.0")
    bin = tmp_path / "bin"
    bin.mkdir()

    def fails(emulator: str) -> str:
        environment = {"TORII_EMULATOR": emulator, "TORII_LIBRARY": library, "PATH": str(bin)}
        output, errors = run(program, **environment).communicate()
        assert not output
        return errors.splitlines()[-1]

    def works() -> None:
        environment = {"TORII_EMULATOR": "", "TORII_LIBRARY": library, "PATH": str(bin)}
        output, errors = run(program, **environment).communicate()
        assert output.count(".") == 2, errors

    assert fails("/nowhere") == "FileNotFoundError: TORII_EMULATOR: /nowhere is not a program"
    missing = f"FileNotFoundError: torii-emulator: found neither in {tmp_path} nor in PATH. "
    assert fails("").startswith(missing)
    (bin / "torii-emulator").symlink_to(emulator)
    works()
    (bin / "torii-emulator").rename(tmp_path / "torii-emulator")
    works()
    assert fails("/bin/false") == "RuntimeError: /bin/false: ended with status 1"

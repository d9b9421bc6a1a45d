"""Which library is loaded, and what is said when it is none or the wrong one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from ctypes import c_bool, c_char_p, c_int64, c_size_t, c_uint32, c_void_p
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import torii_backend
from torii_backend import ToriiRequire, ToriiStatus, _native


def imported(**environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "TORII_LIBRARY"}
    return subprocess.run(
        [sys.executable, "-c", "import torii_backend; print(torii_backend.library_version)"],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def last_line(run: subprocess.CompletedProcess[str]) -> str:
    assert run.returncode != 0
    return run.stderr.splitlines()[-1]


def test_the_library_is_found_by_the_loader() -> None:
    directory = str(Path(os.environ["TORII_LIBRARY"]).parent)
    run = imported(LD_LIBRARY_PATH=directory)
    assert run.stdout.strip() == torii_backend.library_version, run.stderr


def test_a_missing_library_says_where_it_looked_and_what_to_do() -> None:
    message = last_line(imported())
    assert message.startswith("ImportError: torii_backend needs libtorii")
    assert "libtorii.so.0 in the loader's directories" in message
    assert "Install libtorii" in message
    message = last_line(imported(TORII_LIBRARY="/nowhere/libtorii.so"))
    assert "/nowhere/libtorii.so as TORII_LIBRARY says" in message


def compiled(directory: Path, source: str) -> str:
    library = directory / "libother.so"
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(library)]
    subprocess.run(command, input=source, text=True, check=True)
    return str(library)


def test_another_abi_is_refused_with_both_numbers(tmp_path: Path) -> None:
    library = compiled(tmp_path, "unsigned torii_abi_version(void) { return 41; }")
    message = last_line(imported(TORII_LIBRARY=library))
    assert message.startswith(f"ImportError: {library} has ABI number 41, ")
    assert "needs 0:" in message


def test_another_library_is_refused(tmp_path: Path) -> None:
    library = compiled(tmp_path, "int unrelated;")
    assert f"ImportError: {library} is not libtorii" in last_line(imported(TORII_LIBRARY=library))


HEADER = Path(os.environ["TORII_HEADER"]).read_text(encoding="utf-8")
CODE = re.sub(r"/\*.*?\*/", "", HEADER, flags=re.DOTALL)


def kind(declared: str) -> Any:
    """The ctypes type of what stands in the header."""
    words = re.sub(r"\bconst\b", "", declared).strip()
    if "(" in words:
        return _native.Clock
    if "*" in words:
        return c_char_p if re.fullmatch(r"char \*\w*", words) else c_void_p
    word = words.split()[0]
    known = {"bool": c_bool, "int64_t": c_int64, "size_t": c_size_t, "uint32_t": c_uint32}
    return {**known, "torii_status_t": c_uint32, "void": None}[word]


def declarations() -> dict[str, tuple[Any, list[Any]]]:
    pattern = r"^(?P<result>[\w ]+[ *])(?P<name>torii_\w+)\((?P<arguments>.*?)\);"
    found = {}
    for match in re.finditer(pattern, CODE, flags=re.DOTALL | re.MULTILINE):
        flat = re.sub(r"\(\*\w+\)\(.*?\)", "(*)", match["arguments"])
        arguments = [] if flat.strip() == "void" else [kind(each) for each in flat.split(",")]
        found[match["name"]] = (kind(match["result"]), arguments)
    return found


@pytest.mark.parametrize("name", [*_native._QUICK, *_native._BLOCKING])
def test_declared_as_in_the_header(name: str) -> None:
    result, arguments = declarations()[name]
    library = _native.blocking if name in _native._BLOCKING else _native.quick
    function = getattr(library, name)
    assert list(function.argtypes) == arguments
    # An address instead of a text leaves its length to be asked for.
    assert function.restype in ((c_char_p, c_void_p) if result is c_char_p else (result,))


def test_statuses_and_flags_are_those_of_the_header() -> None:
    constants = {name: int(value) for name, value in re.findall(r"(TORII_\w+) = (\d+)", CODE)}
    statuses = {"TORII_OK": 0, **{f"TORII_ERR_{s.name}": s.value for s in ToriiStatus if s}}
    flags = {f"TORII_REQUIRE_{flag.name}": flag.value for flag in ToriiRequire}
    assert {**statuses, **flags} == constants
    assert f"#define TORII_ABI_VERSION {_native.ABI_VERSION}\n" in HEADER
    for name, number in statuses.items():
        assert _native.quick.torii_status_name(number).decode() == name


def test_a_status_from_the_future_has_the_class_of_its_range() -> None:
    classes = [_native._exception(status).__name__ for status in (42, 142, 160, 222, 333, 399, 901)]
    assert classes == [
        "ToriiUsageError",
        "ToriiAuthError",
        "ToriiPolicyError",
        "ToriiKeysUnavailableError",
        "ToriiApiError",
        "ToriiWebhookError",
        "ToriiError",
    ]
    assert ToriiStatus.of(142) == 142


def test_the_package_is_whole() -> None:
    package = Path(torii_backend.__file__).parent
    assert (package / "py.typed").is_file()
    assert torii_backend.__version__ == version("torii-backend")
    assert all(hasattr(torii_backend, name) for name in torii_backend.__all__)


def test_only_what_is_declared_is_used() -> None:
    package = Path(torii_backend.__file__).parent
    used = {
        name
        for file in package.glob("*.py")
        for name in re.findall(r"\b(?:quick|blocking)\.(torii_\w+)", file.read_text())
    }
    assert used - {*_native._QUICK, *_native._BLOCKING, "torii_abi_version"} == set()

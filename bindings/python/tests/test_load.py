"""Loading the library, and its declarations."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from ctypes import Structure, c_bool, c_char_p, c_int64, c_size_t, c_uint32, c_void_p
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import torii_backend
from torii_backend import ToriiError, ToriiRequire, ToriiStatus, _native, types


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


def test_the_path_of_the_library() -> None:
    assert torii_backend.library_path == os.environ["TORII_LIBRARY"]


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("linux", "libtorii.so.0"),
        ("freebsd14", "libtorii.so.0"),
        ("darwin", "libtorii.0.dylib"),
        ("win32", "torii.dll"),
    ],
)
def test_the_file_name_on_each_platform(
    monkeypatch: pytest.MonkeyPatch, platform: str, name: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert _native._file_name() == name


def test_a_missing_library_names_the_places_and_the_remedy() -> None:
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
    assert message.startswith(f"ImportError: {library} has ABI version 41 (expected 0): ")


def test_another_library_is_refused(tmp_path: Path) -> None:
    library = compiled(tmp_path, "int unrelated;")
    assert f"ImportError: {library} is not libtorii" in last_line(imported(TORII_LIBRARY=library))


HEADER = Path(os.environ["TORII_HEADER"]).read_text(encoding="utf-8")
CODE = re.sub(r"/\*.*?\*/|//[^\n]*", "", HEADER, flags=re.DOTALL)


def kind(declared: str) -> Any:
    """The ctypes type of a declaration in the header."""
    words = re.sub(r"\bconst\b", "", declared).strip()
    if "(" in words:
        return _native.Clock
    if "*" in words:
        return c_char_p if re.fullmatch(r"char \*\w*", words) else c_void_p
    word = words.split()[0]
    known = {"bool": c_bool, "int64_t": c_int64, "size_t": c_size_t, "uint32_t": c_uint32}
    enums = {"torii_status_t": c_uint32, "torii_json_type_t": c_uint32}
    return {**known, **enums, "void": None}[word]


def declarations() -> dict[str, tuple[Any, list[Any]]]:
    pattern = r"^TORII_API\s(?P<result>[\w\s]+[\s*])(?P<name>torii_\w+)\((?P<arguments>.*?)\);"
    found = {}
    for match in re.finditer(pattern, CODE, flags=re.DOTALL | re.MULTILINE):
        flat = re.sub(r"\(\*\w+\)\(.*?\)", "(*)", match["arguments"])
        arguments = [] if flat.strip() == "void" else [kind(each) for each in flat.split(",")]
        result = match["result"].replace("TORII_NODISCARD", "")
        found[match["name"]] = (kind(result), arguments)
    return found


def test_the_header_is_read_completely() -> None:
    exported = re.findall(r"\btorii_\w+(?=\()", CODE)
    assert sorted(declarations()) == sorted(exported)
    assert len(exported) > 100


DECLARED = {**_native._QUICK, **_native._BLOCKING, **_native._UNCONVERTED}


@pytest.mark.parametrize("name", DECLARED)
def test_declared_as_in_the_header(name: str) -> None:
    result, arguments = declarations()[name]
    assert list(DECLARED[name][1:]) == arguments
    # An address instead of a text: the length is read from the library.
    results = (c_char_p, c_void_p) if result is c_char_p else (result,)
    for library, names in ((_native.quick, _native._QUICK), (_native.blocking, _native._BLOCKING)):
        if name in names:
            assert list(getattr(library, name).argtypes) == arguments
            assert getattr(library, name).restype in results
    if name in _native._UNCONVERTED:
        for library in (_native.quick, _native.blocking):
            assert getattr(library, name).argtypes is None
            assert getattr(library, name).restype in results


def layout(name: str) -> dict[str, tuple[int, int]]:
    """Offsets and sizes of the members of a struct of the header, as C places them."""
    body = re.search(r"typedef struct \{([^}]*)\} " + name, CODE)
    assert body

    class Span(Structure):
        _fields_ = (("offset", c_uint32), ("len", c_uint32))

    known = {"uint32_t": c_uint32, "int64_t": c_int64, "torii_span_t": Span}
    members = [(member, known[kind]) for kind, member in re.findall(r"(\w+) (\w+);", body[1])]
    struct = type(name, (Structure,), {"_fields_": members})
    places = {member: getattr(struct, member) for member, _ in members}
    return {member: (place.offset, place.size) for member, place in places.items()}


def test_the_layout_of_a_record() -> None:
    assert layout("torii_span_t") == {"offset": (0, 4), "len": (4, 4)}
    record = layout("torii_record_t")
    numbers = ["size", "header_size", "flags", "reserved", "issued_at", "expires_at"]
    texts = [name for name in record if name not in numbers]
    assert [record[name] for name in numbers] == [(0, 4), (4, 4), (8, 4), (12, 4), (16, 8), (24, 8)]
    assert sum(record["claims_json"]) == types._HEADER_SIZE
    # A number for each 4 bytes: the reader of each text finds those of its span.
    words = range(100, 100 + types._HEADER_SIZE // 4)
    sample = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    for name in texts:
        offset, size = record[name]
        first = 100 + offset // 4
        assert (getattr(types, f"_{name}")(sample), size) == ((101, first, first + 1), 8)
    assert types._flags(sample) == (102,)
    expected = [int.from_bytes(sample[at : at + 8], sys.byteorder) for at in (16, 24)]
    assert list(types._times(sample)) == expected


def record(start: int, length: int, header_size: int = types._HEADER_SIZE) -> types.ToriiAuth:
    """A record of 100 bytes with this span for every text."""
    auth = object.__new__(types.ToriiAuth)
    numbers = [100, header_size, 0, 0, 0, 0, 0, 0, *[start, length] * 8]
    auth._record = b"".join(each.to_bytes(4, sys.byteorder) for each in numbers) + b"abc\0"
    return auth


def test_spans_are_checked() -> None:
    assert record(96, 3).user_id == record(96, 3).locale == "abc"
    assert record(99, 0).user_id == record(99, 0).locale == ""
    assert record(0, 0).locale is None
    for wrong in (record(96, 4), record(95, 1), record(97, 3), record(4, 1), record(96, 2**32 - 1)):
        for read in ("user_id", "locale", "claims_json"):
            with pytest.raises(ToriiError, match="out of bounds"):
                getattr(wrong, read)
    for wrong in (record(0, 0), record(96, 3, 0), record(96, 3, 88), record(96, 3, 104)):
        with pytest.raises(ToriiError, match="absent or out of bounds"):
            assert wrong.user_id
    assert record(96, 3).impersonating
    assert not record(96, 3).email_verified
    with pytest.raises(TypeError):
        types.ToriiAuth()


def test_statuses_and_flags_are_those_of_the_header() -> None:
    constants = {name: int(value) for name, value in re.findall(r"(TORII_\w+) = (\d+)", CODE)}
    constants = {n: v for n, v in constants.items() if not n.startswith("TORII_JSON_")}
    statuses = {"TORII_OK": 0, **{f"TORII_ERR_{s.name}": s.value for s in ToriiStatus if s}}
    flags = {f"TORII_REQUIRE_{flag.name}": flag.value for flag in ToriiRequire}
    how = {f"TORII_{name}": getattr(_native, name) for name in ("VERIFY_HEADER", "VERIFY_NOWAIT")}
    assert {**statuses, **flags, **how} == constants
    assert f"#define TORII_RECORD_MAX {_native.RECORD_MAX}\n" in HEADER
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


def test_the_package_is_complete() -> None:
    package = Path(torii_backend.__file__).parent
    assert (package / "py.typed").is_file()
    assert torii_backend.__version__ == version("torii-backend")
    assert all(hasattr(torii_backend, name) for name in torii_backend.__all__)


def test_only_declared_functions_are_called() -> None:
    package = Path(torii_backend.__file__).parent
    used = {
        name
        for file in package.glob("*.py")
        for name in re.findall(r"\b(?:quick|blocking)\.(torii_\w+)", file.read_text())
    }
    assert used - {*DECLARED, "torii_abi_version"} == set()

"""sbom.py ARCHIVE...: the bill of materials in each archive of `make dist` is valid CycloneDX 1.5 and complete.

The schema is that of the package cyclonedx-python-lib.
"""

import json
import re
import sys
import tarfile
from importlib.resources import files

from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry, Resource


def schema(name):
    return json.loads(files("cyclonedx.schema._res").joinpath(name).read_text())


# They refer to each other by the names of the files.
referred = ["spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json"]
registry = Registry().with_resources(
    (f"http://cyclonedx.org/schema/{name}", Resource.from_contents(schema(name))) for name in referred
)
# Not those of IRIs, which take long to parse.
formats = FormatChecker(formats=["date-time"])
validator = Draft7Validator(schema("bom-1.5.SNAPSHOT.schema.json"), registry=registry, format_checker=formats)


# Files of crates whose names end in something else than .md or .txt, and lines in them.
TEXTS = [
    ("bytecount", "The bytecount Developers"),
    ("bytecount", "Apache License"),
    ("matchit", "Julien Schmidt"),
    ("rustix", "LLVM Exceptions"),
    ("linux-raw-sys", "LLVM Exceptions"),
]


def problems(document):
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(document)]


def broken(document):
    """Documents with one mistake each, which the validator must find."""
    for path, value in [
        (["specVersion"], 1.5),
        (["metadata", "timestamp"], "yesterday"),
        (["metadata", "component", "licenses", 0, "license", "id"], "No-Such-License"),
        (["components", 0, "type"], "crate"),
        (["components", 0, "unknown"], ""),
    ]:
        copy = json.loads(json.dumps(document))
        place = copy
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        yield path, copy


for archive in sys.argv[1:]:
    with tarfile.open(archive) as tar:
        name = next(each for each in tar.getnames() if each.endswith("/sbom.cdx.json"))
        document = json.load(tar.extractfile(name))
        terms = tar.extractfile(name.replace("sbom.cdx.json", "LICENSE.third-party")).read().decode()
    if found := problems(document):
        sys.exit("\n".join([f"FAILED: {name}", *found]))
    for path, copy in broken(document):
        if not problems(copy):
            sys.exit(f"FAILED: a mistake in {path} is not found: this test shows nothing")
    references = {each["bom-ref"] for each in document["components"]} | {document["metadata"]["component"]["bom-ref"]}
    for dependency in document["dependencies"]:
        if unknown := {dependency["ref"], *dependency.get("dependsOn", [])} - references:
            sys.exit(f"FAILED: {name}: dependencies without a component: {', '.join(sorted(unknown))}")
    # The runtimes are not crates.
    crates = [each for each in document["components"] if not each.get("purl", "").startswith("pkg:generic/")]
    others = {each["name"] for each in document["components"] if each not in crates}
    expected = {"rust-std", "zig", "llvm-runtimes", *(["musl"] if name.split("/")[0].endswith("-musl") else [])}
    if others != expected:
        sys.exit(f"FAILED: {name} has {sorted(others)} besides crates (expected {sorted(expected)})")
    # crates.io has unrelated crates of these names.
    local = {each["name"] for each in crates if "hashes" not in each}
    if not {"torii", "torii-cli", "torii-emulator"} <= local:
        sys.exit(f"FAILED: {name} has {sorted(local)} as local crates")
    for each in crates:
        of_crates_io = [value.startswith("pkg:cargo/") for value in (each["bom-ref"], each.get("purl", ""))]
        if of_crates_io != [each["name"] not in local] * 2:
            sys.exit(f"FAILED: {name}: {each['name']} has {each['bom-ref']} and {each.get('purl')}")
    # Each text stands below the names of those it came with.
    texts = [text.partition("\n") for text in terms.split(f"\n{'=' * 78}\nOf ")[1:]]
    named = {each for names, _, _ in texts for each in names.rstrip(":").split(", ")}
    if without := {f"{each['name']} {each['version']}" for each in crates if each["name"] not in local} - named:
        sys.exit(f"FAILED: {name}: no license text of {', '.join(sorted(without))}")
    for crate, line in TEXTS:
        if not any(re.search(rf"\b{crate} [0-9]", names) and line in text for names, _, text in texts):
            sys.exit(f"FAILED: {name}: no text of {crate} with {line!r}")
    print(f"{name}: {len(document['components'])} components, valid CycloneDX 1.5")

"""sbom.py ARCHIVE...: the bill of materials in each archive of `make dist` is valid CycloneDX 1.5.

The schema is that of the package cyclonedx-python-lib.
"""

import json
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
    if found := problems(document):
        sys.exit("\n".join([f"FAILED: {name}", *found]))
    for path, copy in broken(document):
        if not problems(copy):
            sys.exit(f"FAILED: a mistake in {path} is not found: this test shows nothing")
    references = {each["bom-ref"] for each in document["components"]} | {document["metadata"]["component"]["bom-ref"]}
    for dependency in document["dependencies"]:
        if unknown := {dependency["ref"], *dependency.get("dependsOn", [])} - references:
            sys.exit(f"FAILED: {name}: dependencies without a component: {', '.join(sorted(unknown))}")
    print(f"{name}: {len(document['components'])} components, valid CycloneDX 1.5")

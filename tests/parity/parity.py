"""Compares libtorii with the official Python client, each against a local torii.

    python parity.py path/to/torii-emulator path/to/libtorii.so

Both make the same calls, each against a fresh torii. The requests that arrive (method, path, query, and body as
a JSON value) and the outcomes must be equal, except for the differences in the table of README.md. A difference
without a row fails, and so does a row without a difference.
"""

import json
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from fnmatch import fnmatchcase
from pathlib import Path

from client import Failed, Refused
from libtorii import LibTorii
from official import Official
from steps import STEPS

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OTHERS = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "<time>"),
    (re.compile(r"imp_\w+"), "<token>"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "<torii>"),
]


class Torii:
    """A local torii."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [program, "--until-stdin-closes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.addresses = json.loads(self.process.stdout.readline())

    def control(self, method, path, body=None):
        url = self.addresses["control"] + path
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method)) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def requests(self, written=None):
        """Returns the requests since the last call, and checks their body against `written`."""
        seen = self.control("GET", "/requests")["requests"]
        self.control("DELETE", "/requests")
        if written is not None:
            assert all(request["body"] == written for request in seen), (seen, written)
        return [arrived(request) for request in seen]

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=120) == 0


def arrived(request):
    query = sorted(urllib.parse.parse_qsl(request["query"]))
    body = json.loads(request["body"]) if request["body"] else None
    return {"line": f"{request['method']} {request['path']}", "query": query, "body": body}


class Anonymous:
    """Replaces values that differ between runs: ids by the order in which they appear, times, tokens."""

    def __init__(self):
        self.ids = {}

    def __call__(self, value):
        if isinstance(value, dict):
            # The contract reads a null member as absent.
            return {name: self(member) for name, member in sorted(value.items()) if member is not None}
        if isinstance(value, (list, tuple)):
            return [self(element) for element in value]
        if isinstance(value, str):
            value = UUID.sub(lambda match: self.ids.setdefault(match[0], f"<id {len(self.ids)}>"), value)
            for pattern, name in OTHERS:
                value = pattern.sub(name, value)
        return value


def outcome(call):
    try:
        return {"answer": call()}
    except Refused as refused:
        story = dict(refused.story)
        try:
            story["body"] = json.loads(story["body"])
        except (TypeError, ValueError):
            pass
        # A new one each time.
        if story["supportId"] is not None:
            story["supportId"] = "given"
            story["body"]["supportId"] = "given"
        return {"refused": story}
    except Failed as failed:
        return failed.story


def play(program, make):
    """Makes every call. Returns the requests and the outcome by the name of the step."""
    torii = Torii(program)
    client = make(torii.addresses)
    known, story = {}, {}
    for step in STEPS:
        for method, path, body in step.before:
            answer = torii.control(method, path.format(**known), fill(body, known))
            if step.keep_before:
                known[step.keep_before] = answer[step.member]["id"] if step.member else answer["id"]
        arguments = [fill(argument, known) for argument in step.arguments]
        torii.requests()
        result = outcome(lambda: getattr(client, step.operation)(*arguments))
        if step.keep:
            known[step.keep] = result["answer"]["id"]
        requests = torii.requests(client.written)
        if "failed" in result and not requests:
            result = {"failed": "argument"}
        story[step.name] = {"arrived": requests, "outcome": result}
        torii.control("DELETE", "/faults")
    client.close()
    torii.close()
    anonymous = Anonymous()
    for wanted in known.values():
        anonymous(wanted)
    return {
        name: {"arrived": raw(part["arrived"], anonymous), "outcome": anonymous(part["outcome"])}
        for name, part in story.items()
    }


def raw(requests, anonymous):
    """Keeps nulls, which matter in requests."""
    if isinstance(requests, dict):
        return {name: raw(member, anonymous) for name, member in sorted(requests.items())}
    if isinstance(requests, (list, tuple)):
        return [raw(element, anonymous) for element in requests]
    return anonymous(requests)


def fill(argument, known):
    """Replaces `$name` by the id of that name."""
    if isinstance(argument, str) and argument.startswith("$"):
        return known[argument[1:]]
    if isinstance(argument, dict):
        return {name: fill(member, known) for name, member in argument.items()}
    if isinstance(argument, list):
        return [fill(element, known) for element in argument]
    return argument


def listed():
    """Reads the differences in the table: a pattern for steps, and the part."""
    rows = (Path(__file__).parent / "README.md").read_text().partition("\n## ")[0].splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if row.startswith("| `")]
    return [(row[0].strip("`"), row[1]) for row in cells]


def main():
    program, library = sys.argv[1:]
    official = play(program, lambda it: Official(it["url"], it["secret_key"]))
    ours = play(program, lambda it: LibTorii(library, it["url"], it["secret_key"]))
    rows, used, wrong = listed(), set(), 0
    for name in official:
        for part in ("arrived", "outcome"):
            if official[name][part] == ours[name][part]:
                continue
            why = [row for row in rows if fnmatchcase(name, row[0]) and part == row[1]]
            used.update(why)
            if not why:
                wrong += 1
                print(f"{name}, {part}: differs, and is not in the table")
                print(f"  torii-backend: {json.dumps(official[name][part])}")
                print(f"  libtorii:      {json.dumps(ours[name][part])}")
    for name, part in set(rows) - used:
        wrong += 1
        print(f"{name}, {part}: a row without a difference")
    called = {step.operation for step in STEPS}
    assert len(called) == 26, f"{len(called)} of 26 operations"
    if wrong:
        sys.exit(1)
    print(f"{len(STEPS)} calls of all 26 operations: the same but for the {len(rows)} differences in the table")


if __name__ == "__main__":
    main()

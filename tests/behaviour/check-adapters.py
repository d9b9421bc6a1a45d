#!/usr/bin/env python3
"""Checks that adapters.json is consistent as a whole; a runner sees only its own rows."""

import json
import re
from pathlib import Path

FILE = Path(__file__).with_name("adapters.json")
ANSWER = set("status code www_authenticate retry_after cache_control".split())
OPTIONS = set("optional header cookie realm resource_metadata skip audiences requirements".split())
REQUIREMENTS = set("flags claims organizations".split())
ROW = set("name configuration answer user method path headers".split())
MORE = set("body server_may_refuse only except why".split())


def unique(pairs):
    names = [name for name, _ in pairs]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"not unique: {twice}"
    return dict(pairs)


def check_row(row, corpus, used):
    assert ROW <= row.keys() <= ROW | MORE, "members"
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row["name"]), "name is not kebab-case"
    named = re.findall(r"\{(.*?)\}", json.dumps([row["path"], row["headers"], row.get("body")]))
    assert set(named) <= corpus["tokens"].keys(), f"unknown token in {named}"
    assert row["user"] is None or row["answer"] == "pass", "user"
    assert ("only" in row or "except" in row) == ("why" in row), "`why` goes with `only`, `except`"
    for adapter in [*row.get("only", []), *row.get("except", [])]:
        assert adapter in corpus["adapters"], f"unknown adapter {adapter}"
    used |= {*named, row["configuration"], row["answer"]}


def main():
    corpus = json.loads(FILE.read_text(encoding="utf-8"), object_pairs_hook=unique)
    rows, used = corpus["rows"], set()
    unique([(row["name"], row) for row in rows])
    for name, answer in corpus["answers"].items():
        assert answer.keys() == ANSWER, name
    for name, configuration in corpus["configurations"].items():
        assert configuration.keys() <= OPTIONS | {"issuer", "routes"}, name
        requirements = configuration.get("requirements", {})
        for each in [requirements, *configuration.get("routes", {}).values()]:
            assert each.keys() <= REQUIREMENTS, name
    for row in rows:
        try:
            check_row(row, corpus, used)
        except AssertionError as error:
            raise AssertionError(f"{row.get('name')}: {error}") from None
    for kind in ("tokens", "answers", "configurations"):
        assert corpus[kind].keys() <= used, f"unused {kind}: {corpus[kind].keys() - used}"
    for adapter in corpus["adapters"]:
        mine = [row for row in rows if adapter in row.get("only", [adapter])]
        mine = [row for row in mine if adapter not in row.get("except", [])]
        assert len(mine) >= 60, f"{adapter} runs only {len(mine)} rows"


main()

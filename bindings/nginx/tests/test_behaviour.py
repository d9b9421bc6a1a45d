"""Every case of tests/behaviour/verify.json, through nginx."""

import datetime
import json
import os
import unittest

from harness import ROOT, Client, Nginx, ask, free_port, quoted

FAKETIME = os.environ["TORII_FAKETIME"]
HTTP = {"TORII_OK": 200, "TORII_ERR_POLICY": 403}
FLAGS = ("email_verified", "profile_complete", "not_impersonated", "organization")
AUTH = ("user_id", "environment_id", "organization_id", "organization_role", "actor_id", "locale",
        "email_verified", "profile_complete", "impersonating")

with open(os.path.join(ROOT, "tests/behaviour/verify.json")) as file:
    CORPUS = json.load(file)


def text(value):
    return "".join(piece * n for piece, n in value["repeat"]) if isinstance(value, dict) else value


def directives(case):
    options = case["options"]
    lines = ["torii on;", f"torii_issuer {quoted(options['issuer'])} jwks_file={case['key_set']}.json;"]
    for more in options.get("issuers", []):
        lines.append(f"torii_issuer {quoted(more['issuer'])} jwks_file={more['key_set']}.json;")
    for audience in options.get("audiences", []):
        lines.append(f"torii_audience {quoted(audience)};")
    for option in ("ignore_audience", "legacy_organization"):
        if options.get(option):
            lines.append(f"torii_{option} on;")
    if "leeway" in options:
        lines.append(f"torii_leeway {options['leeway']}s;")
    if "max_lifetime_seconds" in options:
        lines.append(f"torii_max_lifetime {options['max_lifetime_seconds']}s;")
    if options.get("require"):
        lines.append(f"torii_require {' '.join(options['require'])};")
    requirements = options.get("requirements", {})
    for bit, flag in enumerate(FLAGS):
        if requirements.get("flags", 0) & 1 << bit:
            lines.append(f"torii_require {flag};")
    for claim in requirements.get("claims", []):
        lines.append(f"torii_require_claim {quoted(claim['pointer'])} {quoted(claim['json'])};")
    for organization in requirements.get("organizations", []):
        role = quoted(organization["role"]) if "role" in organization else ""
        lines.append(f"torii_require_organization {quoted(organization['id'])} {role};")
    return " ".join(lines)


def fits_a_header(token):
    return token and all(0x21 <= ord(c) < 0x7f for c in token)


class Edge:
    """An nginx at the time of some cases, with a location for each set of options."""

    def __init__(self, now, cases):
        self.port = free_port()
        self.paths = {}
        answer = ("add_header X-Status $torii_status always; return 200 "
                  + quoted("".join(f"$torii_{name}\n" for name in (*AUTH, "claim_iss", "claims"))) + ";")
        locations = []
        for case in cases:
            options = directives(case)
            if "token" in case and not fits_a_header(text(case["token"])):
                # As a header it would not arrive like this.
                options += f" torii_token {quoted(text(case['token']))};"
            if options not in self.paths:
                self.paths[options] = f"/{len(self.paths)}"
                locations.append(f"location = {self.paths[options]} {{ {options} {answer} }}\n")
            case["path"] = self.paths[options]

        self.nginx = Nginx(f"""
            large_client_header_buffers 4 2m;
            server {{
                listen 127.0.0.1:{self.port};
                location = /time {{ return 200 $msec; }}
                {"".join(locations)}
            }}
        """, main="env FAKETIME; env TZ; env DONT_FAKE_MONOTONIC;", start=False)
        for name, keys in CORPUS["key_sets"].items():
            with open(os.path.join(self.nginx.folder, f"{name}.json"), "w") as file:
                file.write(text(keys["jwks"]))
        environment = dict(os.environ)
        if now is not None:
            date = datetime.datetime.fromtimestamp(now, datetime.UTC)
            environment |= {"LD_PRELOAD": FAKETIME, "TZ": "UTC", "DONT_FAKE_MONOTONIC": "1",
                            "FAKETIME": date.strftime("%Y-%m-%d %H:%M:%S")}
        self.nginx.start(environment=environment).ready(self.port)
        if now is not None:
            assert float(ask(self.port, "/time").text) == now


class Behaviour(unittest.TestCase):
    def test_every_case(self):
        moments = {}
        for case in CORPUS["cases"]:
            moments.setdefault(case["options"].get("now"), []).append(case)
        answered = unsaid = 0
        for now, cases in moments.items():
            edge = Edge(now, cases)
            for case in cases:
                with self.subTest(case["name"]), Client(edge.port) as client:
                    if self.check(client, case):
                        answered += 1
                    else:
                        unsaid += 1
            edge.nginx.stop()
        print(f"{answered} cases, {unsaid} that cannot be an HTTP header")

    def check(self, client, case):
        if "header" in case:
            value = text(case["header"])
            if "\r" in value or "\n" in value:
                return False
            headers = [("Authorization", value.encode())]
        elif fits_a_header(text(case["token"])):
            headers = [("Authorization", f"Bearer {text(case['token'])}")]
        else:
            headers = []
        client.send(case["path"], headers=headers)
        answer = client.receive()
        expect = case["expect"]

        if "header" in case and "\0" in value:
            self.assertEqual(answer.status, 400)
            return True
        self.assertEqual((answer.status, answer.header("x-status")),
                         (HTTP.get(expect["status"], 401), expect["status"]))
        if expect["status"] == "TORII_OK":
            self.same(answer.text, expect["auth"])
        return True

    def same(self, found, auth):
        def said(value):
            value = json.dumps(value) if isinstance(value, bool) else text(value or "")
            torn = value != value.strip(" ") or any(c < " " or c == "\x7f" for c in value)
            return "" if torn else value

        claims = text(auth["claims_json"]).replace("\x7f", "\\u007f")
        claims = "".join(" " if c < " " else c for c in claims).strip(" ")
        expected = [*(said(auth[name]) for name in AUTH), json.loads(claims)["iss"], claims]
        self.assertEqual(found, "".join(f"{value}\n" for value in expected))


if __name__ == "__main__":
    unittest.main()

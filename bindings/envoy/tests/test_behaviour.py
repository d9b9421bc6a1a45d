"""Every case of tests/behaviour/verify.json, as the answer of the real Envoy."""

import json
import os
import re
import shutil
import tempfile
import unittest

from support import Envoy, Upstream, listener, module

CASES = os.path.join(os.path.dirname(__file__), "../../../tests/behaviour/verify.json")
STATUS = {"TORII_OK": 200, "TORII_ERR_POLICY": 403, "TORII_ERR_KEYS_UNAVAILABLE": 503}
CLAIMS = {"x-user": "sub", "x-environment": "pid", "x-issuer": "iss", "x-locale": "locale",
          "x-email": "email_verified", "x-profile": "profile_complete",
          "x-impersonating": "impersonating", "x-actor": "actor_id",
          "x-organization": "organization_id", "x-role": "organization_role",
          "x-issued": "iat", "x-expires": "exp"}
FIELDS = {"x-user": "user_id", "x-environment": "environment_id", "x-issuer": "issuer",
          "x-locale": "locale", "x-email": "email_verified", "x-profile": "profile_complete",
          "x-impersonating": "impersonating", "x-actor": "actor_id",
          "x-organization": "organization_id", "x-role": "organization_role",
          "x-issued": "issued_at", "x-expires": "expires_at"}
FLAGS = {"email_verified": 1, "profile_complete": 2, "not_impersonated": 4, "organization": 8}
OPTIONS = {"audiences": "audiences", "leeway": "leeway_seconds", "ignore_audience": "ignore_audience",
           "max_lifetime_seconds": "max_lifetime_seconds", "legacy_organization": "legacy_organization"}


def text(value):
    if isinstance(value, str):
        return value
    return "".join(piece * times for piece, times in value["repeat"])


def as_header(value):
    """The header with this field; none for an empty one."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value)


def arrives(value):
    """Whether a text can be the value of a header, and arrive as it is."""
    return value == value.strip(" \t") and not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value)


def requirements(options):
    """The requirements of a case: its own, and the flags of its shorthand."""
    asked = options.get("requirements", {})
    flags = set(options.get("require", ())) | {name for name, bit in FLAGS.items()
                                               if asked.get("flags", 0) & bit}
    lists = {name: asked[name] for name in ("claims", "organizations") if name in asked}
    return {"flags": sorted(flags), **lists}


class Behaviour(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(CASES) as file:
            cls.corpus = json.load(file)
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.directory = directory.name
        upstream = Upstream(f"{cls.directory}/upstream")
        cls.addClassCleanup(upstream.close)

    def filter_for(self, options, key_set):
        def issuer(url, name):
            path = f"{self.directory}/{name}.json"
            with open(path, "w", newline="") as file:
                file.write(text(self.corpus["key_sets"][name]["jwks"]))
            return {"issuer": url, "jwks_file": path}

        others = (issuer(other["issuer"], other["key_set"]) for other in options.get("issuers", ()))
        config = {"issuers": [issuer(options["issuer"], key_set), *others], "headers": CLAIMS}
        unknown = options.keys() - OPTIONS.keys() - {"issuer", "issuers", "require", "requirements"}
        self.assertEqual(unknown, set())
        config["requirements"] = requirements(options)
        for name, ours in OPTIONS.items():
            if name in options:
                config[ours] = options[name]
        return module(json.dumps(config))

    def run_cases(self, cases, **envoy):
        """Sends the cases to one Envoy, with a listener for each set of options."""
        groups = {}
        for case in cases:
            options = {name: value for name, value in case["options"].items() if name != "now"}
            key = json.dumps([options, case["key_set"]], sort_keys=True)
            groups.setdefault(key, []).append(case)
        filters = [self.filter_for(*json.loads(key)) for key in groups]
        listeners = [
            lambda path, filter=filter: listener(path, [filter], max_request_headers_kb=2048,
                                                 common_http_protocol_options={"max_headers_count": 100})
            for filter in filters
        ]
        unsendable = 0
        with Envoy(listeners, self.directory, concurrency=1, **envoy) as server:
            for number, group in enumerate(groups.values()):
                for case in group:
                    with self.subTest(case["name"]):
                        unsendable += self.check(server, number, case)
        return unsendable

    def check(self, server, number, case):
        value = (text(case["header"]) if "header" in case else "Bearer " + text(case["token"]))
        if re.search(r"[\r\n]", value):
            return 1  # The header would end there, and be another one.
        if "token" in case and text(case["token"]) != text(case["token"]).strip(" \t"):
            return 1  # Blanks around a token are the header's, and no part of it.
        line = b"authorization: " + value.encode("utf-8", "surrogatepass") + b"\r\n"
        with server.connect(number) as connection:
            connection.send(b"GET / HTTP/1.1\r\nhost: test\r\n" + line + b"\r\n")
            answer = connection.answer()
        if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", value):
            self.assertIn(answer.status, (400, 401))  # Envoy itself refuses such headers.
            return 1
        status = case["expect"]["status"]
        auth = case["expect"].get("auth")
        headers = auth and {header: as_header(auth[field]) for header, field in FIELDS.items()}
        if auth and not all(map(arrives, filter(None, headers.values()))):
            self.assertEqual(answer.status, 403, answer)
            return 0
        self.assertEqual(answer.status, STATUS.get(status, 401), answer)
        if not auth:
            return 0
        for header, wanted in headers.items():
            # The upstream reads bytes as Latin-1.
            wanted = [] if wanted is None else [wanted.encode().decode("latin-1")]
            self.assertEqual(answer.seen(header), wanted, header)
        return 0

    def test_cases(self):
        cases = [case for case in self.corpus["cases"] if "now" not in case["options"]]
        unsendable = self.run_cases(cases)
        self.assertLess(unsendable, 20)
        print(f"{len(cases)} cases, {unsendable} of them with text that no header can hold")

    def test_cases_at_their_time(self):
        """With the clock of the whole Envoy stopped at the time of the case."""
        # LD_PRELOAD separates paths with spaces, which the build folder may have.
        clock = shutil.copy(os.environ["CLOCK"], self.directory)
        cases = [case for case in self.corpus["cases"] if "now" in case["options"]]
        for now in sorted({case["options"]["now"] for case in cases}):
            group = [case for case in cases if case["options"]["now"] == now]
            environment = {"LD_PRELOAD": clock, "NOW": str(now)}
            self.assertEqual(self.run_cases(group, environment=environment), 0)
            print(f"{len(group)} cases at {now}")


if __name__ == "__main__":
    unittest.main()

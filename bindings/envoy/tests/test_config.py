"""Configurations that Envoy refuses to load, and the reasons."""

import json
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

from support import TIMEOUT, Envoy, listener, module, on_route

ACME = "https://acme.torii.so"
KEYS = {"keys": []}

FILTER = [
    ("", "EOF while parsing"),
    ("[]", "expected struct"),
    ("{", "EOF while parsing an object"),
    ({}, "missing field `issuers`"),
    ({"issuers": []}, "`issuers` is empty"),
    ({"issuers": ACME}, "invalid type: string"),
    ({"issuers": [7]}, "expected a URL, or an object with `issuer`"),
    ({"issuers": ["acme"]}, "`issuers`: issuer"),
    ({"issuers": ["http://acme.torii.so"]}, "`issuers`: issuer"),
    ({"issuers": [ACME, ACME + "/"]}, "`issuers`: issuer: named twice"),
    ({"issuers": [{"jwks": KEYS}]}, "missing field `issuer`"),
    ({"issuers": [{"issuer": ACME, "jwk": KEYS}]}, "unknown field `jwk`"),
    ({"issuers": [{"issuer": ACME, "jwks": KEYS}]}, f"the keys of {ACME}`: jwks: no usable key"),
    ({"issuers": [{"issuer": ACME, "jwks_file": "/nowhere"}]}, "`jwks_file` /nowhere: No such file"),
    ({"issuers": [{"issuer": ACME, "jwks": KEYS, "jwks_file": "/x"}]}, "either `jwks` or `jwks_file`"),
    ({"issuers": [ACME], "audience": "api"}, "unknown field `audience`"),
    ({"issuers": [ACME], "audiences": "api"}, "expected a sequence"),
    ({"issuers": [ACME], "audiences": [""]}, "`audiences`: audience: empty"),
    ({"issuers": [ACME], "audiences": ["api"], "ignore_audience": True},
     "`issuers`: audience: both configured and ignored"),
    ({"issuers": [ACME], "leeway_seconds": 301}, "`leeway_seconds`: leeway: not within 0 to 300 seconds"),
    ({"issuers": [ACME], "leeway_seconds": "30"}, "expected u32"),
    ({"issuers": [ACME], "leeway_seconds": -1}, "expected u32"),
    ({"issuers": [ACME], "max_lifetime_seconds": "1h"}, "expected u32"),
    ({"issuers": [ACME], "requirements": "email_verified"}, "expected requirements, or a list of alternatives"),
    ({"issuers": [ACME], "requirements": {"flags": ["email"]}}, "unknown variant `email`"),
    ({"issuers": [ACME], "requirements": {"claim": []}}, "unknown field `claim`"),
    ({"issuers": [ACME], "requirements": {"claims": [{"pointer": "plan", "json": "1"}]}},
     "`requirements`: pointer: does not start with a slash"),
    ({"issuers": [ACME], "requirements": {"claims": [{"pointer": "/plan", "json": "pro"}]}},
     "`requirements`: json: "),
    ({"issuers": [ACME], "requirements": {"organizations": [{"id": ""}]}}, "`requirements`: id: empty"),
    ({"issuers": [ACME], "requirements": []}, "`requirements`: an alternative without a requirement"),
    ({"issuers": [ACME], "requirements": [{"flags": ["organization"]}, {}]},
     "`requirements`: an alternative without a requirement"),
    ({"issuers": [ACME], "requirements": {"flags": ["email_verified"]}, "optional": True},
     "`requirements`: contradict `optional` (expected one of them)"),
    ({"issuers": [ACME], "fixed_base": 1}, "expected a boolean"),
    ({"issuers": [ACME], "key_cache_dir": "/nowhere/keys"}, "key cache directory `/nowhere/keys`: cannot create it"),
    ({"issuers": [ACME], "revocations_file": "/nowhere"}, "revocations file `/nowhere`: "),
    ({"issuers": [ACME], "optional": "yes"}, "expected a boolean"),
    ({"issuers": [ACME], "header": "a b"}, "`header`: `a b` is not a header name"),
    ({"issuers": [ACME], "cookie": "a=b"}, "`cookie`: `a=b` is not a cookie name"),
    ({"issuers": [ACME], "skip": ["health"]}, "`skip`: `health` is not a path"),
    ({"issuers": [ACME], "skip": ["/health?x=1"]}, "`skip`: `/health?x=1` is not a path"),
    ({"issuers": [ACME], "headers": {"x y": "sub"}}, "`headers`: `x y` is not a header name"),
    ({"issuers": [ACME], "headers": {":path": "sub"}}, "`headers`: `:path` is not a header name"),
    ({"issuers": [ACME], "headers": {"Host": "sub"}}, "`headers`: `Host` is reserved"),
    ({"issuers": [ACME], "headers": {"authorization": "sub"}}, "is reserved"),
    ({"issuers": [ACME], "headers": {"Content_Length": "sub"}}, "is reserved"),
    ({"issuers": [ACME], "headers": {"x_token": "sub"}, "header": "X-Token"},
     "`headers`: `x_token` is reserved"),
    ({"issuers": [ACME], "headers": {"x-user": ""}}, "`headers`: `x-user`: an empty claim"),
    ({"issuers": [ACME], "headers": {"x-user": "/a~2"}}, "`headers`: `x-user`: `/a~2`: pointer: a `~`"),
    ({"issuers": [ACME], "headers": {"X-User": "sub", "x_user": "pid"}}, "name the same"),
    ({"issuers": [ACME], "headers": ["x-user"]}, "expected an object of names and claims"),
    ({"issuers": [ACME], "metadata": {"user": 1}}, "expected a string"),
    ({"issuers": [ACME], "metadata": {"refusal": "sub"}}, "`metadata`: `refusal` is set by the filter"),
    ({"issuers": [ACME], "metadata_namespace": ""}, "`metadata_namespace` is empty"),
    ({"issuers": [ACME], "realm": 'a"b'}, "`realm`: realm: a character outside"),
    ({"issuers": [ACME], "resource_metadata": "https://x/ y"}, "`resource_metadata`: resource_metadata: "),
    ({"issuers": [ACME], "fetch_timeout_ms": 99}, "`fetch_timeout_ms`: fetch timeout: not within 100"),
    ({"issuers": [ACME], "key_lifetime_seconds": 0}, "`key_lifetime_seconds`: key lifetime: not within 1"),
    ({"issuers": [ACME], "max_stale_seconds": 2592001}, "`max_stale_seconds`: max stale: not within 0"),
    ({"issuers": [ACME], "ca_file": "/nowhere"}, "`ca_file`: "),
    ({"issuers": [ACME], "proxy": "ftp://proxy"}, "`proxy`: "),
    ({"issuers": [ACME], "allow_http": 1}, "expected a boolean"),
]

ROUTE = [
    ({"mode": "off"}, "unknown field `mode`"),
    ({"skip": ["/health"]}, "expected a boolean"),
    ({"requirements": {"flags": "email_verified"}}, "invalid type: string"),
    ({"requirements": {"flags": ["organization"]}, "optional": True},
     "`requirements`: contradict `skip` and `optional`"),
    ({"requirements": {"flags": ["organization"]}, "skip": True},
     "`requirements`: contradict `skip` and `optional`"),
    ({"issuers": [ACME]}, "unknown field `issuers`"),
]


class Loading(unittest.TestCase):
    def check(self, filter_config, route=None):
        """Has Envoy look at a configuration. Gives its exit status and log."""
        routes = [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]
        if route is not None:
            routes[0]["typed_per_filter_config"] = on_route(route)
        text = filter_config if isinstance(filter_config, str) else json.dumps(filter_config)
        envoy = Envoy([lambda path: listener(path, [module(text)], routes)], self.directory,
                      arguments=["--mode", "validate", "-l", "warning"])
        status = envoy.process.wait(TIMEOUT)
        envoy.stop()
        return status, envoy.log_text()

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def check_refused(self, what, cases, check):
        with ThreadPoolExecutor(2) as pool:
            results = pool.map(check, [config for config, _ in cases])
        for (config, reason), (status, log) in zip(cases, results):
            with self.subTest(config):
                self.assertEqual(status, 1)
                line = next(line for line in log.splitlines() if f"torii: the configuration of {what}: " in line)
                self.assertIn("[error]", line)
                self.assertIn(reason, line)

    def test_a_bad_configuration_is_refused_with_its_reason(self):
        self.check_refused("the filter", FILTER, self.check)

    def test_so_is_a_bad_route(self):
        self.check_refused("a route", ROUTE, lambda route: self.check({"issuers": [ACME]}, route))

    def test_a_valid_one_is_accepted(self):
        full = {"issuers": [ACME, {"issuer": "https://globex.torii.so"}], "audiences": ["api"],
                "ignore_audience": False, "leeway_seconds": 10, "max_lifetime_seconds": 3600,
                "legacy_organization": True, "optional": False,
                "requirements": [{"flags": ["email_verified"]},
                                 {"claims": [{"pointer": "/plan", "json": "\"pro\""}],
                                  "organizations": [{"id": "o-1", "role": "admin"}]}],
                "header": "X-Token", "cookie": "session", "skip": ["/health"],
                "headers": {"x-user-id": "sub", "x-plan": "/account/plan"}, "metadata": {"user": "sub"},
                "metadata_namespace": "me", "remove_token": True, "clear_route_cache": True,
                "realm": "api", "resource_metadata": "https://api.example/metadata",
                "fetch_timeout_ms": 1000, "key_lifetime_seconds": 60, "max_stale_seconds": 0,
                "proxy": "http://127.0.0.1:3128", "allow_http": True, "token_cache_bytes": 0}
        anonymous = {"issuers": [ACME], "optional": True}
        for config, route in ((full, {"optional": True, "requirements": {}, "skip": True}),
                              (anonymous, {"requirements": {"flags": ["organization"]}})):
            status, log = self.check(config, route)
            self.assertEqual(status, 0, log)


if __name__ == "__main__":
    unittest.main()

"""What is refused when Envoy loads its configuration, and with which reason."""

import json
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

from support import Envoy, listener, module, on_route

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
    ({"issuers": [ACME], "leeway": 301}, "`leeway`: leeway: not within 0 to 300 seconds"),
    ({"issuers": [ACME], "leeway": "30"}, "expected u32"),
    ({"issuers": [ACME], "leeway": -1}, "expected u32"),
    ({"issuers": [ACME], "require": ["email"]}, "unknown variant `email`"),
    ({"issuers": [ACME], "mode": "on"}, "unknown variant `on`"),
    ({"issuers": [ACME], "token": []}, "`token` is empty"),
    ({"issuers": [ACME], "token": [{"query": "t"}]}, "unknown variant `query`"),
    ({"issuers": [ACME], "token": [{"header": "a b"}]}, "`token`: `a b` is no header name"),
    ({"issuers": [ACME], "token": [{"cookie": "a=b"}]}, "`token`: `a=b` is no cookie name"),
    ({"issuers": [ACME], "headers": {"x y": "sub"}}, "`headers`: `x y` is no header name"),
    ({"issuers": [ACME], "headers": {":path": "sub"}}, "`headers`: `:path` is no header name"),
    ({"issuers": [ACME], "headers": {"Host": "sub"}}, "`headers`: `Host` has a meaning of its own"),
    ({"issuers": [ACME], "headers": {"authorization": "sub"}}, "has a meaning of its own"),
    ({"issuers": [ACME], "headers": {"Content_Length": "sub"}}, "has a meaning of its own"),
    ({"issuers": [ACME], "headers": {"x_token": "sub"}, "token": [{"header": "X-Token"}]},
     "`headers`: `x_token` has a meaning of its own"),
    ({"issuers": [ACME], "headers": {"x-user": ""}}, "`headers`: `x-user`: an empty name"),
    ({"issuers": [ACME], "headers": {"X-User": "sub", "x_user": "pid"}}, "name the same"),
    ({"issuers": [ACME], "headers": ["x-user"]}, "expected an object of names and claims"),
    ({"issuers": [ACME], "metadata": {"user": 1}}, "expected a string"),
    ({"issuers": [ACME], "metadata_namespace": ""}, "`metadata_namespace` is empty"),
    ({"issuers": [ACME], "realm": 'a"b'}, "`realm`: only printable ASCII"),
    ({"issuers": [ACME], "key_timeout_ms": 99}, "`key_timeout_ms`: fetch timeout: not within 100"),
    ({"issuers": [ACME], "key_lifetime": 0}, "`key_lifetime`: key lifetime: not within 1"),
    ({"issuers": [ACME], "max_stale": 2592001}, "`max_stale`: max stale: not within 0"),
    ({"issuers": [ACME], "ca_file": "/nowhere"}, "`ca_file`: "),
    ({"issuers": [ACME], "allow_http": 1}, "expected a boolean"),
]

ROUTE = [
    ({"mode": "none"}, "unknown variant `none`"),
    ({"modes": "off"}, "unknown field `modes`"),
    ({"require": "email_verified"}, "invalid type: string"),
    ({"issuers": [ACME]}, "unknown field `issuers`"),
]


class Load(unittest.TestCase):
    def check(self, filter_config, route=None):
        """Has Envoy look at a configuration. Gives its exit status and log."""
        routes = [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]
        if route is not None:
            routes[0]["typed_per_filter_config"] = on_route(route)
        text = filter_config if isinstance(filter_config, str) else json.dumps(filter_config)
        envoy = Envoy([lambda path: listener(path, [module(text)], routes)], self.directory,
                      arguments=["--mode", "validate", "-l", "warning"])
        status = envoy.process.wait(30)
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

    def test_a_good_one_is_accepted(self):
        full = {"issuers": [ACME, {"issuer": "https://globex.torii.so"}], "audiences": ["api"],
                "leeway": 10, "require": ["email_verified"], "mode": "optional",
                "token": [{"header": "X-Token"}, {"cookie": "session"}],
                "headers": {"x-user-id": "sub"}, "metadata": {"user": "sub"},
                "metadata_namespace": "me", "realm": "api", "key_timeout_ms": 1000,
                "key_lifetime": 60, "max_stale": 0, "allow_http": True, "cache_bytes": 0}
        status, log = self.check(full, {"mode": "required", "require": []})
        self.assertEqual(status, 0, log)


if __name__ == "__main__":
    unittest.main()

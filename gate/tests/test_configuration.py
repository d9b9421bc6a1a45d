"""The command line, the environment, the file, and --check."""

import os
import subprocess
import tempfile
import unittest

from support import TORII, Gate, Torii, bearer, toml


def run(*arguments, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TORII_GATE_")}
    command = [TORII, "gate", *arguments]
    return subprocess.run(command, env={**clean, **environment}, capture_output=True, text=True)


class Configuration(unittest.TestCase):
    def file(self, options):
        file = self.enterContext(tempfile.NamedTemporaryFile("w", suffix=".toml"))
        file.write(options if isinstance(options, str) else toml(options))
        file.flush()
        return file.name

    def test_check(self):
        issuer = "https://acme.torii.so"
        for arguments, environment in ((["--issuer", issuer], {}), ([], {"TORII_GATE_ISSUER": issuer}),
                                       (["--config", self.file({"issuer": issuer})], {}),
                                       ([], {"TORII_GATE_CONFIG": self.file({"issuer": issuer})})):
            checked = run("--check", *arguments, **environment)
            self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "configuration: valid\n", ""))

    def test_mistakes_are_named_in_one_line(self):
        issuer = ["--issuer", "https://acme.torii.so"]
        for arguments, environment, wanted in (
                ([], {}, "issuer: missing (expected --issuer, TORII_GATE_ISSUER or the file)"),
                (["--issuer", "acme"], {}, "issuer: not an absolute URL"),
                (["--listen", "9180"], {}, "--listen <ADDRESS>: not an address (expected"),
                (["--header", "X-User-Id"], {}, "--header <NAME=CLAIM>: expected NAME=CLAIM"),
                ([*issuer, "--header", "X-A=sub", "--header", "x_a=iss"], {}, "header: x-a: given twice"),
                ([*issuer, "--header", "X-Token=sub", "--token-header", "X-Token"], {}, "header: x-token: holds the token"),
                ([*issuer, "--cookie", "a b"], {}, "cookie: not the name of a cookie"),
                ([*issuer, "--audience", "a", "--ignore-audience"], {}, "audience: both configured and ignored"),
                ([*issuer, "--optional", "--require", "organization"], {}, "optional: contradicts the requirements (expected"),
                ([*issuer, "--optional"], {"TORII_GATE_REQUIRE_CLAIM": "/plan=1"}, "optional: contradicts the requirements"),
                ([*issuer, "--config", self.file({"optional": True, "require-organization": "o"})], {},
                 "optional: contradicts the requirements"),
                ([*issuer, "--listen", "127.0.0.1:1", "--admin", "127.0.0.1:1"], {}, "127.0.0.1:1: named twice"),
                ([*issuer, "--ca-file", "/nonexistent"], {}, "ca-file: "),
                ([*issuer, "--jwks", "/nonexistent"], {}, "jwks: /nonexistent: "),
                ([*issuer, "--proxy", "socks5://secret"], {}, "proxy: "),
                ([*issuer, "--config", "/nonexistent.toml"], {}, "/nonexistent.toml: "),
                (issuer, {"TORII_GATE_REQUIER": "secret"}, "TORII_GATE_REQUIER: unknown variable"),
                (issuer, {"TORII_GATE_CONFIG": self.file("proxy = secret")}, "line 1: ")):
            checked = run("--check", *arguments, **environment)
            self.assertEqual((checked.returncode, checked.stdout), (2, ""), (arguments, checked))
            self.assertIn(wanted, checked.stderr)
            self.assertEqual(checked.stderr.count("\n"), 1)
            self.assertNotIn("secret", checked.stderr)

    def test_the_command_line_comes_before_the_environment_and_that_before_the_file(self):
        with Torii() as torii:
            file = {"issuer": torii.issuer, "realm": "file", "header": ["X-File=/sub"], "cookie": "file_token"}
            gate = self.enterContext(Gate(file, "--realm", "line", environment={
                "TORII_GATE_REALM": "environment", "TORII_GATE_COOKIE": "environment_token"}))
            self.assertEqual(gate.get().header("www-authenticate"), 'Bearer realm="line"')
            token = torii.token(claims={"sub": "user-ada"})
            answer = gate.get(headers=[("Cookie", f"environment_token={token}; file_token=x")])
            self.assertEqual((answer.status, answer.header("x-file")), (200, "user-ada"))
            self.assertEqual(gate.get(headers=bearer(token)).status, 200)

    def test_an_address_in_use(self):
        with Torii() as torii, Gate({"issuer": torii.issuer}) as gate:
            other = run("--issuer", torii.issuer, "--listen", gate.addresses[0])
            self.assertEqual(other.returncode, 7)
            self.assertIn(f"cannot listen on {gate.addresses[0]}", other.stderr)


if __name__ == "__main__":
    unittest.main()

"""The command line, the environment, the file, and --check."""

import os
import re
import subprocess
import tempfile
import unittest

from support import TORII, Gate, Torii, bearer, toml


def run(*arguments, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TORII_GATE_")}
    command = [TORII, "gate", *arguments]
    return subprocess.run(command, env={**clean, **environment}, capture_output=True, text=True)


def options(text):
    """The options that have a line of their own in a help text."""
    return sorted(set(re.findall(r"^ *--([a-z-]+)", text, re.M)) - {"help"})


OPTIONS = options(run("--help").stdout)

# Of each option: a malformed value, and the problem with it. One that begins with ^ names no option but what it is about.
MALFORMED = {
    "admin": ("9180", r"not an address \(expected"),
    "allow-http": ("yes", r"unknown value \(expected"),
    "audience": ("", "empty"),
    "ca-file": ("/nonexistent", "CA file `/nonexistent`: No such file"),
    "check": ("secret", "takes no value"),
    "config": ("/nonexistent.toml", "^/nonexistent.toml: No such file"),
    "cookie": ("secret secret", "not the name of a cookie"),
    "fixed-base": ("1", r"unknown value \(expected"),
    "header": ("X-User-Id", "expected NAME=CLAIM"),
    "ignore-audience": ("maybe", r"unknown value \(expected"),
    "issuer": ("secret", "not an absolute URL"),
    "jwks": ("/nonexistent", "/nonexistent: No such file"),
    "key-cache": ("/nonexistent/folder", "^key cache directory `/nonexistent/folder`: cannot create it"),
    "key-lifetime": ("0", "0 is not in 1..=86400"),
    "leeway": ("301", "301 is not in 0..=300"),
    "legacy-organization": ("on", r"unknown value \(expected"),
    "listen": ("127.0.0.1", r"not an address \(expected"),
    "max-connections": ("0", "0 is not in 1..=1000000"),
    "max-lifetime": ("0", "0 is not in 1..="),
    "max-stale": ("2592001", "2592001 is not in 0..=2592000"),
    "optional": ("y", r"unknown value \(expected"),
    "proxy": ("socks5://secret", "not a URL"),
    "realm": ("\"", "a character outside visible ASCII"),
    "require": ("secret", r"unknown value \(expected one of email-verified,"),
    "require-claim": ("secret", "expected POINTER=JSON"),
    "require-organization": ("=secret", "id: empty"),
    "resource-metadata": ("a b", "a character outside visible ASCII"),
    "revocations": ("/nonexistent", "^revocations file `/nonexistent`: cannot be read"),
    "shutdown-timeout": ("3601", "3601 is not in 0..=3600"),
    "socket-mode": ("0660", "not permissions"),
    "threads": ("0", "0 is not in 1..=1024"),
    "timeout": ("61", "61 is not in 1..=60"),
    "token-cache": ("1.5", "invalid digit"),
    "token-header": ("secret:", "not the name of a header"),
}


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

    def test_every_malformed_option_is_named(self):
        self.assertEqual(sorted(MALFORMED), OPTIONS)
        issuer = {"TORII_GATE_ISSUER": "https://acme.torii.so"}
        for option, (value, problem) in MALFORMED.items():
            variable = f"TORII_GATE_{option.upper().replace('-', '_')}"
            # An empty variable counts as unset. In a list, a comma separates two empty values.
            ways = [([f"--{option}={value}"], {}), ([], {variable: value or ","})]
            for arguments, environment in ways[:1] if option in ("check", "config") else ways:
                with self.subTest(option, arguments=arguments):
                    checked = run("--check", *arguments, **{**issuer, **environment})
                    self.assertEqual((checked.returncode, checked.stdout, checked.stderr.count("\n")), (2, "", 1), checked)
                    named = rf"(--{option}( <.*>|\[=<.*>\])?|{option}|{variable}): " if problem[0] != "^" else ""
                    self.assertRegex(checked.stderr, f"^torii: {named}{problem.lstrip('^')}")
                    self.assertNotIn("secret", checked.stderr)

    def test_help_manual_and_completions_have_every_option(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([TORII, "man", folder], check=True)
            with open(f"{folder}/torii-gate.1") as file:
                manual = file.read().replace("\\-", "-")
        self.assertEqual(options(manual.replace("\\fB", "").replace("\\fR", "")), OPTIONS)
        for shell, start, end, form in (("bash", "\n        torii__subcmd__gate)", ";;", r" --%s "),
                                        ("zsh", "\n(gate)", ";;", r"\n'\*?--%s[=\[]"),
                                        ("fish", "_subcommand gate\"", "_subcommand completions", r" -l %s ")):
            script = subprocess.run([TORII, "completions", shell], check=True, capture_output=True, text=True).stdout
            # Other commands have options with the same names.
            part = script.split(start, 1)[1].split(end, 1)[0]
            for option in OPTIONS:
                self.assertRegex(part, form % option, shell)

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

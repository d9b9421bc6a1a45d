"""nginx -t names each mistake, with file, line and reason."""

import os
import re
import signal
import subprocess
import unittest

from harness import Case, Nginx, ask, eventually, free_port

JWKS = ('{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"key-1",'
        '"x":"PZfXPL3QIAOQEp5F5zXbMGRj22TYXIpES_cQcczUtMM",'
        '"y":"4s54iFHO7hZxqomC2H0BYvYNtim3FKPITaADrUnFVpk"}]}')


class Tested(Nginx):
    """Only tested, never started."""

    def __init__(self, http):
        super().__init__(http, start=False)

    def line(self, text):
        with open(os.path.join(self.folder, "nginx.conf")) as file:
            return next(n for n, line in enumerate(file, 1) if text in line)


class Configuration(unittest.TestCase):
    def wrong(self, http, at, reason):
        nginx = Tested(http)
        status, messages = nginx.test()
        self.assertNotEqual(status, 0, messages)
        emerg = re.search(r"\[emerg\] (.*)", messages).group(1)
        self.assertRegex(emerg, rf"{reason}.* in {nginx.folder}/nginx.conf:{nginx.line(at)}$")

    def in_server(self, directives, at, reason):
        self.wrong(f"server {{ listen 127.0.0.1:1;\n{directives}\n location / {{ }}\n}}", at, reason)

    def test_no_issuer(self):
        self.in_server("torii on;", "torii on;", '"torii" needs a "torii_issuer"')
        self.in_server("location /a {\n torii optional;\n}", "torii optional;",
                       '"torii" needs a "torii_issuer"')
        # Inherited, the line is that of the directive.
        self.wrong("torii on;\n server {\n listen 127.0.0.1:1;\n location / { }\n}", "torii on;",
                   '"torii" needs a "torii_issuer"')

    def test_bad_values(self):
        for directive, reason in (
            ("torii maybe;", 'invalid value "maybe"'),
            ("torii_issuer not-a-url;", 'invalid "torii_issuer": issuer:'),
            ("torii_issuer https://acme.torii.so?x=1;", 'invalid "torii_issuer": issuer:'),
            ("torii_issuer ftp://acme.torii.so;", 'invalid "torii_issuer": issuer:'),
            ("torii_issuer https://acme.torii.so keys=x;", 'invalid parameter "keys=x"'),
            ("torii_issuer https://acme.torii.so jwks_file=/nowhere;",
             r'open\(\) "/nowhere" failed \(2: No such file or directory\)'),
            ("torii_issuer https://acme.torii.so jwks_file=/tmp;", '"/tmp" is not a file'),
            ("torii_issuer https://acme.torii.so jwks_file=/dev/null;", '"/dev/null" is not a file'),
            ("torii_issuer https://acme.torii.so jwks_file=nginx.conf;",
             'invalid "torii_issuer": jwks'),
            ("torii_audience '';", "empty audience"),
            ("torii_leeway 301s;", 'invalid "torii_leeway": leeway'),
            ("torii_leeway soon;", 'invalid value "soon" of "torii_leeway"'),
            ("torii_require email;", 'invalid value "email"'),
            ("torii_key_timeout 50ms;", 'invalid "torii_key_timeout": '),
            ("torii_key_timeout 2m;", 'invalid "torii_key_timeout": '),
            ("torii_key_lifetime 0;", 'invalid "torii_key_lifetime": '),
            ("torii_max_stale 31d;", 'invalid "torii_max_stale": '),
            ("torii_ca_file /nowhere;", 'invalid "torii_ca_file": '),
            ("torii_ca_file nginx.conf;", 'invalid "torii_ca_file": '),
            ("torii_allow_http maybe;", 'invalid value "maybe"'),
            ("torii_ignore_audience 1;", 'invalid value "1" of "torii_ignore_audience"'),
            ("torii_max_lifetime long;", 'invalid value "long" of "torii_max_lifetime"'),
            ("torii_token_cache much;", 'invalid value "much" of "torii_token_cache"'),
            ("torii_realm 'a\"b';", 'invalid "torii_realm": realm'),
            ("torii_resource_metadata 'no url';", 'invalid "torii_resource_metadata": resource'),
            ("torii_proxy nonsense:;", 'invalid "torii_proxy": proxy'),
            ("torii_require off email_verified;", 'invalid value "off" of "torii_require"'),
            ("torii_require_claim plan 1;", 'invalid "torii_require_claim": '),
            ("torii_require_claim /plan pro;", 'invalid "torii_require_claim": '),
            ("torii_require_claim /plan null;", 'invalid "torii_require_claim": '),
            ("torii_require_claim /plan;", 'invalid "torii_require_claim": '),
            ("torii_require_organization '';", 'invalid "torii_require_organization": '),
            ("torii_require off; torii_require email_verified;", '"torii_require" directive is duplicate'),
            ("torii_leeway 1s; torii_leeway 1s;", '"torii_leeway" directive is duplicate'),
            ("torii_fixed_base maybe;", 'invalid value "maybe" of "torii_fixed_base"'),
            ("torii_key_cache '';", 'invalid "torii_key_cache": '),
            ("torii_key_cache /dev/null;", '"/dev/null" is not a directory'),
            ("torii_key_cache /nowhere/keys;", 'stat\(\) "/nowhere/" failed, in which to create "/nowhere/keys"'),
            ("torii_revocations '';", 'invalid "torii_revocations": '),
            ("torii_revocations /nowhere;", 'invalid "torii_revocations": revocations file `/nowhere`: cannot be read'),
            ("torii_revocations /tmp;", 'invalid "torii_revocations": revocations file `/tmp`: a directory'),
            ("torii_revocations nginx.conf;", 'invalid "torii_revocations": revocations file `[^`]*/nginx.conf`: '),
            ("torii_header '';", 'invalid value "" of "torii_header"'),
            ("torii_header 'X Token';", 'invalid value "x token" of "torii_header"'),
            ("torii_cookie a=b;", 'invalid value "a=b" of "torii_cookie"'),
            ("torii_token $nothing;", 'unknown "nothing" variable'),
        ):
            with self.subTest(directive):
                at = directive.split(" ")[0] + " "
                if "unknown" in reason:
                    status, messages = Tested(f"server {{ {directive} }}").test()
                    self.assertNotEqual(status, 0)
                    self.assertIn(reason, messages)
                else:
                    self.in_server(directive, at, reason)

    def test_what_does_not_go_together(self):
        self.in_server("torii on;\n torii_issuer http://acme.torii.so;", "http://acme", "torii: issuer")
        self.in_server("torii on;\n torii_issuer https://a.example;\n torii_issuer http://b.example;",
                       "http://b.example", "torii: ")
        self.in_server("torii on;\n torii_issuer https://a.example;\n torii_issuer https://a.example/;",
                       "https://a.example/", "torii: issuer: named twice")

        self.in_server("torii on;\n torii_audience a; torii_ignore_audience on;\n torii_issuer https://a.example;",
                       "https://a.example", "torii: ")
        self.in_server("torii on;\n torii_issuer https://a.example;\n torii_token $arg_x; torii_forward_token off;",
                       "torii on;", '"torii" has "torii_forward_token off"')

    def test_claims_for_variables(self):
        for directive, reason in (("torii_claim tenant /x;", 'invalid value "tenant" of "torii_claim"'),
                                  ("torii_claim $tenant x;", 'invalid "torii_claim": '),
                                  ("torii_claim $tenant '';", 'invalid "torii_claim": '),
                                  ("torii_claim $tenant /~x;", 'invalid "torii_claim": '),
                                  ("torii_claim $uri /x;", 'the duplicate "uri" variable')):
            with self.subTest(directive):
                self.wrong(directive, directive, re.escape(reason))

    def test_not_in_an_if(self):
        self.in_server("location /x { if ($arg_x) {\n torii off;\n } }", "torii off;",
                       '"torii" directive is not allowed here')

    def test_what_is_right(self):
        nginx = Tested("""
            torii_issuer https://acme.torii.so/;
            torii_issuer https://globex.torii.so jwks_file=globex.json;
            torii_audience shop "the desk";
            torii_leeway 0;
            torii_require email_verified profile_complete not_impersonated;
            torii_key_timeout 500ms;
            torii_key_lifetime 1h;
            torii_max_stale 0;
            torii_max_lifetime 1h;
            torii_legacy_organization on;
            torii_realm "the shop";
            torii_resource_metadata https://shop.example/.well-known/oauth-protected-resource;
            torii_proxy http://proxy.example:3128;
            torii_token_cache 1m;
            torii_fixed_base on;
            torii_key_cache keys;
            torii_revocations revoked.json;
            torii_header X-Access-Token;
            torii_cookie __Host-session;
            torii_forward_token off;
            torii_require_claim /plan '"pro"';
            torii_require_claim /limits/seats 3;
            torii_require_organization org-1;
            torii_require_organization org-2 admin;
            torii_claim $tenant /tenant~1id;
            server {
                listen 127.0.0.1:1;
                torii optional;
                location /a { torii on; torii_issuer http://issuer.internal; torii_allow_http on; }
                location /b { torii off; limit_except GET { torii on; } }
            }
        """)
        with open(os.path.join(nginx.folder, "globex.json"), "w") as file:
            file.write(JWKS)
        with open(os.path.join(nginx.folder, "revoked.json"), "w") as file:
            file.write('{"revoked":[]}')
        status, messages = nginx.test()
        self.assertEqual(status, 0, messages)
        # A test leaves nothing behind.
        self.assertFalse(os.path.exists(os.path.join(nginx.folder, "keys")))

    def test_revocations_of_another_user(self):
        """A file of the workers is not trusted by a master that is root."""
        nginx = Tested("server { listen 127.0.0.1:1; torii_revocations revoked.json; }")
        path = os.path.join(nginx.folder, "revoked.json")
        with open(path, "w") as file:
            file.write('{"revoked":[]}')
        os.chown(path, 1, 1)
        status, messages = nginx.test()
        self.assertNotEqual(status, 0)
        self.assertIn("owned by user 1", messages)

    def test_a_test_makes_no_request(self):
        """No thread, no lookup: nginx -t works where there is no network."""
        nginx = Tested("server { listen 127.0.0.1:1; torii on; torii_issuer https://acme.invalid; }")
        done = subprocess.run(["strace", "-f", "-qq", "-e", "trace=connect,clone,clone3,sendto", *nginx.command("-t")],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotRegex(done.stderr, r"AF_INET|clone")


class Reloading(Case):
    @classmethod
    def config(cls):
        return (f"server {{ listen 127.0.0.1:{cls.port}; torii_issuer {cls.emulator.issuer};"
                f"torii on; return 200 ok; }}")

    def test_a_broken_configuration_is_not_taken(self):
        token = self.emulator.token()
        self.assertEqual(self.ask("/", token).status, 200)
        before = self.nginx.children()
        self.nginx.write(f"server {{ listen 127.0.0.1:{self.port}; torii on; return 200 ok; }}")
        self.nginx.process.send_signal(signal.SIGHUP)
        eventually(lambda: 'needs a "torii_issuer"' in self.nginx.read_log())
        self.nginx.allowed = 'needs a "torii_issuer"'
        self.assertEqual(self.nginx.children(), before)
        self.assertEqual(self.ask("/", token).status, 200)
        # And one that is right is.
        self.nginx.write(f"server {{ listen 127.0.0.1:{self.port}; return 200 other; }}")
        self.nginx.reload()
        self.assertEqual(self.ask("/").text, "other")


class Offline(unittest.TestCase):
    def test_keys_in_a_file(self):
        port = free_port()
        nginx = Nginx(f"""
            torii_issuer https://acme.torii.so jwks_file=keys.json;
            server {{ listen 127.0.0.1:{port}; torii on; return 200 up; }}
        """, start=False)
        with open(os.path.join(nginx.folder, "keys.json"), "w") as file:
            file.write(JWKS)
        nginx.start().ready(port)
        self.assertEqual(ask(port).status, 401)
        self.assertEqual(ask(port, token="x.y.z").status, 401)
        nginx.stop()


if __name__ == "__main__":
    unittest.main()

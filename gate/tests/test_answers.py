"""The answers of the gate to each kind of request, without a proxy."""

import tempfile
import unittest

from support import Gate, Torii, bearer

HEADERS = {
    "X-User-Id": "/sub",
    "X-Organization": "organization_id",
    "X-Plan": "/plan",
    "X-Account": "/account",
    "X-Impersonating": "impersonating",
}


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.torii = cls.enterClassContext(Torii())
        cls.gate = cls.enterClassContext(Gate({"issuer": cls.torii.issuer, "cookie": "app_token",
            "header": [f"{name}={claim}" for name, claim in HEADERS.items()]}))
        cls.valid = cls.torii.token(claims={"sub": "user-ada"})

    def identity(self, answer):
        return {name: answer.values(name.lower()) for name in HEADERS}

    def test_a_valid_token_is_answered_with_identity_headers(self):
        token = self.torii.token(claims={"sub": "user-ada", "o": {"id": "org-1", "rol": "admin"}, "plan": "größer",
                                         "account": {"level": 3, "tags": ["a b"]}, "act": {"sub": "user-support"}})
        answer = self.gate.get(headers=bearer(token))
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(self.identity(answer), {
            "X-User-Id": ["user-ada"], "X-Organization": ["org-1"], "X-Plan": ["größer".encode().decode("latin-1")],
            "X-Account": ['{"level":3,"tags":["a b"]}'], "X-Impersonating": ["true"]})
        self.assertEqual(answer.header("cache-control"), "no-store")

    def test_an_absent_claim_is_an_empty_header(self):
        token = self.torii.token(claims={"sub": "user-ada", "plan": None, "account": ""})
        answer = self.gate.get(headers=bearer(token))
        self.assertEqual(self.identity(answer), {"X-User-Id": ["user-ada"], "X-Organization": [""], "X-Plan": [""],
                                                 "X-Account": [""], "X-Impersonating": ["false"]})

    def test_a_claim_that_cannot_be_forwarded_is_refused(self):
        for plan in ("pro\r\nX-User-Id: user-mallory", " pro", "pro\t", "\u0000", "a\u007fb"):
            answer = self.gate.get(headers=bearer(self.torii.token(claims={"sub": "user-ada", "plan": plan})))
            self.assertEqual((answer.status, answer.json["error"]["code"]), (403, "forbidden"), plan)
            self.assertEqual(answer.header("www-authenticate"), 'Bearer realm="torii", error="insufficient_scope"')
            self.assertEqual(self.identity(answer), {name: [] for name in HEADERS})

    def test_a_refusal_has_no_identity(self):
        answer = self.gate.get(headers=[("X-User-Id", "user-mallory")])
        self.assertEqual(answer.status, 401)
        self.assertEqual(self.identity(answer), {name: [] for name in HEADERS})

    def test_headers_of_the_client_decide_nothing(self):
        lies = [("X-User-Id", "user-mallory"), ("X-Forwarded-Uri", "/healthy"), ("X-Original-URI", "/ready"),
                ("X-Forwarded-Method", "OPTIONS"), ("User-Agent", "kube-probe/1.31"), ("X-Forwarded-For", "127.0.0.1"),
                ("Forwarded", "for=127.0.0.1"), ("Proxy-Authorization", f"Bearer {self.valid}"),
                ("X-Authorization", f"Bearer {self.valid}"), ("Upgrade", "websocket"), ("Connection", "Upgrade, Authorization")]
        self.assertEqual(self.gate.get(headers=lies).status, 401)
        answer = self.gate.get(headers=[*lies, *bearer(self.valid)])
        self.assertEqual((answer.status, answer.header("x-user-id")), (200, "user-ada"))

    def test_every_path_and_method_is_a_question(self):
        paths = ["/healthy", "/ready", "/metrics", "/ping", "/oauth2/auth", "//", "/%2e%2e/healthy", "*", "http://test/ready",
                 f"/?access_token={self.valid}", f"/?app_token={self.valid}"]
        for path in paths:
            self.assertEqual(self.gate.get(path).status, 401, path)
            self.assertEqual(self.gate.get(path, bearer(self.valid)).status, 200, path)
        for method in ("HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "QUERY"):
            self.assertEqual(self.gate.get("/", (), method).status, 401, method)
            answer = self.gate.get("/", bearer(self.valid), method)
            self.assertEqual((answer.status, answer.header("x-user-id")), (200, "user-ada"), method)

    def test_connect_opens_no_tunnel(self):
        for headers, status in (((), 401), (bearer(self.valid), 200)):
            with self.gate.connect() as connection:
                connection.send(b"CONNECT test:443 HTTP/1.1\r\nHost: test\r\n"
                                + "".join(f"{name}: {value}\r\n" for name, value in headers).encode() + b"\r\n")
                self.assertEqual(connection.answer().status, status)
                connection.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
                later = connection.answer()
                self.assertTrue(later is None or later.status == 401, later)

    def test_a_body_is_not_part_of_the_question(self):
        form = f"access_token={self.valid}".encode()
        with self.gate.connect() as connection:
            self.assertEqual(connection.get(method="POST", body=form).status, 401)
            self.assertEqual(connection.get(headers=bearer(self.valid), method="POST", body=b"x" * 1000).status, 200)
            self.assertEqual(connection.get().status, 401)

    def test_a_cookie_holds_the_token_among_others(self):
        cookies = [f"c{number}={'v' * 100}" for number in range(150)]
        line = "; ".join([*cookies, f"app_token={self.valid}", *cookies])
        self.assertEqual(self.gate.get(headers=[("Cookie", line)]).header("x-user-id"), "user-ada")
        several = [("Cookie", cookie) for cookie in cookies[:90]] + [("Cookie", f"app_token={self.valid}")]
        self.assertEqual(self.gate.get(headers=several).header("x-user-id"), "user-ada")
        twice = [("Cookie", f"app_token={self.valid}"), ("Cookie", f"{line}; app_token={self.valid}")]
        self.assertEqual(self.gate.get(headers=twice).status, 401)

    def test_optional_mode(self):
        options = {"issuer": self.torii.issuer, "header": ["X-User-Id=sub"], "require": "email-verified",
                   "route": [{"listen": "127.0.0.1:0", "optional": True}]}
        with Gate(options) as gate:
            answer = gate.get(headers=[("X-User-Id", "user-mallory")], number=1)
            self.assertEqual((answer.status, answer.values("x-user-id")), (200, [""]))
            self.assertEqual(gate.get(headers=bearer("nonsense"), number=1).status, 401)
            unverified = self.torii.token(claims={"email_verified": False})
            self.assertEqual(gate.get(headers=bearer(unverified), number=1).status, 403)
            self.assertEqual(gate.get().status, 401)

    def test_several_issuers_and_audiences(self):
        self.torii.call("POST", "/issuers", {"name": "second"})
        self.torii.call("POST", "/issuers", {"name": "third"})
        second = self.torii.issuer.replace("/acme", "/second")
        options = {"issuer": [self.torii.issuer, second], "audience": ["api", "admin"], "header": ["X-Issuer=/iss"]}
        with Gate(options) as gate:
            for issuer, audience, status in (("acme", "api", 200), ("second", "admin", 200), ("second", "web", 401),
                                             ("third", "api", 401)):
                token = self.torii.token(issuer, claims={"aud": audience})
                answer = gate.get(headers=bearer(token))
                self.assertEqual(answer.status, status, (issuer, audience))
                if status == 200:
                    self.assertTrue(answer.header("x-issuer").endswith(f"/{issuer}"))

    def test_a_route_has_an_address_of_its_own(self):
        of_admins = {"listen": "127.0.0.1:0", "require-organization": "org-1=admin"}
        admin = self.torii.token(claims={"o": {"id": "org-1", "rol": "admin"}})
        member = self.torii.token(claims={"o": {"id": "org-1", "rol": "member"}})
        support = self.torii.token(claims={"o": {"id": "org-1", "rol": "admin"}, "act": {"sub": "s"}})
        open_gate = {"optional": True, "route": [of_admins, {"listen": ["127.0.0.1:0", "127.0.0.1:0"], "optional": False}]}
        strict_gate = {"require": ["not-impersonated"], "route": [of_admins, {"listen": "127.0.0.1:0", "optional": True}]}
        for options, wanted in (
                (open_gate, {None: [200, 401, 401, 401], admin: [200, 200, 200, 200], member: [200, 403, 200, 200],
                             support: [200, 200, 200, 200]}),
                (strict_gate, {None: [401, 401, 200], admin: [200, 200, 200], member: [200, 403, 200],
                               support: [403, 403, 403]})):
            with Gate({"issuer": self.torii.issuer, **options}) as gate:
                count = len(wanted[None])
                self.assertEqual(len(set(gate.addresses)), count)
                for token, statuses in wanted.items():
                    headers = bearer(token) if token else ()
                    self.assertEqual([gate.get("/", headers, number=number).status for number in range(count)], statuses)

    def test_revoked_users_are_refused(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write('{"revoked":[{"sub":"user-bob","before":"all"}]}')
            file.flush()
            with Gate({"issuer": self.torii.issuer, "revocations": file.name}) as gate:
                self.assertEqual(gate.get(headers=bearer(self.valid)).status, 200)
                bob = self.torii.token(claims={"sub": "user-bob"})
                self.assertEqual(gate.get(headers=bearer(bob)).status, 401)


if __name__ == "__main__":
    unittest.main()

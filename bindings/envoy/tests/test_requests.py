"""Requests while keys are there."""

import json
import re
import subprocess
import tempfile
import time
import unittest
import urllib.request

from support import Envoy, Torii, Upstream, bearer, listener, module, on_route, until

JSON = {"content-type": "application/json", "cache-control": "no-store"}
CLAIMS = {"X-User-Id": "sub", "x-plan": "plan"}

ACCESS_LOG = [{
    "name": "log",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
        "log_format": {"text_format_source": {"inline_string": "access %RESPONSE_CODE% "
                       "%RESPONSE_CODE_DETAILS% %DYNAMIC_METADATA(torii)% %REQ(:PATH)%\n"}},
    },
}]

COUNTED = re.compile("torii_(accepted|anonymous|refused|parked)")


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.torii = cls.enterClassContext(Torii())
        cls.torii.call("POST", "/issuers", {"name": "other"})
        cls.upstream = Upstream(f"{directory.name}/upstream")
        cls.addClassCleanup(cls.upstream.close)
        cls.other = cls.torii.issuer.replace("/acme", "/other")
        issuers = {"issuers": [cls.torii.issuer, cls.other]}
        cluster = {"route": {"cluster": "upstream"}}
        routes = [
            {"match": {"prefix": "/off"}, "typed_per_filter_config": on_route({"skip": True})},
            {"match": {"prefix": "/optional"},
             "typed_per_filter_config": on_route({"optional": True})},
            {"match": {"prefix": "/strict"},
             "typed_per_filter_config": on_route(
                 {"requirements": {"flags": ["email_verified", "not_impersonated"]}})},
            {"match": {"prefix": "/either"}, "typed_per_filter_config": on_route(
                {"requirements": [{"flags": ["email_verified"],
                                   "claims": [{"pointer": "/account/plan", "json": '"pro"'}]},
                                  {"organizations": [{"id": "o-1", "role": "admin"}]}]})},
            {"match": {"prefix": "/"}},
        ]
        websockets = {"upgrade_configs": [{"upgrade_type": "websocket"}]}
        trailers = {"http_protocol_options": {"enable_trailers": True}}

        def main(path):
            config = {**issuers, "headers": CLAIMS, "realm": "the api",
                      "metadata": {"user": "sub", "plan": "plan", "level": "level",
                                   "verified": "email_verified", "org": "/org/id"}}
            return listener(path, [module(config)], [{**route, **cluster} for route in routes],
                            access_log=ACCESS_LOG, **websockets, **trailers)

        def places(path):
            config = {**issuers, "headers": CLAIMS, "header": "X-Token", "cookie": "session"}
            return listener(path, [module(config)])

        def optional(path):
            config = {**issuers, "headers": CLAIMS, "optional": True}
            return listener(path, [module(config)])

        def complete(path):
            # As text, as other control planes send it.
            keys = urllib.request.urlopen(f"{cls.torii.issuer}/_torii/.well-known/jwks.json")
            with keys:
                given = {"issuer": cls.torii.issuer, "jwks": json.load(keys)}
            config = {"issuers": [given], "requirements": {"flags": ["profile_complete"]},
                      "audiences": ["app"]}
            return listener(path, [module(json.dumps(config))])

        def rerouting(path):
            """Routes by the headers of the filter, and removes the token."""
            config = {**issuers, "headers": {**CLAIMS, "x-banned": "banned"}, "cookie": "session",
                      "optional": True, "clear_route_cache": True, "remove_token": True,
                      "legacy_organization": True, "max_lifetime_seconds": 600}
            strict = {"requirements": {"claims": [{"pointer": "/plan", "json": '"gold"'}]}}

            def match(value):
                return {"prefix": "/", "headers": [{"name": "x-plan", "string_match": {"exact": value}}]}

            routes = [
                {"match": match("gold"), "typed_per_filter_config": on_route(strict),
                 "request_headers_to_add": [{"header": {"key": "x-route", "value": "gold"}}]},
                {"match": match("open"), "typed_per_filter_config": on_route({"skip": True})},
                {"match": match("strict"), "typed_per_filter_config": on_route(strict)},
                {"match": {"prefix": "/"}, "typed_per_filter_config": on_route({"optional": False})},
            ]
            return listener(path, [module(config)], [{**route, **cluster} for route in routes])

        def told(path):
            config = {**issuers, "headers": {
                "x-actor": "actor_id", "x-impersonating": "impersonating", "x-org": "organization_id",
                "x-role": "organization_role", "x-nested": "/account/plan~1b/0", "x-n": "n"}}
            return listener(path, [module(config)])

        cls.envoy = cls.enterClassContext(
            Envoy([main, places, optional, complete, rerouting, told], directory.name))
        # From here on no request has to wait.
        for issuer in ("acme", "other"):
            cls.envoy.get(headers=bearer(cls.torii.token(issuer)))

    def setUp(self):
        self.upstream.requests.clear()

    def refused(self, answer, status=401):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(self.upstream.requests, [])
        for name, value in JSON.items():
            self.assertEqual(answer.header(name), value)

    # ---- answers

    def test_a_valid_token_passes_with_its_identity(self):
        answer = self.envoy.get(headers=bearer(self.torii.token(claims={"sub": "user-1"})))
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.seen("x-user-id"), ["user-1"])
        self.assertEqual(answer.seen("x-plan"), [])

    def test_another_issuer(self):
        answer = self.envoy.get(headers=bearer(self.torii.token("other")))
        self.assertEqual(answer.status, 200, answer)

    def test_no_token(self):
        answer = self.envoy.get()
        self.refused(answer)
        self.assertEqual(answer.header("www-authenticate"), 'Bearer realm="the api"')
        self.assertEqual(answer.json["error"]["code"], "authentication_failed")

    def test_an_invalid_token_is_told_no_reason(self):
        answer = self.envoy.get(headers=bearer(self.torii.token(expires_in=-60)))
        self.refused(answer)
        self.assertEqual(answer.header("www-authenticate"),
                         'Bearer realm="the api", error="invalid_token"')
        self.assertEqual(answer.json, {"error": {"code": "authentication_failed",
                                                 "message": "The access token expired"}})

    def test_invalid_tokens(self):
        for wish in ({"signer": "forged"}, {"signer": "none"}, {"signer": {"issuer": "other"}},
                     {"claims": {"iss": "https://example.com"}}, {"without": ["sub"]},
                     {"now_offset": 3600}, {"header": {"alg": "HS256"}}):
            with self.subTest(wish):
                self.refused(self.envoy.get(headers=bearer(self.torii.token(**wish))))

    def test_requirements(self):
        answer = self.envoy.get(number=3, headers=bearer(
            self.torii.token(claims={"profile_complete": False, "aud": "app"})))
        self.refused(answer, 403)
        self.assertEqual(answer.json, {"error": {
            "code": "forbidden", "message": "The access token does not permit this request"}})
        good = self.torii.token(claims={"aud": ["app", "web"]})
        self.assertEqual(self.envoy.get(number=3, headers=bearer(good)).status, 200)
        self.upstream.requests.clear()
        self.refused(self.envoy.get(number=3, headers=bearer(self.torii.token())))

    def test_no_token_is_in_any_line_of_the_log(self):
        tokens = [self.torii.token(), self.torii.token(expires_in=-60)]
        for token in tokens:
            self.envoy.get(headers=bearer(token))
        log = self.envoy.log_text()
        for token in tokens:
            for part in token.split("."):
                self.assertNotIn(part, log)

    # ---- identities

    def test_identity_headers_of_a_client_are_removed(self):
        lies = [("X-User-Id", "admin"), ("x-user_id", "admin"), ("X_USER_ID", "admin"),
                ("x-plan", "gold"), ("x-user-id", "root")]
        good = bearer(self.torii.token(claims={"sub": "user-1"}))
        cases = [("/", good, ["user-1"]), ("/off", [], []), ("/off", good, []),
                 ("/optional", [], []), ("/optional", good, ["user-1"])]
        for path, token, wanted in cases:
            for headers in (lies + token, token + lies):
                with self.subTest(path=path, token=bool(token)):
                    answer = self.envoy.get(path, headers)
                    self.assertEqual(answer.status, 200, answer)
                    self.assertEqual(answer.seen("x-user-id"), wanted)
                    for name in ("x-user_id", "x_user_id", "x-plan"):
                        self.assertEqual(answer.seen(name), [])

    def test_claims_of_every_type(self):
        for claim, header in ((7, "7"), (1.5, "1.5"), (True, "true"), ("gold", "gold"),
                              (["a", {"b": None}], '["a",{"b":null}]'), ("größer", "größer"),
                              ("a\tb", "a\tb"), (None, None), ("", None)):
            with self.subTest(claim):
                token = self.torii.token(claims={"plan": claim})
                answer = self.envoy.get(headers=bearer(token) + [("x-plan", "lie")])
                self.assertEqual(answer.status, 200, answer)
                wanted = [] if header is None else [header.encode().decode("latin-1")]
                self.assertEqual(answer.seen("x-plan"), wanted)
                self.assertEqual(len(answer.seen("x-user-id")), 1)

    def raw(self, **claims):
        """A token whose claims are exactly this JSON text."""
        now = int(time.time())
        sound = {"iss": json.dumps(self.torii.issuer), "sub": '"user-1"', "pid": '"e"',
                 "iat": str(now), "exp": str(now + 600)}
        members = (f'"{name}": {value}' for name, value in {**sound, **claims}.items())
        return bearer(self.torii.token(raw_payload="{" + ", ".join(members) + "}"))

    def test_numbers_are_forwarded_as_they_were_signed(self):
        for number in ("18446744073709551616", "123456789012345678901234567890", "1.50e+02", "-0",
                       "9007199254740993", "0.1000"):
            answer = self.envoy.get(headers=self.raw(plan=number))
            self.assertEqual((answer.status, answer.seen("x-plan")), (200, [number]))
        answer = self.envoy.get(headers=self.raw(plan='[ 1e2 ,\n"a  b" ]'))
        self.assertEqual((answer.status, answer.seen("x-plan")), (200, ['[1e2,"a  b"]']))

    def test_no_claim_takes_the_others_with_it(self):
        """A number that no double holds, beside a claim by which the upstream denies."""
        self.refused(self.envoy.get(headers=self.raw(banned="true", extra="1e400"), number=4))
        answer = self.envoy.get(headers=self.raw(banned="true", extra="1e300"), number=4)
        self.assertEqual((answer.status, answer.seen("x-banned")), (200, ["true"]))

    def test_a_claim_that_cannot_be_forwarded_refuses_the_request(self):
        for claim in (" gold", "gold\t", "a\r\nx-user-id: admin", "a\x00b", "a\x7fb", ["\x7f"]):
            with self.subTest(claim):
                headers = bearer(self.torii.token(claims={"plan": claim}))
                answer = self.envoy.get(headers=headers)
                self.refused(answer, 403)
                self.assertEqual(answer.json["error"]["code"], "forbidden")
                self.assertEqual(answer.header("www-authenticate"),
                                 'Bearer realm="the api", error="insufficient_scope"')

    def test_actor_organization_and_nested_claims(self):
        def told(**claims):
            answer = self.envoy.get(headers=bearer(self.torii.token(
                claims=claims, without=["impersonating"])), number=5)
            self.assertEqual(answer.status, 200, answer)
            return {name[2:]: value for name, value in answer.json["headers"]
                    if name in ("x-actor", "x-impersonating", "x-org", "x-role", "x-nested", "x-n")}

        self.assertEqual(told(act={"sub": "admin-1"}, o={"id": "o-1", "rol": "owner"}),
                         {"actor": "admin-1", "impersonating": "true", "org": "o-1", "role": "owner"})
        self.assertEqual(told(o="o-2", org_id="o-2", account={"plan/b": ["pro"]}),
                         {"impersonating": "false", "org": "o-2", "nested": "pro"})
        self.assertEqual(told(org_id="o-2", n=[1, 2]), {"impersonating": "false", "n": "[1,2]"})

    def test_alternative_requirements(self):
        pro, admin = {"account": {"plan": "pro"}}, {"o": {"id": "o-1", "rol": "admin"}}
        for claims, status in (({"email_verified": True, **pro}, 200),
                               ({"email_verified": False, **admin}, 200),
                               ({"email_verified": False, **pro}, 403),
                               ({"email_verified": True}, 403),
                               ({"email_verified": True, "o": {"id": "o-1", "rol": "member"}}, 403)):
            with self.subTest(claims):
                self.assertEqual(self.envoy.get("/either", bearer(self.torii.token(claims=claims))).status,
                                 status)
        self.upstream.requests.clear()
        self.refused(self.envoy.get("/either"))

    # ---- the route and the token

    def test_the_route_is_chosen_by_what_the_filter_tells(self):
        gold = bearer(self.torii.token(claims={"plan": "gold"}))
        answer = self.envoy.get(headers=gold, number=4)
        self.assertEqual((answer.status, answer.seen("x-route")), (200, ["gold"]))
        answer = self.envoy.get(headers=bearer(self.torii.token()), number=4)
        self.assertEqual((answer.status, answer.seen("x-route")), (200, []))
        self.upstream.requests.clear()
        # A client chooses none of them, and the configuration of the new route applies.
        self.refused(self.envoy.get(headers=[("x-plan", "open")], number=4))
        self.refused(self.envoy.get(headers=[("x_plan", "open"), ("x-plan", "open")], number=4))
        strict = bearer(self.torii.token(claims={"plan": "strict"}))
        self.refused(self.envoy.get(headers=strict, number=4), 403)

    def test_the_token_is_removed(self):
        token = self.torii.token()
        for headers, cookies in ((bearer(token), []), ([("cookie", f"a=b; session={token}; c=d")], ["a=b; c=d"]),
                                 ([("cookie", f"session={token}")], []),
                                 (bearer(token) + [("cookie", f"session={token}; session=x")], [])):
            answer = self.envoy.get(headers=headers, number=4)
            self.assertEqual((answer.status, answer.seen("authorization"), answer.seen("cookie")),
                             (200, [], cookies))
        answer = self.envoy.get(headers=bearer(token))
        self.assertEqual(answer.seen("authorization"), [f"Bearer {token}"])

    def test_the_longest_lifetime(self):
        self.assertEqual(self.envoy.get(headers=bearer(self.torii.token(expires_in=600)), number=4).status, 200)
        self.upstream.requests.clear()
        self.refused(self.envoy.get(headers=bearer(self.torii.token(expires_in=601)), number=4))

    def test_metadata_and_the_access_log(self):
        claims = {"sub": "user-7", "plan": "gold", "level": 3, "org": {"id": "o-1"}}
        self.envoy.get("/metadata", bearer(self.torii.token(claims=claims)))
        expired = self.torii.token(expires_in=-60)
        self.envoy.get("/metadata", bearer(expired))
        lines = self.access_log("/metadata", 2)
        self.assertEqual(json.loads(lines[0].split(maxsplit=3)[3].rsplit(" ", 1)[0]),
                         {"user": "user-7", "plan": "gold", "level": 3, "verified": True,
                          "org": "o-1"})
        self.assertEqual(lines[1],
                         'access 401 torii_token_expired {"refusal":"token_expired"} /metadata')

    def access_log(self, path, count):
        def lines():
            found = [line for line in self.envoy.log_text().splitlines()
                     if line.startswith("access ") and line.endswith(" " + path)]
            return found if len(found) >= count else None

        return until(lines, f"{count} lines of the access log for {path}")

    # ---- where tokens are

    def test_other_places(self):
        good = self.torii.token(claims={"sub": "user-1"})
        other = self.torii.token(claims={"sub": "user-2"})
        bad = self.torii.token(signer="forged")

        def get(*headers):
            return self.envoy.get(headers=headers, number=1)

        for headers in ([("x-token", f"Bearer {good}")],
                        [("cookie", f"session={good}")],
                        [("cookie", f'a=b; session="{good}"; sessions=no; =; c')],
                        [("cookie", "a=b"), ("cookie", f"session={good}")],
                        [("x-token", f"Bearer {good}"), ("cookie", f"session={other}")],
                        [("x-token", " \t "), ("cookie", f"session={good}")],
                        [("x-token", ""), ("cookie", f"session={good}")]):
            with self.subTest(headers):
                answer = get(*headers)
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual(answer.seen("x-user-id"), ["user-1"])
        self.upstream.requests.clear()
        for headers in (bearer(good),
                        [("x-token", good)],
                        [("x-token", f"Bearer {bad}"), ("cookie", f"session={good}")],
                        [("x-token", f"Bearer {good}"), ("x-token", f"Bearer {good}")],
                        [("cookie", f"session={good}; session={good}")],
                        [("cookie", f"session={good}"), ("cookie", f"session={bad}")],
                        [("cookie", f"session=; session={good}")],
                        [("cookie", f"Session={good}")],
                        [("cookie", "session=")]):
            with self.subTest(headers):
                self.refused(get(*headers))

    def test_optional(self):
        good = self.torii.token(claims={"sub": "user-1"})
        for headers, wanted in (([], []), ([("authorization", "")], []), (bearer(good), ["user-1"])):
            answer = self.envoy.get(headers=headers, number=2)
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(answer.seen("x-user-id"), wanted)
        self.upstream.requests.clear()
        for headers in (bearer("nonsense"), [("authorization", "Basic dTpw")],
                        [("authorization", "Bearer")],
                        bearer(good) + bearer(good), bearer(self.torii.token(expires_in=-60))):
            self.refused(self.envoy.get(headers=headers, number=2))

    def test_routes(self):
        impersonated = bearer(self.torii.token(claims={"impersonating": True}))
        unverified = bearer(self.torii.token(claims={"email_verified": False}))
        for headers in (impersonated, unverified):
            self.assertEqual(self.envoy.get("/", headers).status, 200)
        self.assertEqual(self.envoy.get("/off", bearer("nonsense")).status, 200)
        self.assertEqual(self.envoy.get("/optional").status, 200)
        self.upstream.requests.clear()
        for headers in (impersonated, unverified):
            self.refused(self.envoy.get("/strict", headers), 403)
        self.refused(self.envoy.get("/strict"))
        self.refused(self.envoy.get("/optional", bearer("nonsense")))

    # ---- ways past it

    def test_a_body_changes_nothing(self):
        bad = self.torii.token(signer="forged")
        for body in (b"", b"x", b"x" * 3_000_000):
            for headers in ([], bearer(bad), bearer("nonsense")):
                with self.subTest(length=len(body), headers=headers):
                    # Envoy may close before it has read all of a body that it refuses.
                    with self.envoy.connect() as connection:
                        try:
                            connection.request(headers=headers, body=body)
                        except (BrokenPipeError, ConnectionResetError):
                            pass
                        self.refused(connection.answer())
            answer = self.envoy.get(headers=bearer(self.torii.token()), body=body)
            self.assertEqual((answer.status, answer.json["length"]), (200, len(body)))
            self.upstream.requests.clear()

    def test_an_authorization_that_is_sent_twice(self):
        good = self.torii.token()
        bad = self.torii.token(signer="forged")
        for first, second in ((good, bad), (bad, good), (good, good), (good, ""), ("", good)):
            for between in ([], [("accept", "*/*")]):
                for name in ("authorization", "AUTHORIZATION"):
                    headers = [("Authorization", f"Bearer {first}"), *between,
                               (name, f"Bearer {second}")]
                    for body in (None, b"body"):
                        with self.subTest(headers=headers, body=body):
                            self.refused(self.envoy.get(headers=headers, body=body))
        self.refused(self.envoy.get(headers=[("authorization", f"Bearer {good}, Bearer {good}")]))

    def test_the_scheme_in_odd_case_and_spacing(self):
        good = self.torii.token()
        for value in (f"bearer {good}", f"BEARER {good}", f"bEaReR   {good}", f"Bearer\t{good}",
                      f"   Bearer {good}  "):
            with self.subTest(value):
                answer = self.envoy.get(headers=[("authorization", value)])
                self.assertEqual(answer.status, 200, answer)
        self.upstream.requests.clear()
        for value in (good, f"Bearer{good}", f"Bearer: {good}", f"Bearer,{good}", f"Basic {good}",
                      f"Bearer {good} x", f"Bearer Bearer {good}", f"Bearer {good},", "Bearer",
                      f"Token {good}", f"Bearer\x0b{good}", f"Bearer\xa0{good}", f'Bearer "{good}"'):
            with self.subTest(value):
                answer = self.envoy.get(headers=[("authorization", value)])
                self.assertIn(answer.status, (400, 401), answer)
                self.assertEqual(self.upstream.requests, [])

    def test_oversized_headers(self):
        good = self.torii.token()
        answer = self.envoy.get(headers=bearer("a" * 17_000))
        self.refused(answer)
        big = self.torii.token(claims={"filler": "f" * 11_000})
        self.assertEqual(self.envoy.get(headers=bearer(big)).status, 200)
        self.upstream.requests.clear()
        # More than Envoy reads. It answers by itself, even after a valid token.
        for headers in (bearer("a" * 100_000), [*bearer(good), ("x-filler", "f" * 100_000)],
                        [*bearer(good), *[(f"x-{n}", "f") for n in range(200)]]):
            self.assertEqual(self.envoy.get(headers=headers).status, 431)
        self.assertEqual(self.upstream.requests, [])

    def test_pipelining(self):
        good, bad = self.torii.token(), self.torii.token(signer="forged")
        for tokens, statuses in (((good, good, good), [200, 200, 200]),
                                 ((good, good, bad, good), [200, 200, 401]),
                                 ((bad, good), [401]), ((None, good), [401])):
            with self.envoy.connect() as connection:
                heads = [f"authorization: Bearer {token}\r\n" if token else "" for token in tokens]
                connection.send("".join(
                    f"GET /{number} HTTP/1.1\r\nhost: test\r\n{head}\r\n"
                    for number, head in enumerate(heads)).encode())
                self.assertEqual([connection.answer().status for _ in statuses], statuses)
                # A request after a refusal gets its own answer, or Envoy closes.
                if len(statuses) < len(tokens):
                    last = connection.answer()
                    self.assertIn(last and last.status, (None, 200))
            seen = [int(seen["line"].split()[1][1:]) for seen in self.upstream.requests]
            self.assertTrue(all(tokens[number] == good for number in seen), seen)
            self.upstream.requests.clear()

    def test_a_request_in_a_body_is_not_a_request(self):
        inner = (f"GET /inner HTTP/1.1\r\nhost: test\r\nauthorization: Bearer "
                 f"{self.torii.token()}\r\n\r\n").encode()
        self.refused(self.envoy.get(headers=bearer("nonsense"), body=inner))

    # ---- other kinds of requests

    def test_trailers(self):
        def send(token):
            with self.envoy.connect() as connection:
                connection.request(method="POST", headers=[
                    ("authorization", f"Bearer {token}"), ("transfer-encoding", "chunked"),
                    ("trailer", "x-sum")])
                connection.send(b"4\r\nbody\r\n")
                try:
                    connection.send(b"0\r\nx-sum: 1\r\nx-user-id: admin\r\n\r\n")
                except BrokenPipeError:
                    pass
                return connection.answer()

        answer = send(self.torii.token())
        self.assertEqual((answer.status, answer.json["length"]), (200, 4))
        self.assertIn(["x-sum", "1"], answer.json["trailers"])
        self.upstream.requests.clear()
        self.refused(send("nonsense"))

    def test_websockets(self):
        upgrade = [("connection", "upgrade"), ("upgrade", "websocket"),
                   ("sec-websocket-version", "13"), ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==")]
        with self.envoy.connect() as connection:
            connection.request("/socket", upgrade + bearer(self.torii.token()))
            self.assertEqual(connection.answer().status, 101)
            connection.send(b"hello")
            self.assertEqual(connection.reader.read(5), b"hello")
        self.upstream.requests.clear()
        for headers in (upgrade, upgrade + bearer("nonsense")):
            with self.envoy.connect() as connection:
                connection.request("/socket", headers)
                self.refused(connection.answer())

    def curl(self, token, *arguments, path="/"):
        """Over HTTP/2. Gives the status, the headers and the body. Answers that Envoy sends before it has
        read the body, curl may drop when the stream is reset; the status is None then."""
        command = ["curl", "-s", "-i", "--http2-prior-knowledge", "--unix-socket",
                   self.envoy.paths[0], "-H", f"authorization: Bearer {token}", *arguments,
                   "http://test" + path]
        ended = subprocess.run(command, stdout=subprocess.PIPE)
        if ended.returncode == 92 and "-d" in arguments:
            return None, "", ""
        self.assertEqual(ended.returncode, 0)
        text = ended.stdout.decode()
        head, _, body = text.partition("\r\n\r\n")
        self.assertTrue(head.startswith("HTTP/2 "), text)
        return int(head.split()[1]), head.lower(), body

    def test_http_2(self):
        good = self.torii.token(claims={"sub": "user-2"})
        for arguments in ([], ["-d", "x" * 1_000]):
            status, _, body = self.curl(good, "-H", "x-user-id: admin", *arguments)
            self.assertEqual(status, 200)
            self.assertIn(["x-user-id", "user-2"], json.loads(body)["headers"])
            self.upstream.requests.clear()
            for token, more in (("nonsense", []), (good, ["-H", f"authorization: Bearer {good}"])):
                status, head, _ = self.curl(token, *more, *arguments)
                self.assertIn(status, (401,) if not arguments else (401, None))
                self.assertTrue(status is None or "www-authenticate: bearer realm" in head)
            self.assertEqual(self.upstream.requests, [])

    def test_grpc_is_answered_in_its_own_way(self):
        """A refusal is never taken for a call that went well."""
        unverified = self.torii.token(claims={"email_verified": False})
        for path, token, code in (("/", "nonsense", 16), ("/strict", unverified, 7)):
            status, head, _ = self.curl(token, "-H", "content-type: application/grpc+proto",
                                        "-X", "POST", path=path)
            self.assertEqual(status, 200)
            self.assertEqual([line for line in head.splitlines() if "grpc-status" in line],
                             [f"grpc-status: {code}"])
        self.assertEqual(self.upstream.requests, [])

    # ---- statistics

    def test_statistics(self):
        def grown(work):
            before = self.envoy.stats()
            work()
            after = self.envoy.stats()
            grown = {name: after[name] - before.get(name, 0) for name in after}
            # Without the library's metrics, which are updated once a second.
            return {name: count for name, count in grown.items() if count and COUNTED.match(name)}

        good = bearer(self.torii.token())
        self.assertEqual(grown(lambda: self.envoy.get(headers=good)), {"torii_accepted": 1})
        self.assertEqual(grown(lambda: self.envoy.get("/off")), {"torii_anonymous": 1})
        for headers, reason in (([], "token_missing"), (bearer("x"), "token_malformed"),
                                (bearer(self.torii.token(expires_in=-60)), "token_expired")):
            self.assertEqual(grown(lambda: self.envoy.get(headers=headers)),
                             {f"torii_refused.reason.{reason}": 1})
        headers = bearer(self.torii.token(claims={"email_verified": False}))
        self.assertEqual(grown(lambda: self.envoy.get("/strict", headers)),
                         {"torii_refused.reason.policy": 1})


if __name__ == "__main__":
    unittest.main()

"""Access control on every path a request takes through nginx."""

import os
import re
import subprocess
import unittest

from harness import Case, Client, ask, eventually, free_port

SECRET = "secret of the location"


class Access(Case):
    @classmethod
    def config(cls):
        cls.server_port, cls.http2_port = free_port(), free_port()
        os.makedirs(f"/tmp/torii-nginx-{os.getpid()}", exist_ok=True)
        files = cls.files = f"/tmp/torii-nginx-{os.getpid()}"
        for name, text in {"file.txt": SECRET, "public.html": '<!--# include virtual="/file.txt" -->',
                           "login.html": "log in here", "big": "x" * 1_000_000,
                           "passwd": "ada:{PLAIN}lovelace\n"}.items():
            with open(f"{files}/{name}", "w") as file:
                file.write(text)
        locations = f"""
            root {files};
            location = / {{ torii on; proxy_pass http://backend; }}
            location /return {{ torii on; return 200 "{SECRET} $torii_user_id"; }}
            location /redirect {{ torii on; return 302 /elsewhere; }}
            location /status {{ torii on; return 404; }}
            location /empty {{ torii on; return 204; }}
            location /if {{
                torii on;
                if ($arg_x) {{ return 200 "{SECRET}"; }}
                root {files};
                rewrite ^ /file.txt break;
            }}
            location /last {{ torii on; rewrite ^ /return last; }}
            location /out {{ torii on; rewrite ^ /free last; }}
            location /in {{ rewrite ^ /return last; }}
            location /free {{ return 200 "free [$torii_user_id][$torii_status]"; }}
            location /try {{ try_files /nowhere /file.txt; }}
            location /named {{ try_files /nowhere @named; }}
            location @named {{ torii on; return 200 "{SECRET}"; }}
            location /passed {{ torii on; try_files /nowhere @free; }}
            location @free {{ return 200 "free [$torii_user_id]"; }}
            location = /file.txt {{ torii on; }}
            location /accel {{ proxy_set_header X-Want-Accel /file.txt; proxy_pass http://backend; }}
            location /body {{ torii on; client_max_body_size 8m; proxy_pass http://backend; }}
            location /index/ {{ torii on; alias {files}/; index public.html; }}

            location /login {{ torii on; error_page 401 = @login; return 200 "{SECRET}"; }}
            location @login {{ return 303 /login.html; }}
            location /page {{ torii on; error_page 401 /login.html; proxy_pass http://backend; }}
            location = /login.html {{ }}
            location /away {{ torii on; error_page 401 =302 https://login.example.com/; return 200 "{SECRET}"; }}
            location /busy {{ error_page 404 = @protected; return 404; }}
            location @protected {{ torii on; return 200 "{SECRET}"; }}

            location /any/address {{ torii on; satisfy any; allow 127.0.0.1; deny all; root {files};
                                     rewrite ^ /file.txt break; }}
            location /any/denied {{ torii on; satisfy any; deny all; root {files};
                                    rewrite ^ /file.txt break; }}
            location /any/basic {{ torii on; satisfy any; auth_basic closed; auth_basic_user_file {files}/passwd;
                                   root {files}; rewrite ^ /file.txt break; }}
            location /any/return {{ torii on; satisfy any; allow 127.0.0.1; return 200 "{SECRET}"; }}
            location /any/policy {{ torii on; torii_require email_verified; satisfy any; deny all;
                                    root {files}; rewrite ^ /file.txt break; }}
            location /all/denied {{ torii on; deny all; root {files}; rewrite ^ /file.txt break; }}

            location /sub/auth {{ auth_request /auth; auth_request_set $who $torii_user_id;
                                  proxy_set_header X-Who $who; proxy_pass http://backend; }}
            location = /auth {{ internal; torii on; return 204; }}
            location /sub/ssi {{ ssi on; alias {files}/public.html; default_type text/html; }}
            location /sub/mirror {{ torii on; mirror /mirror; proxy_pass http://backend; }}
            location = /mirror {{ internal; proxy_set_header X-Who $torii_user_id;
                                  proxy_pass http://mirror; }}

            location /optional {{ torii optional; return 200 "[$torii_user_id][$torii_status]"; }}
            location /policy {{ torii on; torii_require email_verified not_impersonated;
                                return 200 "{SECRET}"; }}
            location /policy/none {{ torii on; torii_require off; return 200 "{SECRET}"; }}
            location /method {{ limit_except OPTIONS {{ torii on; }} proxy_pass http://backend; }}

            location /claims {{
                torii on;
                torii_require email_verified;
                torii_require_claim /plan '"pro"';
                torii_require_claim /limits/seats 3;
                location /claims/other {{ torii_require_claim /plan '"free"'; return 200 "{SECRET}"; }}
                location /claims/none {{ torii_require_claim off; return 200 "{SECRET}"; }}
                location /claims/all {{ torii_require off; torii_require_claim off; return 200 "{SECRET}"; }}
                return 200 "{SECRET}";
            }}
            location /organization {{
                torii on;
                torii_require_organization org-1;
                torii_require_organization org-2 admin;
                location /organization/any {{ torii_require organization; torii_require_organization off;
                                              return 200 "{SECRET}"; }}
                return 200 "{SECRET}";
            }}
            location /optional/required {{ torii optional; torii_require_claim /plan '"pro"'; return 200 "{SECRET}"; }}

            location /forward/on {{ torii on; torii_cookie session; proxy_pass http://backend;
                                    location /forward/on/header {{ torii_cookie ""; proxy_pass http://backend; }} }}
            location /forward/off {{
                torii on;
                torii_cookie session;
                torii_forward_token off;
                location /forward/off/header {{ torii_header X-Access-Token; proxy_pass http://backend; }}
                location /forward/off/accel {{ proxy_set_header X-Want-Accel /return; proxy_pass http://backend; }}
                location /forward/off/again {{ proxy_set_header X-Want-Accel /body; proxy_pass http://backend; }}
                location /forward/off/auth {{ auth_request /auth; proxy_pass http://backend; }}
                location /forward/off/ssi {{ ssi on; alias {files}/public.html; default_type text/html; }}
                location /forward/off/open {{ torii off; proxy_pass http://backend; }}
                location /forward/off/satisfied {{ satisfy any; allow 127.0.0.1; proxy_pass http://backend; }}
                proxy_pass http://backend;
            }}
            location /cookie {{ torii on; torii_token $cookie_session; return 200 "{SECRET}"; }}
            location /argument {{ torii on; torii_token $arg_token; return 200 "{SECRET}"; }}
            location /nested {{
                torii on;
                torii_audience shop;
                location /nested/other {{ torii_audience desk; return 200 "{SECRET}"; }}
                location /nested/off {{ torii off; return 200 "free"; }}
                return 200 "{SECRET}";
            }}
        """
        return f"""
            torii_issuer {cls.emulator.issuer};
            underscores_in_headers off;
            large_client_header_buffers 4 64k;
            upstream backend {{ server 127.0.0.1:{cls.backend.port}; }}
            upstream mirror {{ server 127.0.0.1:{cls.backend.port}; }}
            server {{ listen 127.0.0.1:{cls.port}; {locations} }}
            server {{ listen 127.0.0.1:{cls.http2_port} http2; {locations} }}
            server {{
                listen 127.0.0.1:{cls.server_port};
                torii on;
                if ($arg_x) {{ return 200 "{SECRET}"; }}
                if ($arg_r) {{ return 301 https://$host/; }}
                if ($arg_n) {{ return 204; }}
                if ($arg_u) {{ return 200 "$torii_user_id"; }}
                location / {{ return 200 "{SECRET}"; }}
                location /open {{ torii off; return 200 "free [$torii_user_id][$torii_status]"; }}
                location /moved {{ torii off; try_files /nowhere /open; }}
                location /own {{ torii_require not_impersonated; return 200 "$torii_user_id"; }}
            }}
        """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = "0190c7a0-0000-7000-8000-000000000001"
        cls.good = cls.emulator.token(claims={"sub": cls.user})
        cls.bad = cls.emulator.token(signer="forged")

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        for name in os.listdir(cls.files):
            os.unlink(f"{cls.files}/{name}")
        os.rmdir(cls.files)

    def closed(self, path, port=None, **how):
        """Without a valid token the answer is a refusal, and nothing else."""
        for token in (None, self.bad, "x"):
            answer = ask(port or self.port, path, token, **how)
            self.refused(answer)
            self.assertNotIn(SECRET, answer.text)
        return ask(port or self.port, path, self.good, **how)

    def test_proxied(self):
        self.assertEqual(self.closed("/").status, 200)

    def test_return(self):
        self.assertEqual(self.closed("/return").text, f"{SECRET} {self.user}")
        self.assertEqual(self.closed("/redirect").status, 302)
        self.assertEqual(self.closed("/status").status, 404)
        self.assertEqual(self.closed("/empty").status, 204)

    def test_return_of_a_server(self):
        self.assertEqual(self.closed("/?x=1", self.server_port).text, SECRET)
        self.assertEqual(self.closed("/?r=1", self.server_port).status, 301)
        self.assertEqual(self.closed("/?n=1", self.server_port).status, 204)
        self.assertEqual(self.closed("/", self.server_port).text, SECRET)
        # The server's own rules come before it is known which location there will be.
        self.assertEqual(self.closed("/open?x=1", self.server_port).text, SECRET)
        self.assertEqual(self.closed("/?u=1", self.server_port).text, self.user)
        self.assertEqual(self.closed("/own", self.server_port).text, self.user)
        odd = self.emulator.token(claims={"impersonating": True})
        self.assertEqual(ask(self.server_port, "/?x=1", odd).text, SECRET)
        self.refused(ask(self.server_port, "/own", odd), 403)
        # A location that looks at no token ignores the identity that the server level found.
        for token in (None, self.bad, self.good):
            for path in ("/open", "/moved"):
                self.assertEqual(ask(self.server_port, path, token).text, "free [][]")

    def test_a_refused_return_keeps_the_connection(self):
        with Client(self.server_port) as client:
            for token, status in ((self.bad, 401), (self.good, 200), (None, 401), (self.good, 200)):
                client.send("/?x=1", token)
                self.assertEqual(client.receive().status, status)

    def test_a_malformed_request_is_still_a_bad_request(self):
        with Client(self.server_port) as client:
            client.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
            self.assertEqual(client.receive().status, 400)

    def test_if(self):
        self.assertEqual(self.closed("/if?x=1").text, SECRET)
        self.assertEqual(self.closed("/if").text, SECRET)

    def test_rewrite(self):
        self.assertEqual(self.closed("/last").text, f"{SECRET} {self.user}")
        self.assertEqual(self.closed("/in").text, f"{SECRET} {self.user}")
        # A guarded location is guarded, wherever it sends its requests.
        self.assertEqual(self.closed("/out").text, f"free [{self.user}][TORII_OK]")

    def test_internal_redirects(self):
        for path in ("/try", "/named", "/accel", "/busy"):
            self.assertIn(SECRET, self.closed(path).text)
        self.assertIn("include", self.closed("/index/").text)

    def test_the_identity_survives_an_internal_redirect(self):
        self.assertEqual(self.closed("/passed").text, f"free [{self.user}]")

    def test_an_unguarded_location_looks_at_no_token(self):
        self.assertEqual(self.ask("/free", self.good).text, "free [][]")

    def test_error_page(self):
        for token in (None, self.bad):
            answer = self.ask("/login", token)
            self.assertEqual((answer.status, answer.header("location")),
                             (303, f"http://edge:{self.port}/login.html"))
            self.assertIsNone(answer.header("www-authenticate"))
            answer = self.ask("/page", token)
            self.assertEqual((answer.status, answer.text), (401, "log in here"))
            self.assertIn("Bearer", answer.header("www-authenticate"))
            answer = self.ask("/away", token)
            self.assertEqual((answer.status, answer.header("location")),
                             (302, "https://login.example.com/"))
        for path in ("/login", "/page", "/away"):
            self.assertEqual(self.ask(path, self.good).status, 200)

    def test_satisfy_any(self):
        for token in (None, self.bad, self.good):
            self.assertEqual(self.ask("/any/address", token).text, SECRET)
        self.assertEqual(self.closed("/any/denied").text, SECRET)
        unverified = self.emulator.token(claims={"email_verified": False})
        self.refused(self.ask("/any/policy", unverified), 403)
        # An address that is allowed does not matter to a "return", which asks no access handler.
        self.assertEqual(self.closed("/any/return").text, SECRET)

    def test_satisfy_any_with_a_password(self):
        basic = [("Authorization", "Basic YWRhOmxvdmVsYWNl")]
        for answer in (self.ask("/any/basic", self.good), self.ask("/any/basic", headers=basic)):
            self.assertEqual((answer.status, answer.text), (200, SECRET))
            self.assertIsNone(answer.header("www-authenticate"))
        answer = self.ask("/any/basic", self.bad)
        self.assertEqual(answer.status, 401)
        challenges = [value.split()[0] for name, value in answer.headers if name == "www-authenticate"]
        self.assertEqual(sorted(challenges), ["Basic", "Bearer"])

    def test_satisfy_all(self):
        self.refused(self.ask("/all/denied", self.bad))
        self.assertEqual(self.ask("/all/denied", self.good).status, 403)

    def test_subrequest_that_decides(self):
        # The request itself is refused by ngx_http_auth_request_module, with its page.
        for token in (None, self.bad):
            answer = self.ask("/sub/auth", token)
            self.assertEqual(answer.status, 401)
            self.assertTrue(answer.header("www-authenticate").startswith("Bearer"))
        answer = self.ask("/sub/auth", self.good)
        self.assertIn(["x-who", self.user], answer.json["headers"])

    def test_subrequest_that_is_included(self):
        # The page is open, what it includes is not.
        for token in (None, self.bad):
            answer = self.ask("/sub/ssi", token)
            self.assertEqual(answer.status, 200)
            self.assertNotIn(SECRET, answer.text)
        self.assertIn(SECRET, self.ask("/sub/ssi", self.good).text)

    def test_mirrored(self):
        self.backend.seen.clear()
        self.assertEqual(self.closed("/sub/mirror").status, 200)
        eventually(lambda: len(self.backend.seen) == 2)
        # The copy's location verifies nothing; its variables are those of the request.
        self.assertEqual(dict(self.backend.seen)["/mirror"].get("x-who"), self.user)

    def test_optional(self):
        self.assertEqual(self.ask("/optional").text, "[][TORII_ERR_TOKEN_MISSING]")
        self.assertEqual(self.ask("/optional", self.good).text, f"[{self.user}][TORII_OK]")
        self.refused(self.ask("/optional", self.bad))

    def test_requirements(self):
        self.assertEqual(self.closed("/policy").text, SECRET)
        unverified = self.emulator.token(claims={"email_verified": False})
        self.refused(self.ask("/policy", unverified), 403)
        self.refused(self.ask("/policy", self.emulator.token(claims={"impersonating": True})), 403)
        self.assertEqual(self.ask("/policy/none", unverified).text, SECRET)

    def test_required_claims(self):
        def status(path, **claims):
            return self.ask(path, self.emulator.token(claims={"email_verified": True, **claims})).status

        pro = {"plan": "pro", "limits": {"seats": 3}}
        self.assertEqual(status("/claims", **pro), 200)
        self.assertEqual(status("/claims", plan=["free", "pro"], limits={"seats": 3.0}), 200)
        for claims in ({**pro, "email_verified": False}, {**pro, "plan": "free"}, {**pro, "limits": {"seats": 4}},
                       {**pro, "limits": {"seats": "3"}}, {"plan": "pro"}, {}):
            self.assertEqual(status("/claims", **claims), 403, claims)
        # Each directive is inherited by itself.
        self.assertEqual(status("/claims/other", plan="free"), 200)
        self.assertEqual(status("/claims/other", plan="free", email_verified=False), 403)
        self.assertEqual(status("/claims/other", **pro), 403)
        self.assertEqual(status("/claims/none"), 200)
        self.assertEqual(status("/claims/none", email_verified=False), 403)
        self.assertEqual(status("/claims/all", email_verified=False), 200)

    def test_required_organizations(self):
        def status(path, o):
            return self.ask(path, self.emulator.token(claims={"o": o})).status

        for o, one, any_one in (("org-1", 200, 200), ({"id": "org-1", "rol": "member"}, 200, 200),
                                ({"id": "org-2", "rol": "admin"}, 200, 200), ("org-2", 403, 200),
                                ({"id": "org-2", "rol": "member"}, 403, 200), ("org-3", 403, 200),
                                ({"rol": "admin"}, 403, 403), (None, 403, 403)):
            self.assertEqual((status("/organization", o), status("/organization/any", o)), (one, any_one), o)

    def test_no_request_passes_a_requirement(self):
        self.refused(self.ask("/optional/required"))
        self.assertEqual(self.ask("/optional/required", self.emulator.token(claims={"plan": "pro"})).text, SECRET)

    def test_the_token_is_not_forwarded(self):
        cookie = [("Cookie", f"a=b; session={self.good}; c=d")]
        other = [("X-Access-Token", f"Bearer {self.good}")]

        def sees(path, *names, **how):
            answer = self.ask(path, **how)
            self.assertEqual(answer.status, 200, answer.body)
            headers = dict(answer.json["headers"])
            return tuple(headers.get(name) for name in names)

        bearer = f"Bearer {self.good}"
        names = ("authorization", "cookie")
        self.assertEqual(sees("/forward/on", *names, token=self.good, headers=cookie), (bearer, cookie[0][1]))
        self.assertEqual(sees("/forward/off", *names, token=self.good, headers=cookie), (None, "a=b; c=d"))
        self.assertEqual(sees("/forward/off", *names, headers=cookie), (None, "a=b; c=d"))
        self.assertEqual(sees("/forward/off", *names, headers=[("Cookie", f"session={self.good}")]), (None, None))
        self.assertEqual(sees("/forward/off", *names, token=self.good), (None, None))
        many = ";".join(f"c{n}={n}" for n in range(1000))
        self.assertEqual(sees("/forward/off", *names, headers=[("Cookie", f"{many};session={self.good};{many}")]),
                         (None, f"{many};{many}".replace(";", "; ")))
        # The other headers arrive, and the body.
        answer = self.ask("/forward/off", self.good, method="POST", body=b"x" * 10, headers=[("X-Other", "1")])
        self.assertEqual((answer.json["length"], dict(answer.json["headers"])["x-other"]), (10, "1"))
        # Only what torii reads is read, and removed.
        self.refused(self.ask("/forward/on/header", headers=cookie))
        self.assertEqual(sees("/forward/off/header", "x-access-token", "authorization", token="x", headers=other),
                         (None, "Bearer x"))
        self.assertEqual(sees("/forward/off/open", "authorization", token=self.good), (bearer,))
        # An invalid token is not forwarded either.
        self.assertEqual(sees("/forward/off/satisfied", "authorization", token=self.bad), (None,))

    def test_a_token_that_is_not_forwarded_is_known_to_other_locations(self):
        self.assertEqual(self.closed("/forward/off/accel").text, f"{SECRET} {self.user}")
        headers = dict(self.closed("/forward/off/again").json["headers"])
        self.assertEqual(headers["authorization"], f"Bearer {self.good}")
        self.assertEqual(self.closed("/forward/off/auth").status, 200)
        self.assertIn(SECRET, self.ask("/forward/off/ssi", self.good).text)

    def test_methods(self):
        self.assertEqual(self.closed("/method").status, 200)
        self.assertEqual(self.closed("/method", method="POST", body=b"x").status, 200)
        self.assertNotEqual(self.ask("/method", method="OPTIONS").status, 401)

    def test_other_places_for_the_token(self):
        for place in (lambda t: ("/cookie", [("Cookie", f"a=b; session={t}")]),
                      lambda t: (f"/argument?token={t}", [])):
            for token, status in ((self.good, 200), (self.bad, 401), ("", 401)):
                path, headers = place(token)
                self.assertEqual(self.ask(path, headers=headers).status, status)
        # There only the bare token counts, and the header not at all.
        self.refused(self.ask("/cookie", headers=[("Cookie", f"session=Bearer {self.good}")]))
        self.refused(self.ask("/cookie", self.good))

    def test_merging(self):
        shop, desk = (self.emulator.token(claims={"aud": aud}) for aud in ("shop", "desk"))
        self.assertEqual(self.ask("/nested", shop).text, SECRET)
        self.refused(self.ask("/nested", desk))
        self.assertEqual(self.ask("/nested/other", desk).text, SECRET)
        self.refused(self.ask("/nested/other", shop))
        self.assertEqual(self.ask("/nested/off").text, "free")

    def test_bodies(self):
        big = b"x" * 5_000_000
        for chunked in (False, True):
            for body in (b"x", big):
                answer = self.ask("/body", self.good, method="POST", body=body, chunked=chunked)
                self.assertEqual((answer.status, answer.json["length"]), (200, len(body)))
            self.refused(self.ask("/body", self.bad, method="POST", body=b"x", chunked=chunked))
            # A body that is not wanted is read to its end: the next request is understood.
            with Client(self.port) as client:
                client.send("/return", self.bad, method="POST", body=b"x" * 100_000, chunked=chunked)
                client.send("/return", self.good)
                self.refused(client.receive())
                self.assertEqual(client.receive().status, 200)

    def test_duplicated_authorization(self):
        for first, second in ((self.good, self.bad), (self.bad, self.good), (self.good, self.good)):
            answer = self.ask("/return", headers=[("Authorization", f"Bearer {first}"),
                                                  ("authorization", f"Bearer {second}")])
            self.assertEqual(answer.status, 400)
            self.assertNotIn(SECRET, answer.text)

    def test_spelling_of_the_header(self):
        for scheme in ("Bearer", "bearer", "BEARER", "bEaReR"):
            for blank in (" ", "   ", "\t"):
                value = f"{scheme}{blank}{self.good}"
                self.assertEqual(self.ask("/return", headers=[("Authorization", value)]).status, 200)
                value = f"{scheme}{blank}{self.bad}"
                self.refused(self.ask("/return", headers=[("Authorization", value)]))
        for value in (self.good, f"Bearer{self.good}", f"Bearer, {self.good}", f"Bearers {self.good}",
                      f"Basic {self.good}", f"Bearer {self.good},", f"Bearer {self.good} {self.good}",
                      f"Bearer Bearer {self.good}", "Bearer", "", "Bearer \xa0"):
            self.refused(self.ask("/return", headers=[("Authorization", value)]))

    def test_big_headers(self):
        self.refused(self.ask("/return", self.good + "A" * 20_000))
        self.assertEqual(self.ask("/return", self.good, headers=[("X-Big", "x" * 60_000)]).status, 200)
        self.assertEqual(self.ask("/return", self.good + "A" * 200_000).status, 400)

    def test_pipelining(self):
        with Client(self.port) as client:
            tokens = [self.good, self.bad, None, self.good, self.bad] * 10
            for token in tokens:
                client.send("/return", token)
            for token in tokens:
                answer = client.receive()
                self.assertEqual(answer.status, 200 if token == self.good else 401)
                self.assertEqual(SECRET in answer.text, token == self.good)

    def test_old_versions_of_http(self):
        for port, path in ((self.port, "/return"), (self.port, "/any/return"), (self.server_port, "/?x=1"),
                           (self.port, "/file.txt")):
            for request in (f"GET {path}\r\n", f"GET {path} HTTP/1.0\r\n\r\n"):
                with Client(port) as client:
                    client.socket.sendall(request.encode())
                    found = client.file.read().decode()
                self.assertTrue(found.endswith('"}}') and "authentication_failed" in found, found)
                self.assertNotIn(SECRET, found)

    def test_head(self):
        answer = self.ask("/return", self.bad, method="HEAD")
        self.assertEqual((answer.status, answer.body), (401, b""))
        self.assertEqual(answer.header("content-type"), "application/json")

    def test_challenges(self):
        bare = 'Bearer realm="torii"'
        self.assertEqual(self.ask("/return").header("www-authenticate"), bare)
        basic = [("Authorization", "Basic YWRhOmxvdmVsYWNl")]
        self.assertEqual(self.ask("/return", headers=basic).header("www-authenticate"), bare)
        expired = self.ask("/return", self.emulator.token(expires_in=-60))
        self.assertEqual(expired.header("www-authenticate"), f'{bare}, error="invalid_token"')
        # The reason of a refusal is for the log.
        self.assertNotRegex(expired.json["error"]["message"], r"\d|`")
        eventually(lambda: "TORII_ERR_TOKEN_EXPIRED, claim `exp`" in self.nginx.read_log())
        unmet = self.ask("/policy", self.emulator.token(claims={"email_verified": False}))
        self.assertEqual(unmet.header("www-authenticate"), f'{bare}, error="insufficient_scope"')

    def curl(self, *arguments):
        done = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "--max-time", "20",
                               "-w", "\n%{http_code} %{http_version}", *arguments],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        body, _, status = done.stdout.rpartition("\n")
        code, version = status.split()
        self.assertEqual(version, "2")
        return int(code), body

    def test_http2(self):
        url = f"http://127.0.0.1:{self.http2_port}"
        for path in ("/return", "/body", "/last", "/try", "/any/return", "/sub/auth"):
            for token, status in ((self.good, 200), (self.bad, 401)):
                code, body = self.curl(url + path, "-H", f"Authorization: Bearer {token}")
                self.assertEqual(code, status, path)
                if status == 401 and path != "/sub/auth":
                    self.assertIn('{"error":{"code":"authentication_failed"', body)
            code, body = self.curl(url + path, "-H", f"Authorization: Bearer {self.good}",
                                   "-H", f"Authorization: Bearer {self.good}")
            self.assertEqual(code, 400)
        # HTTP/2 splits cookies into fields of their own.
        for cookies, status in ((["a=b", f"session={self.good}"], 200), ([f"session={self.bad}"], 401),
                                ([f"session={self.good}", f"session={self.good}"], 401)):
            fields = [argument for cookie in cookies for argument in ("-H", f"Cookie: {cookie}")]
            self.assertEqual(self.curl(f"{url}/forward/off", *fields)[0], status)

    def test_http2_body(self):
        # curl gives up when it is answered before its body was read.
        for token, status in ((self.good, 200), (self.bad, 401)):
            done = subprocess.run(["nghttp", "-v", "-H", f"Authorization: Bearer {token}",
                                   "-d", f"{self.files}/big",
                                   f"http://127.0.0.1:{self.http2_port}/body"],
                                  capture_output=True, text=True)
            self.assertEqual(re.findall(r":status: (\d+)", done.stdout), [str(status)])
            self.assertEqual('"length": 1000000' in done.stdout, status == 200)


if __name__ == "__main__":
    unittest.main()

"""The variables, and the headers for backends."""

import json
import unittest

from harness import Case, ask, free_port, quoted

NAMES = ("user_id", "environment_id", "organization_id", "organization_role", "actor_id", "locale",
         "email_verified", "profile_complete", "impersonating", "claims", "status", "claim_iss", "claim_exp",
         "claim_plan", "claim_admin", "claim_groups", "claim_tenantid", "claim_none", "claim_nothing", "claim_o")

POINTERS = {"tenant": "/tenantId", "role": "/https:~1~1example.com~1role", "seats": "/limits/seats", "group": "/groups/1/b",
            "nowhere": "/limits/none/at/all", "nothing": "/none"}


class Variables(Case):
    @classmethod
    def config(cls):
        cls.underscores_port = free_port()
        lines = "".join(f"torii_{name}=$torii_{name}\\n" for name in NAMES)
        identity = ("proxy_set_header X-User $torii_user_id; proxy_set_header X-Name $torii_claim_name;"
                    "proxy_set_header X-Claims $torii_claims;")
        claims = ""
        for name, pointer in POINTERS.items():
            lines += f"{name}=${name}\\n"
            claims += f"torii_claim ${name} {quoted(pointer)};\n"
        return f"""
            torii_issuer {cls.emulator.issuer};
            {claims}
            server {{
                listen 127.0.0.1:{cls.port};
                location /all {{ torii optional; return 200 "{lines}"; }}
                location /off {{ return 200 "{lines}"; }}
                location /edge {{ torii optional; {identity}
                                  proxy_pass http://127.0.0.1:{cls.backend.port}; }}
                location /header {{ torii on; add_header X-Name $torii_claim_name always;
                                    add_header X-Claims $torii_claims always; return 200; }}
            }}
            server {{
                listen 127.0.0.1:{cls.underscores_port};
                underscores_in_headers on;
                location / {{ torii optional; {identity} proxy_set_header X_User "";
                              proxy_pass http://127.0.0.1:{cls.backend.port}; }}
            }}
        """

    def variables(self, path="/all", token=None):
        answer = self.ask(path, token)
        self.assertEqual(answer.status, 200, answer.body)
        return dict(line.split("=", 1) for line in answer.text.splitlines())

    def test_without_a_user(self):
        empty = dict.fromkeys([*(f"torii_{name}" for name in NAMES), *POINTERS], "")
        self.assertEqual(self.variables("/off"), empty)
        self.assertEqual(self.variables("/all"), {**empty, "torii_status": "TORII_ERR_TOKEN_MISSING"})

    def test_of_a_user(self):
        claims = {"sub": "user-1", "locale": "de-AT", "email_verified": False, "plan": "größe \"L\"",
                  "admin": True, "groups": ["a", {"b": "} ]"}], "tenantId": 1.50, "TenantID": 2,
                  "https://example.com/role": "owner", "none": None, "o": {"id": "org-1", "rol": "admin"},
                  "act": {"sub": "user-9"}, "limits": {"seats": 1e2}}
        token = self.emulator.token(claims=claims)
        found = self.variables("/all", token)
        whole = json.loads(found.pop("torii_claims"))
        self.assertEqual({k: whole[k] for k in claims}, claims)
        self.assertEqual({name.removeprefix("torii_"): value for name, value in found.items()}, {
            "user_id": "user-1", "environment_id": self.emulator.environment_id,
            "organization_id": "org-1", "organization_role": "admin", "actor_id": "user-9", "locale": "de-AT",
            "email_verified": "false", "profile_complete": "true", "impersonating": "true", "status": "TORII_OK",
            "claim_iss": self.emulator.issuer, "claim_exp": str(whole["exp"]),
            "claim_plan": "größe \"L\"", "claim_admin": "true", "claim_groups": '["a",{"b":"} ]"}]',
            "claim_tenantid": "", "claim_none": "", "claim_nothing": "", "claim_o": '{"id":"org-1","rol":"admin"}',
            "tenant": "1.5", "role": "owner", "seats": "100.0", "group": "} ]", "nowhere": "", "nothing": ""})

    def test_impersonation_by_either_claim(self):
        for claims, found in (({"act": {"sub": "user-9"}}, ("user-9", "true")), ({"act": "user-9"}, ("user-9", "true")),
                              ({"impersonating": True}, ("", "true")), ({"act": {}}, ("", "true")),
                              ({"act": None}, ("", "false")), ({}, ("", "false"))):
            token = self.emulator.token(claims=claims, without=[c for c in ("act", "impersonating") if c not in claims])
            variables = self.variables("/all", token)
            self.assertEqual((variables["torii_actor_id"], variables["torii_impersonating"]), found, claims)

    def raw(self, payload):
        now = self.variables("/all", self.emulator.token())["torii_claim_exp"]
        members = (f'"iss":"{self.emulator.issuer}","sub":"user-1","pid":"p","iat":{int(now) - 300},'
                   f'"exp":{now}')
        return self.emulator.token(raw_payload=payload.replace("STANDARD", members))

    def test_json_in_other_spellings(self):
        token = self.raw('\n{\t"pl\\u0061n" : "tes\\u0074" ,\r\n STANDARD , "groups" : [ 1,\n"\\"]" ] ,'
                         '"admin":\n-1.5e3\n}')
        found = self.variables("/all", token)
        self.assertEqual(found["torii_claim_groups"], '[ 1, "\\"]" ]')
        self.assertEqual(found["torii_claim_plan"], "test")
        self.assertEqual(found["torii_claim_admin"], "-1.5e3")
        self.assertEqual(found["torii_user_id"], "user-1")
        # Line ends between the tokens are blanks now, and nothing else is different.
        self.assertTrue(found["torii_claims"].startswith('{ "pl\\u0061n" : "tes\\u0074" ,'))
        self.assertEqual(json.loads(found["torii_claims"])["groups"], [1, '"]'])

    def test_no_header_is_torn_apart(self):
        for evil in ("ada\r\nX-Evil: 1", "ada\nX-Evil: 1", "ada\x7f", "ada\u0000x", "\tada"):
            token = self.emulator.token(claims={"name": evil})
            answer = self.ask("/header", token)
            self.assertEqual((answer.status, answer.header("x-evil"), answer.header("x-name")),
                             (200, None, None))
            self.assertEqual(json.loads(answer.header("x-claims"))["name"], evil)
            headers = dict(self.ask("/edge", token).json["headers"])
            self.assertNotIn("x-evil", headers)
            self.assertNotIn("x-name", headers)
        pretty = self.raw('{\r\nSTANDARD,\r\n"x":1\r\n}')
        self.assertEqual(json.loads(self.ask("/header", pretty).header("x-claims"))["x"], 1)

    def test_blanks_around_a_value(self):
        """A header loses them, and so the value might be another user's: nothing is forwarded."""
        for name in (" ada", "ada ", " ", "  ada  "):
            token = self.emulator.token(claims={"sub": "user-1", "name": name})
            headers = dict(self.ask("/edge", token).json["headers"])
            self.assertEqual((headers.get("x-name"), headers["x-user"]), (None, "user-1"))
            token = self.emulator.token(claims={"sub": name, "name": "ada lovelace"})
            headers = dict(self.ask("/edge", token).json["headers"])
            self.assertEqual((headers.get("x-user"), headers["x-name"]), (None, "ada lovelace"))

    def test_a_user_cannot_name_himself(self):
        """Headers that clients send under the names of identity headers never reach the backend."""
        lies = [("X-User", "root"), ("x-user", "root"), ("X_User", "root"), ("X-NAME", "root"),
                ("X-Claims", "{}")]
        for port in (self.port, self.underscores_port):
            for token in (None, self.emulator.token(claims={"sub": "user-1", "name": "Ada"})):
                headers = ask(port, "/edge", token, headers=lies).json["headers"]
                about = [[k, v] for k, v in headers
                         if k.replace("_", "-") in ("x-user", "x-name", "x-claims")]
                names = [k for k, _ in about]
                if token is None:
                    self.assertEqual(about, [])
                else:
                    self.assertEqual(sorted(names), ["x-claims", "x-name", "x-user"])
                    self.assertEqual(dict(about)["x-user"], "user-1")
                self.assertNotIn("root", [v for _, v in headers])


if __name__ == "__main__":
    unittest.main()

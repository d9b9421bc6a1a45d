"""The configurations that users copy: examples/nginx as it is, and that in the README."""

import os
import re
import subprocess
import unittest

from harness import HERE, MODULE, NGINX, ROOT, Backend, Emulator, Nginx, ask, eventually, free_port


class Example(unittest.TestCase):
    def test_example(self):
        ports = {"8097": free_port(), "8098": free_port(), "8099": free_port()}
        edge, *others = ports.values()
        backend, emulator = Backend(others[0]), Emulator(others[1])
        self.addCleanup(emulator.stop)
        self.addCleanup(backend.stop)
        nginx = Nginx("", start=False)
        os.mkdir(f"{nginx.folder}/modules")
        os.symlink(MODULE, f"{nginx.folder}/modules/ngx_http_torii_module.so")
        # As it is, but for the ports, which another program may have.
        with open(f"{ROOT}/examples/nginx/nginx.conf") as file:
            example = file.read()
        for written, port in ports.items():
            example = example.replace(f"127.0.0.1:{written}", f"127.0.0.1:{port}")
        example = example.replace("/var/lib/nginx/torii-keys", f"{nginx.folder}/keys")
        with open(f"{nginx.folder}/example.conf", "w") as file:
            file.write(example)
        with open(nginx.log, "w") as log:
            nginx.process = subprocess.Popen(
                [NGINX, "-p", nginx.folder, "-c", f"{nginx.folder}/example.conf"],
                stdin=subprocess.DEVNULL, stderr=log)
        self.addCleanup(nginx.stop)
        nginx.ready(edge)
        good = emulator.token(claims={"sub": "user-1", "o": "org-1"})
        unverified = emulator.token(claims={"email_verified": False})
        eventually(lambda: ask(edge, "/whoami", good).status == 200)

        self.assertEqual(ask(edge, "/whoami", good).json["sub"], "user-1")
        self.assertIn('torii_tokens_total{status="TORII_OK"} ', ask(edge, "/metrics").text)
        self.assertTrue(os.path.isdir(f"{nginx.folder}/keys"))
        lies = [("X-User-Id", "root"), ("X-Organization", "root")]
        for path in ("/", "/billing/", "/shop/", "/browser-api/"):
            headers = dict(ask(edge, path, good, headers=lies).json["headers"])
            self.assertEqual((headers["x-user-id"], headers["x-organization"], headers["x-email-verified"],
                              headers["x-environment-id"], headers.get("authorization")),
                             ("user-1", "org-1", "true", emulator.environment_id, None))
        headers = dict(ask(edge, "/shop/", headers=lies).json["headers"])
        self.assertEqual([name for name in headers if name.startswith("x-")], [])
        for path in ("/", "/whoami", "/billing/", "/browser-api/"):
            self.assertEqual(ask(edge, path).status, 401)
        self.assertEqual(ask(edge, "/billing/", unverified).status, 403)
        answer = ask(edge, "/app/page")
        self.assertEqual((answer.status, answer.header("location").partition("/login")[2]),
                         (303, "?next=/app/page"))
        self.assertEqual(ask(edge, "/admin/", good).status, 403)
        admin = emulator.token(claims={"o": {"id": "org-1", "rol": "admin"}, "tenantId": "t-1", "act": {"sub": "user-9"}})
        headers = dict(ask(edge, "/admin/", admin).json["headers"])
        self.assertEqual((headers["x-tenant"], headers["x-actor-id"]), ("t-1", "user-9"))
        headers = dict(ask(edge, "/app/", headers=[("Cookie", f"app_token={good}")]).json["headers"])
        self.assertEqual((headers["x-user-id"], headers.get("cookie")), ("user-1", None))
        self.assertEqual(ask(edge, "/login").text, "Log in here.")
        self.assertEqual(ask(edge, "/browser-api/", method="OPTIONS").status, 204)


class Readme(unittest.TestCase):
    def test_snippets(self):
        with open(f"{HERE}/../README.md") as file:
            snippets = re.findall(r"```nginx\n(.*?)```", file.read(), re.DOTALL)
        self.assertEqual(len(snippets), 7)
        for snippet in snippets:
            with self.subTest(snippet):
                http = "\n".join(line for line in snippet.splitlines()
                                 if not re.match("load_module|thread_pool", line))
                if "torii_claim" in http:
                    http += "server { }"
                if "server {" not in http:
                    http = f"server {{ listen 127.0.0.1:{free_port()}; torii_issuer https://acme.torii.so; {http} }}"
                if http.lstrip().startswith("http {"):
                    http = http.strip().removeprefix("http {").removesuffix("}")
                nginx = Nginx(http, start=False)
                status, messages = nginx.test()
                self.assertEqual(status, 0, messages)


if __name__ == "__main__":
    unittest.main()

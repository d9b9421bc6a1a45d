"""Under load while keys rotate, the issuer goes down and comes back, and nginx reloads."""

import json
import os
import signal
import subprocess
import unittest

from harness import HERE, TIMEOUT, Emulator, Nginx, eventually, free_port

TURNS = 3


class Load(unittest.TestCase):
    def test_load(self):
        emulator = Emulator()
        self.addCleanup(emulator.stop)
        port = free_port()
        nginx = Nginx(f"""
            torii_issuer {emulator.issuer};
            torii_key_lifetime 1s;
            keepalive_requests 1000000;
            server {{
                listen 127.0.0.1:{port};
                add_header X-Expect $http_x_expect always;
                location / {{ torii on; return 200 "$torii_user_id"; }}
            }}
        """, threads=1).ready(port)
        self.addCleanup(nginx.stop)
        tokens = os.path.join(nginx.folder, "tokens")
        lines = []

        def add(status, n, **members):
            members = {"expires_in": 86400, **members}
            lines.extend(f"{status} {emulator.token(**members)}\n" for _ in range(n))

        def two_fetches():
            """The second was begun after what was done before, for sure."""
            seen = emulator.fetches()
            eventually(lambda: emulator.fetches() > seen + 1)

        def publish():
            with open(f"{tokens}.new", "w") as file:
                file.writelines(lines)
            os.rename(f"{tokens}.new", tokens)

        emulator.call("POST", "/issuers", {"name": "other"})
        add(200, 30)
        add(401, 5, signer="forged")
        add(401, 5, expires_in=-60)
        add(401, 5, signer="none")
        add(401, 5, claims={"iss": emulator.issuer}, signer={"issuer": "other"})
        lines.append("401 x\n")
        publish()

        wrk = subprocess.Popen(["wrk", "-t", "2", "-c", "32", "-d", "1800s", "--timeout", f"{TIMEOUT}s", "-s",
                                f"{HERE}/load.lua", f"http://127.0.0.1:{port}/", "--", tokens],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(wrk.stdout.close)
        self.addCleanup(wrk.stderr.close)

        # An unknown key: the token that names it triggers a fetch.
        emulator.call("POST", "/issuers/acme/keys")
        add(200, 10)
        publish()

        for _ in range(TURNS):
            # As an issuer should: published first, used when all workers have it.
            kid = emulator.call("POST", "/issuers/acme/keys", {"sign": False})["kid"]
            two_fetches()
            add(200, 10, signer={"kid": kid})
            publish()
            # Down for longer than keys last.
            emulator.fault("status", status=503)
            two_fetches()
            emulator.clear()
            two_fetches()
            # New workers have no keys, and the issuer is slow: all requests wait.
            emulator.fault("delay", ms=200)
            nginx.reload()
            emulator.clear()

        # Nothing happens any more but requests, and renewals of the keys.
        worker = nginx.children()[0]
        sizes = []
        for _ in range(2):
            two_fetches()
            sizes.append(self.resident(worker))
        growth = sizes[1] - sizes[0]
        wrk.send_signal(signal.SIGINT)

        out, err = wrk.communicate(timeout=TIMEOUT)
        found = json.loads(out.splitlines()[-1])
        print(f"{json.dumps(found)}, then the worker grew by {growth // 1024} KiB")
        self.assertEqual((wrk.returncode, found["wrong"], found["timeouts"]), (0, 0, 0), err)
        self.assertGreater(min(found["good"], found["bad"]), 100)
        self.assertLess(growth, 256 * 1024)

    @staticmethod
    def resident(pid):
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


if __name__ == "__main__":
    unittest.main()

"""Many requests while keys change and the issuer comes and goes."""

import re
import signal
import subprocess
import tempfile
import time
import unittest

from support import TIMEOUT, Envoy, Torii, bearer, listener, module, until

# Counts answers by their status. wrk itself only tells those beyond 399.
SCRIPT = """
local tokens, next, threads = {}, 0, {}
for token in io.lines("%s") do tokens[#tokens + 1] = "Bearer " .. token end
function setup(thread) threads[#threads + 1] = thread end
function init() passed, refused, unavailable, other = 0, 0, 0, 0 end
function request()
  next = next %% #tokens + 1
  return wrk.format(nil, nil, {authorization = tokens[next]})
end
function response(status)
  if status == 200 then passed = passed + 1
  elseif status == 401 then refused = refused + 1
  elseif status == 503 then unavailable = unavailable + 1
  else other = other + 1 end
end
function done()
  for _, thread in ipairs(threads) do
    print("counts", thread:get("passed"), thread:get("refused"), thread:get("unavailable"),
          thread:get("other"))
  end
end
"""


class Load(unittest.TestCase):
    def wrk(self, directory, name, port, tokens):
        with open(f"{directory}/{name}", "w") as file:
            file.writelines(f"{token}\n" for token in tokens)
        with open(f"{directory}/{name}.lua", "w") as file:
            file.write(SCRIPT % f"{directory}/{name}")
        command = ["wrk", "-t1", "-c16", "-d1800s", "--timeout", f"{TIMEOUT}s", "-s",
                   f"{directory}/{name}.lua", f"http://127.0.0.1:{port}/"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        return process

    def counts(self, process):
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate()
        self.assertNotIn("Socket errors", text)
        passed, refused, unavailable, other = map(int, re.search(r"counts\s(.*)", text)[1].split())
        self.assertEqual(other, 0, text)
        return passed, refused, unavailable

    def test_load(self):
        with (tempfile.TemporaryDirectory() as directory, Torii() as torii,
              Envoy([lambda _: listener(f"{directory}/upstream", [], [
                  {"match": {"prefix": "/"}, "direct_response": {"status": 200}}])],
                    directory, concurrency=1)):
            config = {"issuers": [torii.issuer], "key_lifetime_seconds": 2, "headers": {"x-user-id": "sub"}}
            with Envoy([lambda _: listener(("127.0.0.1", 0), [module(config)]),
                        lambda path: listener(path, [module(config)])], directory) as envoy:
                self.run_load(directory, torii, envoy)
            self.assertEqual(envoy.process.returncode, 0)

    def run_load(self, directory, torii, envoy):
        good = [torii.token(expires_in=6000) for _ in range(200)]
        bad = [torii.token(expires_in=-60) for _ in range(50)]
        bad += [torii.token(signer="forged", expires_in=6000) for _ in range(50)]
        bad += [torii.token(header={"kid": f"unknown-{n}"}, expires_in=6000) for n in range(50)]
        bad += ["nonsense", good[0][:-4], "a.b.c"]
        port = envoy.ports()[0]
        loads = [self.wrk(directory, "good", port, good)]

        def get(token):
            return envoy.get(headers=bearer(token), number=1).status

        def fetched():
            """Waits until the keys that are published now are those in use."""
            before = torii.fetches()
            until(lambda: torii.fetches() >= before + 2, "two more fetches")

        # A new key that signs at once: the first of its tokens has it fetched. After tokens whose
        # keys do not exist, it would have to wait for the next renewal.
        until(lambda: envoy.stats()["torii_accepted"] > 100, "the load")
        torii.rotate()
        self.assertEqual(get(torii.token()), 200)
        loads.append(self.wrk(directory, "bad", port, bad))
        until(lambda: envoy.stats().get("torii_refused.reason.token_expired", 0) > 1000, "the load")
        before = envoy.rss()
        # One that is published before it signs, and one that is taken back.
        kid = torii.call("POST", "/issuers/acme/keys", {"sign": False})["kid"]
        fetched()
        signed = torii.token(signer={"kid": kid}, expires_in=6000)
        self.assertEqual(get(signed), 200)
        torii.call("DELETE", f"/issuers/acme/keys/{kid}")
        fetched()
        self.assertIn(get(signed), (401, 503))
        # The issuer goes down, for longer than its keys last, and comes back.
        torii.fault("close")
        until(lambda: "cannot fetch keys" in envoy.log_text(), "the issuer down")
        down = time.monotonic()
        while time.monotonic() < down + 3:
            self.assertEqual(get(torii.token()), 200)
        torii.clear_faults()
        until(lambda: "fetched keys of" in envoy.log_text(), "the issuer back")
        self.assertTrue(all(load.poll() is None for load in loads), "the load ended too early")
        passed, refused, unavailable = self.counts(loads[0])
        self.assertEqual((refused, unavailable), (0, 0))
        self.assertGreater(passed, 100)
        bad_passed, refused, unavailable = self.counts(loads[1])
        self.assertEqual(bad_passed, 0)
        self.assertGreater(refused, 100)
        grown = envoy.rss() - before
        self.assertLess(grown, 8192, "KiB more memory than at the start")
        print(f"{passed} accepted and {refused + unavailable} refused requests, {grown} KiB grown")


if __name__ == "__main__":
    unittest.main()

"""The exports of the module, and the hosts into which it loads."""

import os
import subprocess
import tempfile
import unittest

from support import ENVOY, MODULE_DIR, TIMEOUT, Envoy, listener, module

MODULE = f"{MODULE_DIR}/libtorii_envoy.so"
HOST = os.path.join(os.path.dirname(__file__), "host.c")


class Abi(unittest.TestCase):
    def test_nothing_but_hooks_is_exported(self):
        command = ["nm", "-D", "--defined-only", "--format=posix", MODULE]
        names = [line.split()[0] for line in subprocess.check_output(command, text=True).splitlines()]
        self.assertGreaterEqual(len(names), 21)
        self.assertEqual([name for name in names if not name.startswith("envoy_dynamic_module_on_")], [])

    def test_it_stays_in_memory(self):
        flags = subprocess.check_output(["readelf", "-d", MODULE], text=True)
        self.assertRegex(flags, "FLAGS_1.*NODELETE")

    def host(self, *defines):
        """Loads the module into a host built with these macros. Returns its output and its errors."""
        with tempfile.TemporaryDirectory() as directory:
            program = f"{directory}/host"
            subprocess.check_call(["cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                                   "-rdynamic", *defines, HOST, "-o", program, "-ldl"])
            ended = subprocess.run([program, MODULE], capture_output=True, text=True, check=True)
            return ended.stdout.strip(), ended.stderr

    def test_a_host_of_this_version(self):
        self.assertEqual(self.host("-DCOMPLETE", '-DVERSION="v0.2.0"'), ("v0.2.0", ""))
        self.assertEqual(self.host("-DCOMPLETE"), ("v0.2.0", ""))

    def test_a_host_of_another_version_is_refused(self):
        for version in ("v0.1.0", "v0.3.0", "v0.2.00", ""):
            answer, said = self.host("-DCOMPLETE", f'-DVERSION="{version}"')
            self.assertEqual(answer, "refused")
            self.assertIn(f"torii: made for version v0.2.0 of the ABI, but this Envoy has version "
                          f"{version} ", said)

    def test_a_host_that_lacks_a_callback_is_refused(self):
        for defines in ([], ['-DVERSION="v0.2.0"']):
            answer, said = self.host(*defines)
            self.assertEqual(answer, "refused")
            self.assertIn("this Envoy has no callback log_v2", said)

    def load(self, binary):
        with tempfile.TemporaryDirectory() as directory:
            config = {"issuers": ["https://acme.torii.so"]}
            envoy = Envoy([lambda path: listener(path, [module(config)])], directory,
                          binary=binary, arguments=["--mode", "validate"])
            status = envoy.process.wait(TIMEOUT)
            envoy.stop()
            return status, envoy.log_text()

    def test_the_envoy_it_was_made_for(self):
        status, log = self.load(ENVOY)
        self.assertEqual(status, 0, log)
        self.assertIn("Dynamic module ABI version v0.2.0 matched", log)

    def test_an_older_envoy_is_refused(self):
        status, log = self.load(os.environ["OLD_ENVOY"])
        self.assertEqual(status, 1, log)
        self.assertIn("torii: made for version v0.2.0 of the ABI, but this Envoy has version v0.1.0", log)


if __name__ == "__main__":
    unittest.main()

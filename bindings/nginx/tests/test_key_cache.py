"""Keys in a directory: nginx starts while the issuer is unreachable."""

import os
import pwd
import shutil
import subprocess
import tempfile
import unittest

from harness import Nginx, eventually
from parking import Parking

NOBODY = pwd.getpwnam("nobody")

# Renames a directory or a link over one that has just been created.
SWAP = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int mkdir(const char *path, mode_t mode)
{
    int (*next)(const char *, mode_t) = (int (*)(const char *, mode_t)) dlsym(RTLD_NEXT, "mkdir");
    int result = next(path, mode);

    if (result == 0 && strcmp(path, getenv("SWAP_PATH")) == 0
        && (rmdir(path) != 0 || rename(getenv("SWAP_BY"), path) != 0))
        abort();
    return result;
}
"""


class KeyCache(Parking):
    def path(self):
        return f"{self.nginx.folder}/keys"

    def key_files(self):
        """The files with keys: neither the lock, nor what is being written and has no final name yet."""
        return [name for name in os.listdir(self.path()) if "." not in name]

    def filled(self, directives="torii_key_cache keys;", **how):
        """nginx has run, and has left keys behind."""
        self.start(directives, **how)
        token = self.emulator.token()
        eventually(lambda: self.ask(token=token).status == 200)
        eventually(self.key_files, what="a key cache file")
        self.stop()
        return token

    def again(self):
        """The same nginx once more, as a new master."""
        if os.path.exists(self.nginx.log):
            os.unlink(self.nginx.log)
        self.stopped = False
        self.nginx.start().ready(self.port)

    def test_directory_belongs_to_the_workers(self):
        self.filled()
        stat = os.stat(self.path())
        self.assertEqual((stat.st_uid, stat.st_mode & 0o7777), (NOBODY.pw_uid, 0o700))
        for name in os.listdir(self.path()):
            self.assertEqual(os.stat(f"{self.path()}/{name}").st_uid, NOBODY.pw_uid)

    def test_only_the_directory_that_was_created_is_given_away(self):
        # As someone may do who can write to its parent: right after mkdir() the directory is another one.
        folder = tempfile.mkdtemp(prefix="torii-swap-")
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        with open(f"{folder}/swap.c", "w") as file:
            file.write(SWAP)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", f"{folder}/swap.so", f"{folder}/swap.c", "-ldl"], check=True)
        for place, owner, mode in (("foreign", 1, 0o700), ("root", 0, 0o755), ("link", 0, 0o700)):
            with self.subTest(place):
                target = f"{folder}/{place}"
                os.mkdir(target, mode)
                os.chown(target, owner, owner)
                if place == "link":
                    os.symlink(target, f"{folder}/to-link")
                    target = f"{folder}/to-link"
                self.nginx = Nginx(f"""server {{ listen 127.0.0.1:{self.port}; torii_issuer {self.emulator.issuer};
                    torii_key_cache keys; torii on; location / {{ return 200 ok; }} }}""", start=False)
                environment = {**os.environ, "LD_PRELOAD": f"{folder}/swap.so", "SWAP_PATH": self.path(), "SWAP_BY": target}
                self.nginx.start(environment=environment).ready(self.port)
                self.nginx.stop()
                self.assertEqual(os.lstat(self.path()).st_uid, owner)
                self.assertEqual(os.stat(f"{folder}/{place}" if place == "link" else self.path()).st_uid, owner)
                reason = "open(" if place == "link" else "is not the directory that was created"
                self.assertIn(reason, self.nginx.read_log())

    def test_restart_while_the_issuer_is_unreachable(self):
        first = self.filled(workers=4)
        tokens = [first] + [self.emulator.token(claims={"sub": f"user-{n}"}) for n in range(50)]
        forged = self.emulator.token(signer="forged")
        self.emulator.fault("status", status=500)
        fetches = self.emulator.fetches()
        self.again()
        for token in tokens:
            self.assertEqual(self.ask(token=token).status, 200)
        self.assertEqual(self.ask(token=forged).status, 401)
        # The keys are fresh: nothing was fetched, by none of the workers.
        self.assertEqual(self.emulator.fetches(), fetches)

    def test_reload_while_the_issuer_is_unreachable(self):
        self.start("torii_key_cache keys;")
        token = self.emulator.token()
        eventually(lambda: self.ask(token=token).status == 200)
        eventually(self.key_files, what="a key cache file")
        fetches = self.emulator.fetches()
        self.emulator.fault("status", status=500)
        self.nginx.reload()
        self.assertEqual(self.ask(token=token).status, 200)
        self.assertEqual(self.emulator.fetches(), fetches)

    def ignored(self, reason, token):
        """The issuer does not answer, and what is in the directory is not used."""
        self.emulator.fault("status", status=500)
        self.again()
        eventually(lambda: reason in self.nginx.read_log(), what=reason)
        self.assertEqual(self.ask(token=token).status, 503)
        self.emulator.clear()
        eventually(lambda: self.ask(token=token).status == 200)

    def test_directory_of_another_user(self):
        token = self.filled()
        os.chown(self.path(), 1, 1)
        self.ignored("torii: key cache directory", token)
        # It was not taken over.
        self.assertEqual(os.stat(self.path()).st_uid, 1)

    def test_file_of_another_user(self):
        token = self.filled()
        for name in os.listdir(self.path()):
            os.chown(f"{self.path()}/{name}", 1, 1)
            os.chmod(f"{self.path()}/{name}", 0o644)
        self.ignored("owned by user 1", token)

    def test_after_root_wrote_into_the_directory(self):
        # As `torii keys --key-cache` does for an operator. The workers can open none of these files, and replace them.
        self.filled()
        for name in os.listdir(self.path()):
            os.chown(f"{self.path()}/{name}", 0, 0)
        self.again()
        written = self.key_files()
        self.assertEqual(len(written), 1)
        eventually(lambda: os.stat(f"{self.path()}/{written[0]}").st_uid == NOBODY.pw_uid, what="a file of the worker's")

    def test_symbolic_link(self):
        token = self.filled()
        os.rename(self.path(), f"{self.nginx.folder}/elsewhere")
        os.symlink(f"{self.nginx.folder}/elsewhere", self.path())
        self.ignored("a symbolic link", token)

    def test_truncated_file(self):
        token = self.filled()
        for name in os.listdir(self.path()):
            os.truncate(f"{self.path()}/{name}", 40)
        self.ignored("torii: key cache file", token)

    def test_directory_that_is_gone(self):
        token = self.filled()
        shutil.rmtree(self.path())
        self.emulator.fault("status", status=500)
        self.again()
        self.assertEqual(self.ask(token=token).status, 503)
        self.emulator.clear()
        eventually(lambda: self.ask(token=token).status == 200)
        eventually(self.key_files, what="a key cache file")


if __name__ == "__main__":
    unittest.main()

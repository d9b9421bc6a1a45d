"""revocation.py EMULATOR LIBRARY GO_PROGRAM: the programs of examples/revocation, with a real Redis.

A fleet: servers in Python and in Go, some of which follow Redis and some the file that a program of either language
writes. GO_PROGRAM is the example in Go, built; beside it the programs write what they log.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import redis

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "tests"))

from ports import free_port  # noqa: E402

# For an event that is certain to come, on a machine that is busy with other things.
TIMEOUT = 300
KEY = "torii:revoked"


def request(url, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} | (headers or {})
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=TIMEOUT) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def eventually(what, check):
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            if check():
                return
        except (OSError, redis.RedisError):
            pass
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


class Fleet:
    def __init__(self, stack, emulator, library, go_program):
        self.stack = stack
        self.log = stack.enter_context(open(go_program.parent / "log", "w"))
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        about = json.loads(self.start([emulator, "--port", "0", "--until-stdin-closes"], pipes=True).stdout.readline())
        self.torii = about
        self.redis_port = free_port()
        self.environment = os.environ | {
            "TORII_LIBRARY": str(library),
            "LD_LIBRARY_PATH": str(library.parent),
            "PYTHONPATH": str(ROOT / "bindings" / "python" / "src"),
            "TORII_ISSUER": about["issuer"],
            "TORII_API_URL": about["url"],
            "TORII_SECRET_KEY": about["secret_key"],
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
        }
        self.programs = {
            "python": [sys.executable, ROOT / "examples" / "revocation" / "python" / "revocation.py"],
            "go": [go_program],
        }
        self.servers = {}

    def start(self, arguments, pipes=False, environment=None):
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True} if pipes else {}
        process = subprocess.Popen(arguments, env=environment, stderr=self.log, **options)
        self.stack.callback(self.stop, process)
        return process

    @staticmethod
    def stop(process):
        process.terminate()
        process.wait()

    def start_redis(self):
        # Acknowledged writes are on the disk: a restart must not lift bans.
        arguments = ["redis-server", "--port", self.redis_port, "--bind", "127.0.0.1", "--dir", self.folder]
        options = ["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--loglevel", "warning"]
        process = self.start(list(map(str, arguments)) + options)
        eventually("Redis answers", self.redis().ping)
        return process

    def redis(self):
        return redis.Redis(port=self.redis_port, decode_responses=True)

    def start_program(self, language, *arguments):
        return self.start([*self.programs[language], *map(str, arguments)], environment=self.environment)

    def run(self, language, *arguments):
        subprocess.run([*self.programs[language], *arguments], env=self.environment, check=True, timeout=TIMEOUT)

    def serve(self, language, *file):
        port = free_port()
        self.start_program(language, "serve", port, *file)
        name = f"{language} {file or 'Redis'}"
        self.servers[name] = f"http://127.0.0.1:{port}/"
        eventually(f"{name} answers", lambda: request(self.servers[name])[0] == 401)

    def new_user(self):
        """A user's id, and a token."""
        headers = {"Authorization": f"Bearer {self.torii['secret_key']}"}
        email = f"user-{time.monotonic_ns()}@example.com"
        status, answer = request(f"{self.torii['url']}/api/server/v1/users", {"email": email}, headers)
        assert status < 300, answer
        user = json.loads(answer)["id"]
        return user, self.mint(user)

    def mint(self, user):
        status, answer = request(f"{self.torii['control']}/issuers/acme/tokens", {"claims": {"sub": user}})
        assert status < 300, answer
        return json.loads(answer)["token"]

    def statuses(self, token):
        headers = {"Authorization": f"Bearer {token}"}
        return {name: request(url, headers=headers)[0] for name, url in self.servers.items()}

    def valid_everywhere(self, token):
        return set(self.statuses(token).values()) == {200}

    def refused_everywhere(self, token):
        return set(self.statuses(token).values()) == {401}

    def check_ban(self, language, what):
        user, token = self.new_user()
        assert self.valid_everywhere(token), (what, self.statuses(token))
        self.run(language, "ban", user)
        eventually(f"{what}: every process refuses the token", lambda: self.refused_everywhere(token))
        return user, token


def main(emulator, library, go_program):
    library = Path(library).resolve()
    with ExitStack() as stack:
        fleet = Fleet(stack, emulator, library, Path(go_program).resolve())
        server = fleet.start_redis()
        files = {language: fleet.folder / f"revoked-{language}.json" for language in fleet.programs}
        for language, file in files.items():
            fleet.start_program(language, "write", file)
            eventually(f"{file} is written", file.exists)
        for language in fleet.programs:
            fleet.serve(language)
            for file in files.values():
                fleet.serve(language, file)
        print(f"{len(fleet.servers)} servers")

        _, other = fleet.new_user()
        banned = [fleet.check_ban(language, f"a ban from {language}") for language in fleet.programs]
        assert fleet.valid_everywhere(other)
        print("bans reach every process, and no other user")

        for language, (user, token) in zip(fleet.programs, banned):
            fleet.run(language, "unban", user)
            eventually("every process accepts the token again", lambda: fleet.valid_everywhere(token))
        print("an undone ban too")

        earlier = fleet.check_ban("python", "before connections are lost")
        assert fleet.redis().client_kill_filter(_type="pubsub") >= 4
        fleet.check_ban("go", "after connections were lost")
        fleet.stop(server)
        assert fleet.refused_everywhere(earlier[1])
        assert fleet.valid_everywhere(other)
        server = fleet.start_redis()
        fleet.check_ban("python", "after a restart of Redis")
        assert fleet.refused_everywhere(earlier[1])
        print("lost connections and a restart of Redis lift no ban and lose none")

        user, token = fleet.new_user()
        fleet.redis().zadd(KEY, {user: int(time.time())})
        eventually("a change without a message", lambda: fleet.refused_everywhere(token))
        print("a lost message delays a ban")

        # An entry that can revoke no token any more.
        fleet.redis().zadd(KEY, {"long-ago": 1_700_000_000})
        fleet.check_ban("go", "with an old entry")
        assert fleet.redis().zscore(KEY, "long-ago") is None
        for file in files.values():
            assert file.stat().st_mode & 0o777 == 0o644
            assert [entry["sub"] for entry in json.loads(file.read_text())["revoked"]] == fleet.redis().zrange(KEY, 0, -1)
        print("old entries are removed")


if __name__ == "__main__":
    main(*sys.argv[1:])

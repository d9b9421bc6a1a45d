"""revocation.py COMMAND: bans that reach every process of a fleet, through Redis.

    ban USER           bans a user, and revokes the tokens issued until now
    unban USER         takes back a ban by mistake: earlier tokens are valid again
    serve PORT         a server that follows the list in Redis
    serve PORT FILE    a server that follows a file
    write FILE         keeps that file like the list in Redis: one such process a machine

The environment has REDIS_URL, TORII_ISSUER, TORII_SECRET_KEY and, for a local torii, TORII_API_URL.
"""

import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

import redis
from torii_backend import ToriiAuthError, ToriiClient, ToriiVerifier

# A sorted set, from user ids to the times up to which tokens are revoked; and the channel that tells of changes.
KEY = "torii:revoked"
# At least the lifetime of the longest token, template tokens included: an older entry revokes nothing.
LONGEST = 86_400
# How often the list is read without a message: Redis does not repeat a message that a client missed.
RELOAD = 10


def connect():
    return redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True, socket_timeout=RELOAD)


def api():
    return ToriiClient(os.environ["TORII_SECRET_KEY"], api_url=os.environ.get("TORII_API_URL"))


def ban(user):
    # In this order: once the user is banned, the issuer issues no further tokens.
    api().users.ban(user)
    now = int(time.time())
    with connect().pipeline(transaction=True) as changes:
        changes.zadd(KEY, {user: now}, gt=True)
        changes.zremrangebyscore(KEY, "-inf", now - LONGEST)
        changes.publish(KEY, "changed")
        changes.execute()


def unban(user):
    api().users.unban(user)
    with connect().pipeline(transaction=True) as changes:
        changes.zrem(KEY, user)
        changes.publish(KEY, "changed")
        changes.execute()


def read(server):
    entries = server.zrange(KEY, 0, -1, withscores=True)
    return {"revoked": [{"sub": user, "before": int(before)} for user, before in entries]}


def follow(server, apply):
    """Applies the list after each change, forever. After a failure the last list stays in use."""
    while True:
        try:
            with server.pubsub() as messages:
                messages.subscribe(KEY)
                while True:
                    # The confirmation of the subscription, a change, or nothing for a while.
                    messages.get_message(timeout=RELOAD)
                    apply(read(server))
        # The thread continues after any failure.
        except Exception as error:
            print(f"revocations: {error}", file=sys.stderr, flush=True)
            time.sleep(1)


def replace(path, revocations):
    """Replaces the file as a whole: its readers see the old list or the new one."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        json.dump(revocations, file)
        # Others read it; only this user may write it.
        os.fchmod(file.fileno(), 0o644)
    os.replace(file.name, path)


def write(path):
    written = None

    def apply(revocations):
        nonlocal written
        if revocations != written:
            replace(path, revocations)
            written = revocations

    server = connect()
    apply(read(server))
    follow(server, apply)


def serve(port, file=None):
    verifier = ToriiVerifier(os.environ["TORII_ISSUER"], revocations_file=file)
    if file is None:
        server = connect()
        # Before the first request: without the list, revoked tokens would be valid.
        verifier.set_revocations(read(server))
        threading.Thread(target=follow, args=(server, verifier.set_revocations), daemon=True).start()

    def application(environ, start_response):
        try:
            auth = verifier.authenticate(environ.get("HTTP_AUTHORIZATION"))
        except ToriiAuthError as error:
            start_response(f"{error.http_status} {error.public_code}", [("Content-Type", "text/plain")])
            return [f"{error.public_message}\n".encode()]
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{auth.user_id}\n".encode()]

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    make_server("127.0.0.1", port, application, Server).serve_forever()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["ban", user]:
            ban(user)
        case ["unban", user]:
            unban(user)
        case ["serve", port, *file]:
            serve(int(port), *file)
        case ["write", file]:
            write(Path(file))
        case _:
            sys.exit(__doc__)

"""Ports for servers that have to be told one, such as nginx, without two test runs meeting at the same port."""

import atexit
import socket

# Below the range from which the system picks ports of outgoing connections and of servers that ask for any.
FIRST, LAST = 20000, 32000
_reserved = []


def free_port():
    """Reserves a port of 127.0.0.1 until this process ends; any number of processes may do so at the same time."""
    start = FIRST if not _reserved else _reserved[-1][0] + 1
    for port in range(start, LAST):
        # An abstract name, which only one process can have, and which goes when that ends.
        lock = socket.socket(socket.AF_UNIX)
        try:
            lock.bind(f"\0torii-test-port-{port}")
            with socket.socket() as server:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                server.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        _reserved.append((port, lock))
        atexit.register(lock.close)
        return port
    raise OSError(f"no free port from {start} to {LAST}")


if __name__ == "__main__":
    # For a shell: prints a port and keeps it until standard input ends.
    import sys

    print(free_port(), flush=True)
    sys.stdin.read()

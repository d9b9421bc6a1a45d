"""Measures the installed `torii_backend`, this project's or the official one, and prints JSON.

    bench.py ISSUER TOKENS_FILE

The file has valid tokens, one a line, and a forged one in the last line.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Callable

from torii_backend import verify_token


def per_call(work: Callable[[], object], times: int) -> float:
    """Returns microseconds, the best of five rounds."""
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(times):
            work()
        best = min(best, time.perf_counter() - started)
    return best / times * 1e6


def main(issuer: str, file: str) -> None:
    *tokens, known, forged = Path(file).read_text(encoding="utf-8").split()

    def repeated() -> str:
        return verify_token(known, issuer=issuer).user_id

    def refused() -> None:
        try:
            verify_token(forged, issuer=issuer)
        except Exception:
            return
        raise AssertionError("a forged token was accepted")

    repeated()
    each_once = iter(tokens)
    cold = per_call(lambda: verify_token(next(each_once), issuer=issuer).user_id, len(tokens) // 5)
    results = {
        "a known token": per_call(repeated, 2000),
        "a new token": cold,
        "a forged token": per_call(refused, 100),
    }
    print(json.dumps({"version": version("torii-backend"), "results": results}))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The pytest fixture ``local_torii``: in ``conftest.py``, write

.. code-block:: python

    pytest_plugins = ["torii_backend.pytest_plugin"]
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from torii_backend.testing import LocalTorii


@pytest.fixture(scope="session")
def running_torii() -> Iterator[LocalTorii]:
    """The same one, never reset: for fixtures of a wider scope than a test."""
    with LocalTorii() as torii:
        yield torii


@pytest.fixture
def local_torii(running_torii: LocalTorii) -> LocalTorii:
    """The local torii, one for all tests and reset before each."""
    running_torii.reset()
    return running_torii

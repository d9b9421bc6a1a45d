"""Sets the platform of a wheel that contains the library, which ``package.sh`` copies.

``TORII_WHEEL_PLATFORM`` names it for another machine, as ``manylinux2014_aarch64``.
"""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PlatformOfTheLibrary(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if any(Path(self.root, "src/torii_backend").glob("libtorii.*")):
            here = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            platform = os.environ.get("TORII_WHEEL_PLATFORM", here)
            build_data.update(pure_python=False, tag=f"py3-none-{platform}")

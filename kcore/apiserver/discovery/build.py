"""The document of `/version`: which Kubernetes this behaves like, and what it is. Pure.

Source: CONTRACT A5; apimachinery `pkg/version`.
"""

from __future__ import annotations

import platform
from typing import Final

from kcore import __version__

MAJOR: Final = 1
MINOR: Final = 37
PATCH: Final = 2
COMPATIBLE_MINORS: Final = 1
"""How many minor versions back an older server may stand beside this one."""

OPTIONAL: Final = ("emulationMajor", "emulationMinor", "minCompatibilityMajor", "minCompatibilityMinor")
"""What older servers do not say."""

MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


def version() -> dict[str, str]:
    """The fields that clients read; those about a Go program say what stands in its place."""
    major, minor = str(MAJOR), str(MINOR)
    return {
        "major": major,
        "minor": minor,
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(MINOR - COMPATIBLE_MINORS),
        "gitVersion": f"v{MAJOR}.{MINOR}.{PATCH}+kcore-{__version__}",
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": platform.python_implementation().lower(),
        "platform": f"linux/{MACHINES.get(platform.machine(), platform.machine())}",
    }

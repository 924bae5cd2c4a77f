"""Where things lie in a data directory, and the files through which processes find each other.

    DIR/endpoints.json      addresses and the admin token; complete before the control plane says that it is ready
    DIR/kubeconfig          for kubectl and client libraries
    DIR/pki/                certificate authority, server certificate, PART.token
    DIR/store/              the embedded store
    DIR/run/PART.json       health and metrics address of a part
    DIR/run/PART.lock       held by the part while it lives
    DIR/run/supervisor.lock held by the supervisor
    DIR/logs/PART.log

Files with secrets have mode 0600 from the moment they exist, and appear whole or not at all.
"""

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_PRIVATE = 0o600
_PRIVATE_DIR = 0o700


@dataclass(frozen=True, slots=True)
class DataDir:
    """The layout of one data directory."""

    path: Path

    @staticmethod
    def default() -> "DataDir":
        """Return ``~/.kcore``."""
        return DataDir(Path.home() / ".kcore")

    @staticmethod
    def at(path: str | os.PathLike[str] | None) -> "DataDir":
        """Return the directory that a ``--data-dir`` names, or the default; absolute, since parts may run elsewhere."""
        return DataDir(Path(path).expanduser().absolute()) if path else DataDir.default()

    @property
    def endpoints(self) -> Path:
        """The addresses file."""
        return self.path / "endpoints.json"

    @property
    def kubeconfig(self) -> Path:
        """The file that kubectl reads."""
        return self.path / "kubeconfig"

    @property
    def pki(self) -> Path:
        """The folder of keys, certificates and tokens."""
        return self.path / "pki"

    @property
    def store(self) -> Path:
        """The embedded store's folder."""
        return self.path / "store"

    @property
    def run(self) -> Path:
        """The folder of locks and of the parts' addresses."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """The folder of logs."""
        return self.path / "logs"

    @property
    def supervisor_lock(self) -> Path:
        """The lock of the supervisor."""
        return self.run / "supervisor.lock"

    def part_lock(self, part: str) -> Path:
        """Return the lock of a part."""
        return self.run / f"{part}.lock"

    def part_state(self, part: str) -> Path:
        """Return the file in which a part says where its health and metrics are."""
        return self.run / f"{part}.json"

    def log(self, part: str) -> Path:
        """Return the log of a part."""
        return self.logs / f"{part}.log"

    def token(self, part: str) -> Path:
        """Return the bearer token file of a part."""
        return self.pki / f"{part}.token"

    def make(self) -> None:
        """Make the directory and its folders, readable for their owner only."""
        for folder in (self.path, self.run, self.logs, self.pki):
            folder.mkdir(mode=_PRIVATE_DIR, parents=True, exist_ok=True)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the control plane of a data directory answers; what is not served is None and left out of the file."""

    rest: str | None = None
    grpc: str | None = None
    etcd: str | None = None
    ca: str | None = None
    token: str | None = field(default=None, repr=False)

    def write(self, directory: DataDir) -> None:
        """Write ``endpoints.json``."""
        write_private_json(directory.endpoints, {key: value for key, value in asdict(self).items() if value is not None})

    def served(self) -> dict[str, str]:
        """Protocol -> address, of what is served."""
        return {name: address for name, address in (("rest", self.rest), ("grpc", self.grpc), ("etcd", self.etcd)) if address}

    @staticmethod
    def read(directory: DataDir) -> "Endpoints | None":
        """Read ``endpoints.json``; None where no control plane has opened yet."""
        values = read_json(directory.endpoints)
        return None if values is None else Endpoints(**{key: values.get(key) for key in Endpoints.__dataclass_fields__})


def write_private(path: Path, content: bytes) -> None:
    """Put a file in place, whole, with mode 0600."""
    path.parent.mkdir(mode=_PRIVATE_DIR, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
    os.replace(fresh, path)


def write_private_json(path: Path, value: dict[str, Any]) -> None:
    """Put a JSON file in place, whole, with mode 0600."""
    write_private(path, json.dumps(value, indent=2).encode() + b"\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON object; None if there is no such file."""
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    if not isinstance(value, dict):
        raise ValueError(f"{path} holds no JSON object")
    return value

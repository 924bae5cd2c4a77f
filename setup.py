"""Builds what people do not write: extension modules from ext/, Python messages and stubs from proto/.

Everything else that a package needs stands in pyproject.toml. Three rules hold for a wheel, an sdist, an editable install
and ``python setup.py build_ext --inplace`` alike:

- ``ext/kcore/store/_index.pyx`` becomes ``kcore.store._index``; ``proto/kcore/api/core/v1/pod.proto`` becomes
  ``kcore.api.core.v1.pod_pb2``. Generated Python is written into the source tree, which git ignores, so that package
  discovery, editable installs and wheels see the same files.
- What is up to date is left alone, down to its modification time.
- An ext/ or proto/ that holds nothing ends the build: a wheel without extensions would fail only at its user's.

Environment: ``KCORE_CHECKED=1`` builds the extensions with bounds, initialisation and overflow checks (an overflow ends the
process with a line that names it); ``KCORE_STRICT=1`` makes warnings of the C compiler errors (warnings of Cython and protoc
always are, since those tools are pinned). Each such mode keeps its intermediate files apart; the tree holds what was built last.
"""

import fcntl
import filecmp
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
EXT = ROOT / "ext"
PROTO = ROOT / "proto"
API = ROOT / "kcore" / "api"
BUILD = ROOT / "build"

CHECKED = os.environ.get("KCORE_CHECKED") == "1"
STRICT = os.environ.get("KCORE_STRICT") == "1"

DIRECTIVES = {
    "language_level": "3",
    "binding": True,
    "embedsignature": False,
    "boundscheck": CHECKED,
    "initializedcheck": CHECKED,
    "nonecheck": CHECKED,
    "wraparound": False,
    "cdivision": True,
    "warn.multiple_declarators": True,
    "warn.unreachable": True,
    "warn.unused": True,
}
# Overflow is the C compiler's to find: Cython's own check cannot subtract pointers, and takes the wrap of an unsigned hash for an error.
SANITIZE = "-fsanitize=signed-integer-overflow,bounds,shift,integer-divide-by-zero,pointer-overflow,float-cast-overflow"
CHECKED_FLAGS = ["-O1", "-g", "-UNDEBUG", "-fno-wrapv", SANITIZE, "-fno-sanitize-recover=all"] if CHECKED else ["-O3", "-g0"]
C_FLAGS = ["-Wall", "-Wno-unused-function", *CHECKED_FLAGS, *(["-Werror"] if STRICT else [])]


@contextmanager
def build_lock():
    """Let one build at a time work in this tree; the lock dies with its process."""
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def stop(sentence):
    """End the build with one sentence."""
    raise SystemExit(f"setup.py: {sentence}")


# proto/ -> kcore/api


def proto_files():
    """List the sources, or stop."""
    files = sorted(PROTO.rglob("*.proto"))
    if not files:
        stop("proto/ holds no .proto file")
    strays = [str(file.relative_to(ROOT)) for file in files if file.relative_to(PROTO).parts[:2] != ("kcore", "api")]
    if strays:
        stop(f"path is package is module: {strays[0]} is not below proto/kcore/api")
    return files


def proto_digest(files):
    """Identify what kcore/api was made from: sources, tools, and this file."""
    digest = hashlib.sha256()
    for tool in ("grpcio-tools", "mypy-protobuf"):
        digest.update(f"{tool} {version(tool)}\n".encode())
    for file in [Path(__file__), *files]:
        digest.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def script(name):
    """Find a tool's script: beside this interpreter (a venv need not be active), else on PATH (pip's isolated build)."""
    places = [str(Path(sys.executable).parent), sysconfig.get_path("scripts"), os.environ.get("PATH", "")]
    found = shutil.which(name, path=os.pathsep.join(places))
    return found or stop(f"{name} is not installed; it is in [build-system] of pyproject.toml")


def protoc(*arguments):
    """Run the compiler of grpcio-tools in a process of its own, since it can run once per process."""
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", "--fatal_warnings", *arguments]
    if subprocess.run(command, cwd=ROOT).returncode:
        stop("protoc failed")


def write_comments(target, names):
    """Write what the sources say above each message and field, by full name: descriptions for OpenAPI."""
    from google.protobuf import descriptor_pb2

    full = target / "comments.binpb"
    protoc(f"--descriptor_set_out={full}", "--include_source_info", *names)
    found = {}
    for file in descriptor_pb2.FileDescriptorSet.FromString(full.read_bytes()).file:
        for place in file.source_code_info.location:
            path = list(place.path)
            if place.leading_comments and path[0] == 4 and len(path) in (2, 4) and path[2:3] in ([], [2]):  # message, or field of one
                message = file.message_type[path[1]]
                parts = [file.package, message.name, *([message.field[path[3]].name] if path[2:] else [])]
                found[".".join(parts)] = " ".join(place.leading_comments.split())
    full.unlink()
    (target / "kcore/api/comments.json").write_text(json.dumps(found, sort_keys=True, indent=0))


def generate_into(target, files):
    """Write modules, stubs, packages, the one descriptor set (without comments and positions) and the comments below target."""
    names = [str(file.relative_to(PROTO)) for file in files]
    services = [str(file.relative_to(PROTO)) for file in files if "\nservice " in file.read_text()]
    protoc(
        f"--python_out={target}",
        f"--pyi_out={target}",
        f"--descriptor_set_out={target / 'kcore/api/descriptors.binpb'}",
        "--include_imports",
        *names,
    )
    write_comments(target, names)
    if services:
        plugin = script("protoc-gen-mypy_grpc")
        protoc(f"--grpc_python_out={target}", f"--plugin=protoc-gen-mypy_grpc={plugin}", f"--mypy_grpc_out=quiet:{target}", *services)
    for folder in sorted({target / "kcore" / "api", *(path.parent for path in (target / "kcore" / "api").rglob("*.py"))}):
        package = ".".join(folder.relative_to(target).parts)
        for part in (folder, *folder.parents):
            if part.is_relative_to(target / "kcore" / "api"):
                (part / "__init__.py").write_text(f'"""Generated from proto/ when kcore is built: {package}."""\n')


def mirror(source, target):
    """Make target equal source, touching only files that differ; a reader sees an old or a new file, never half of one."""
    wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    for name in sorted(wanted):
        old, new = target / name, source / name
        if not old.is_file() or old.read_bytes() != new.read_bytes():
            old.parent.mkdir(parents=True, exist_ok=True)
            os.replace(new, old)
    for path in [path for path in target.rglob("*") if path.is_file()]:
        if path.relative_to(target) not in wanted and "__pycache__" not in path.parts:
            path.unlink()


def generate_api():
    """Bring kcore/api up to date."""
    files = proto_files()
    digest = proto_digest(files)
    stamp = API / ".stamp"
    if stamp.is_file() and stamp.read_text() == digest:
        return
    print(f"generating kcore/api from {len(files)} proto files")
    fresh = BUILD / "api"
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / "kcore" / "api").mkdir(parents=True)
    generate_into(fresh, files)
    mirror(fresh / "kcore" / "api", API)
    stamp.write_text(digest)


# ext/ -> extension modules


def extensions():
    """Name each module as its source's path says, or stop."""
    sources = sorted(EXT.rglob("*.pyx"))
    if not sources:
        stop("ext/ holds no .pyx file")
    return [
        Extension(
            ".".join(source.relative_to(EXT).with_suffix("").parts),
            [str(source.relative_to(ROOT))],
            extra_compile_args=C_FLAGS,
            extra_link_args=[SANITIZE] if CHECKED else [],
        )
        for source in sources
    ]


class BuildExtensions(build_ext):
    """Translate with Cython, then compile; ``--only kcore.store`` builds one package."""

    user_options: ClassVar = [*build_ext.user_options, ("only=", None, "build only modules whose dotted name starts so")]

    def initialize_options(self):
        super().initialize_options()
        self.only = None

    def finalize_options(self):
        from Cython import __version__ as cython_version
        from Cython.Build import cythonize
        from Cython.Compiler import Options

        chosen = [extension for extension in extensions() if extension.name.startswith(self.only or "")]
        if not chosen:
            stop(f"no module of ext/ starts with {self.only}")
        mode = json.dumps([DIRECTIVES, C_FLAGS, cython_version, sys.version])
        cache = BUILD / hashlib.sha256(mode.encode()).hexdigest()[:12]
        Options.warning_errors = True
        self.distribution.ext_modules = cythonize(
            chosen,
            build_dir=str(cache.relative_to(ROOT)),
            include_path=["ext"],
            compiler_directives=DIRECTIVES,
            quiet=True,
        )
        super().finalize_options()
        self.build_temp = str(cache / "objects")
        if self.inplace or self.editable_mode:  # else pip would build an editable install in a folder that it throws away
            self.build_lib = str(cache / "modules")
        self.parallel = self.parallel or os.cpu_count()

    def copy_file(self, infile, outfile, *args, **kwargs):
        """Copy a module into the tree if it differs, whichever is newer; processes that have the old one mapped keep it."""
        if os.path.isfile(outfile) and filecmp.cmp(infile, outfile, shallow=False):
            return outfile, False
        shutil.copyfile(infile, f"{outfile}.fresh")
        os.replace(f"{outfile}.fresh", outfile)
        return outfile, True


# the package


def packages():
    """Find packages; call it after kcore/api was generated."""
    found = find_packages(include=["kcore", "kcore.*"])
    if (ROOT / "bench" / "workloads" / "__init__.py").is_file():
        found.append("kcore.workloads")
    return [*found, "kcore.proto"]


os.chdir(ROOT)
with build_lock():
    generate_api()
    setup(
        packages=packages(),
        package_dir={"kcore.workloads": "bench/workloads", "kcore.proto": "proto"},
        package_data={
            "": ["*.pyi", "py.typed"],
            "kcore.api": ["descriptors.binpb", "comments.json"],
            "kcore.apiserver.bootstrap": ["roles.txt"],
            "kcore.workloads": ["**/*"],
            "kcore.proto": ["**/*.proto", "*.yaml", "*.md"],
            "kcore.web": ["static/**/*"],
        },
        exclude_package_data={"": ["**/__pycache__/*"]},
        ext_modules=extensions(),
        cmdclass={"build_ext": BuildExtensions},
    )

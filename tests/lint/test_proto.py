"""Rules for proto/: buf's, this project's, and that the derived service files are what the kinds' options make of them."""

import subprocess
import sys
import sysconfig
from collections import defaultdict
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from tests.lint.sources import ROOT, shown, text

PROTO = ROOT / "proto"
OPTIONS = ("go_package", "java_package", "java_multiple_files")
CLIENTS_OWN = {"Build", "Close", "Connect", "GetCallOptions", "GetChannel", "New", "WaitForReady", "WithInterceptor", "WithOrigin"}
"""Methods that clients in Java, Node and Rust have besides those of their service."""


def proto_files() -> list[Path]:
    return sorted(PROTO.rglob("*.proto"))


def descriptors() -> list[FileDescriptorProto]:
    built = FileDescriptorSet.FromString((ROOT / "kcore" / "api" / "descriptors.binpb").read_bytes())
    return [file for file in built.file if file.name.startswith("kcore/")]


def test_buf_finds_nothing() -> None:
    buf = Path(sysconfig.get_path("scripts")) / "buf"
    result = subprocess.run([buf, "lint", "proto"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_service_files_are_fresh() -> None:
    result = subprocess.run([sys.executable, "proto/derive_services.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_file_says_where_other_languages_put_it() -> None:
    missing = [
        f"{shown(file)} lacks {option}" for file in proto_files() for option in OPTIONS if f"\noption {option} = " not in text(file)
    ]
    assert missing == []


def test_path_is_package_is_module() -> None:
    wrong = [shown(file) for file in proto_files() if f"\npackage {'.'.join(file.relative_to(PROTO).parent.parts)};" not in text(file)]
    assert wrong == []
    assert [shown(file) for file in proto_files() if any("." in part for part in file.relative_to(PROTO).parent.parts)] == []


def test_services_have_files_of_their_own() -> None:
    assert [file.name for file in descriptors() if file.service and not file.name.endswith("_service.proto")] == []
    assert [file.name for file in descriptors() if len(file.service) > 1] == []


def test_the_built_descriptors_are_those_of_the_sources() -> None:
    assert {file.name for file in descriptors()} == {str(file.relative_to(PROTO)) for file in proto_files()}


def test_names_stay_apart_in_every_language() -> None:
    """Generators write names in their language's case: what differs in case or underscores only would be one there."""
    groups: dict[str, list[str]] = defaultdict(list)
    for file in descriptors():
        groups[file.package] += [part.name for part in (*file.message_type, *file.enum_type, *file.service)]
        for message in file.message_type:
            groups[f"{file.package}.{message.name}"] = [part.name for part in message.field]
        for service in file.service:
            groups[f"{file.package}.{service.name}"] = [part.name for part in service.method]
    flat = {owner: {name.replace("_", "").lower() for name in names} for owner, names in groups.items()}
    assert [owner for owner, names in groups.items() if len(flat[owner]) < len(names)] == []


def test_no_method_has_a_name_that_generated_clients_use_themselves() -> None:
    methods = {method.name for file in descriptors() for service in file.service for method in service.method}
    assert methods & CLIENTS_OWN == set()

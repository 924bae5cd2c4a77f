"""Write the service file of each kind from its options, so that nobody writes 600 RPCs by hand.

A kind with a resource gets `<noun>_service.proto` beside its own file: one RPC a verb, and one a subresource verb that this table names.
Run it by `make proto` after a
change of a kind's options; the lint test runs it with `--check`, which writes nothing and fails if a file is not what it would write.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PROTO = Path(__file__).parent

# (subresource, verb) -> name of the RPC. What is not named (log, exec, proxy ...) is no unary call and is not served here.
SUBRESOURCE_RPCS = {
    ("status", "update"): "UpdateStatus",
    ("scale", "get"): "GetScale",
    ("scale", "update"): "UpdateScale",
    ("binding", "create"): "Bind",
    ("eviction", "create"): "Evict",
    ("token", "create"): "CreateToken",
    ("finalize", "update"): "Finalize",
    ("approval", "update"): "UpdateApproval",
    ("ephemeralcontainers", "update"): "UpdateEphemeralContainers",
    ("resize", "update"): "UpdateResize",
}
SUBRESOURCE_COMMENTS = {
    "UpdateStatus": "Replaces the status of {a} and nothing else; with a resourceVersion a repetition is ABORTED.",
    "GetScale": "Returns how many replicas {a} wants and has.",
    "UpdateScale": "Sets how many replicas {a} wants; setting the same number again changes nothing.",
    "Bind": "Assigns {a} to a node. ABORTED if it is assigned already.",
    "Evict": "Deletes {a} if its disruption budgets allow it, else RESOURCE_EXHAUSTED; may be repeated.",
    "CreateToken": "Makes a token of {a}; each call makes another one.",
    "Finalize": "Replaces the finalizers in the spec of {a}; removing the last one of a terminating object deletes it.",
    "UpdateApproval": "Replaces the approval conditions of {a}.",
    "UpdateEphemeralContainers": "Adds ephemeral containers to {a}; those that are there stay as they are.",
    "UpdateResize": "Changes the resources of the containers of a running {noun}.",
}
VERB_RPCS = ("create", "get", "list", "watch", "update", "patch", "delete", "deletecollection")
META = "kcore.api.meta.v1"


class Kind:
    """A kind as its file declares it."""

    def __init__(self, file: str, package: str, name: str, rule: object, has_list: bool) -> None:
        self.file, self.package, self.name, self.rule, self.has_list = file, package, name, rule, has_list
        self.service_file = f"{file.removesuffix(f'{snake(name)}.proto')}{snake(name)}_service.proto"


def snake(name: str) -> str:
    """`PodTemplate` -> `pod_template`; acronyms stay together."""
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", text).lower()


def descriptors() -> descriptor_pb2.FileDescriptorSet:
    """Compile everything but the services, with the options of kinds as known extensions."""
    files = sorted(str(p.relative_to(PROTO)) for p in PROTO.rglob("*.proto") if not p.name.endswith("_service.proto"))
    with tempfile.NamedTemporaryFile(suffix=".binpb") as out:
        subprocess.run(
            [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", "--include_imports", f"--descriptor_set_out={out.name}", *files],
            check=True,
        )
        raw = Path(out.name).read_bytes()
    pool = descriptor_pool.Default()
    plain = descriptor_pb2.FileDescriptorSet.FromString(raw)
    for file in plain.file:
        if file.name == "kcore/api/options/v1/options.proto":
            message_factory.GetMessageClassesForFiles([pool.AddSerializedFile(file.SerializeToString()).name], pool)
    return descriptor_pb2.FileDescriptorSet.FromString(raw)


def kinds() -> Iterator[Kind]:
    """All kinds that are served, in the order of their files."""
    found = descriptors()
    extension = descriptor_pool.Default().FindExtensionByName("kcore.api.options.v1.kind")
    for file in found.file:
        names = {message.name for message in file.message_type}
        for message in file.message_type:
            rule = message.options.Extensions[extension]
            if rule.resource and not rule.converted:
                yield Kind(file.name, file.package, message.name, rule, f"{message.name}List" in names)


def article(noun: str) -> str:
    """`a Pod`, `an Ingress`."""
    return f"an {noun}" if noun[0] in "AEIO" else f"a {noun}"


def verb_rpc(kind: Kind, verb: str) -> tuple[str, str, str, str] | None:
    """-> (comment, name, request, response) of a verb, or None where the kind's messages have no such form."""
    n, a = kind.name, article(kind.name)
    rpcs = {
        "create": (
            f"Creates {a}. Not idempotent: a repetition is ALREADY_EXISTS, or a second object with generateName.",
            "Create",
            f"{n}WriteRequest",
            n,
        ),
        "get": (f"Returns {a} as it is now.", "Get", f"{META}.GetRequest", n),
        "list": (f"Returns {n} objects in key order, a page at a time.", "List", f"{META}.ListRequest", f"{n}List"),
        "watch": (
            f"Streams the changes of {n} objects; it resumes from any revision that is kept.",
            "Watch",
            f"{META}.WatchRequest",
            f"stream {n}WatchResponse",
        ),
        "update": (f"Replaces {a}, but for its status. With a resourceVersion a repetition is ABORTED.", "Update", f"{n}WriteRequest", n),
        "patch": (f"Changes {a} by a patch; what a repetition does depends on the patch.", "Patch", f"{META}.PatchRequest", n),
        "delete": (
            f"Deletes {a} and returns it as it is then, or was at last. A repetition is NOT_FOUND once it is gone.",
            "Delete",
            f"{META}.DeleteRequest",
            n,
        ),
        "deletecollection": (
            f"Deletes the {n} objects that match and returns them; may be repeated.",
            "DeleteCollection",
            f"{META}.DeleteCollectionRequest",
            f"{n}List",
        ),
    }
    if verb in {"list", "deletecollection"} and not kind.has_list:
        return None
    return rpcs[verb]


def body_type(kind: Kind, reference: str) -> str:
    """The full message name of a subresource's body: `autoscaling/v1/Scale` -> `kcore.api.autoscaling.v1.Scale`."""
    if not reference:
        return kind.name
    *group, version, name = reference.split("/")
    directory = group[0].split(".")[0] if group else "core"
    full = f"kcore.api.{directory}.{version}.{name}"
    return name if full.rpartition(".")[0] == kind.package else full


def subresource_rpcs(kind: Kind) -> Iterator[tuple[str, str, str, str, str, str, str]]:
    """-> (comment, name, request, response, subresource, verb, body) of each subresource verb with a name."""
    for sub in kind.rule.subresources:  # type: ignore[attr-defined]
        for verb in sub.verbs:
            if (rpc := SUBRESOURCE_RPCS.get((sub.name, verb))) is None:
                continue
            body = body_type(kind, sub.kind)
            own = body == kind.name
            request = f"{kind.name}WriteRequest" if own else f"{META}.GetRequest" if verb == "get" else f"{kind.name}{rpc}Request"
            response = body if own or sub.name in {"scale", "token"} else f"{META}.Status"
            comment = SUBRESOURCE_COMMENTS[rpc].format(a=article(kind.name), noun=kind.name)
            yield comment, rpc, request, response, sub.name, verb, body


def rpc_text(comment: str, name: str, request: str, response: str, verb: str, subresource: str = "") -> str:
    """The text of one RPC."""
    rule = f'verb: "{verb}"' + (f', subresource: "{subresource}"' if subresource else "")
    return (
        f"  // {comment}\n  rpc {name}({request}) returns ({response}) {{\n    option (kcore.api.options.v1.method) = {{{rule}}};\n  }}\n"
    )


def write_message(name: str, of: str, body: str, why: str) -> str:
    """The text of a request that carries an object."""
    return (
        f"// {why}\nmessage {name} {{\n  optional string namespace = 1;\n  // {of}\n  optional string name = 2;\n"
        f"  optional {body} object = 3;\n  optional {META}.WriteOptions options = 4;\n}}\n"
    )


def service(kind: Kind, file_of: dict[str, str]) -> str:
    """The text of a kind's service file."""
    n, rpcs, messages = kind.name, [], []
    verbs = set(kind.rule.verbs)  # type: ignore[attr-defined]
    subresources = list(subresource_rpcs(kind))
    for verb in VERB_RPCS:
        if verb in verbs and (found := verb_rpc(kind, verb)):
            rpcs.append(rpc_text(*found, verb))
    for comment, rpc, request, response, sub, verb, _ in subresources:
        rpcs.append(rpc_text(comment, rpc, request, response, verb, sub))
    if verbs & {"create", "update"}:
        messages.append(
            write_message(
                f"{n}WriteRequest", "May be empty for a create: then the object's own name counts.", n, f"Creates or replaces {article(n)}."
            )
        )
    for _, rpc, request, _, _, _, body in subresources:
        if request == f"{n}{rpc}Request":
            messages.append(write_message(request, f"Name of the {n}.", body, f"The body of {rpc} and the {n} that it is about."))
    if "watch" in verbs:
        messages.append(
            f"// One change of {article(n)}.\nmessage {n}WatchEvent {{\n"
            f"  // ADDED, MODIFIED, DELETED or BOOKMARK (the object has only metadata then).\n  optional string type = 1;\n"
            f"  optional {n} object = 2;\n}}\n"
        )
        messages.append(
            f"// Changes that were committed together.\nmessage {n}WatchResponse {{\n  repeated {n}WatchEvent events = 1;\n}}\n"
        )
    imports = {kind.file, "kcore/api/options/v1/options.proto"}
    text = "\n".join([*rpcs, *messages])
    if META in text:
        imports.add("kcore/api/meta/v1/meta.proto")
    imports |= {file_of[body] for *_, body in subresources if body in file_of} | {
        file_of[f"{kind.package}.{body}"] for *_, body in subresources if f"{kind.package}.{body}" in file_of
    }
    directory, version = kind.package.split(".")[2:]
    head = [
        'syntax = "proto2";\n',
        "// Derived from the kind's options by proto/derive_services.py; change those, then run `make proto`.",
        f"package {kind.package};\n",
        *[f'import "{name}";' for name in sorted(imports)],
        f'\noption go_package = "kcore.dev/api/{directory}/{version};{directory}{version}";\noption java_multiple_files = true;'
        f'\noption java_package = "dev.kcore.api.{directory}.{version}";\n',
        f"// {n} objects: see the comment of the message {n}.",
        f"service {n}Service {{",
    ]
    return "\n".join(head) + "\n" + "\n".join(rpcs) + "}\n\n" + "\n".join(messages)


def main(argv: list[str]) -> int:
    """Write the files, or with --check name those that differ; -> exit status."""
    found = list(kinds())
    file_of = {f"{file.package}.{message.name}": file.name for file in descriptors().file for message in file.message_type}
    wanted = {kind.service_file: service(kind, file_of) for kind in found}
    derived = {str(p.relative_to(PROTO)) for p in PROTO.rglob("*_service.proto") if "derive_services.py" in p.read_text()}
    stale = sorted(name for name, text in wanted.items() if not (PROTO / name).exists() or (PROTO / name).read_text() != text)
    gone = sorted(derived - wanted.keys())
    if "--check" in argv:
        for name in [*stale, *gone]:
            print(f"{name} is not what its kind's options say; run `make proto`")
        return 1 if stale or gone else 0
    for name in stale:
        (PROTO / name).write_text(wanted[name])
    for name in gone:
        (PROTO / name).unlink()
    print(f"{len(wanted)} services, {len(stale)} written, {len(gone)} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

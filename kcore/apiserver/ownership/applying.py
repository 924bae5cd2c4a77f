"""Server-side apply: from the body of an apply patch to a change of an object and of its owners.

Source: Kubernetes apiserver `pkg/endpoints/handlers/patch.go` (applyPatcher); CONTRACT A12.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import orjson

from kcore.apiserver import body as bodies
from kcore.apiserver import body_text
from kcore.apiserver.ownership.owners import operation
from kcore.apiserver.registry import Write, check_name, place
from kcore.base import limits
from kcore.machinery import codec, status
from kcore.machinery.apply import tracking
from kcore.machinery.apply.elements import ElementError
from kcore.machinery.gvk import GroupVersionKind
from kcore.machinery.patch import restore
from kcore.machinery.request import Request

Object = dict[str, Any]
Change = Callable[[Object], Object]
APPLY_PATCH: Final = "application/apply-patch+yaml"
NO_OBJECT: Final = "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type map[string]interface {{}}"
GO_NAMES: Final = {list: "array", str: "string", bool: "bool", int: "number", float: "number"}


class Configuration(NamedTuple):
    """What is to be applied, and what is doubtful about its text."""

    wanted: Object
    doubled: list[str]


def is_apply(request: Request) -> bool:
    """Whether a request is a server-side apply."""
    return request.verb == "patch" and request.content_type.partition(";")[0].strip() == APPLY_PATCH


def applied(write: Write, request: Request, gvk: GroupVersionKind, message: str, warnings: list[str], now: str) -> Change:
    """The change that an apply makes of an object, in the version of the client; of none where `write` may create one.

    write     is told who owns what, when the change is made
    warnings  what is doubtful about the configuration is appended then
    """
    configuration = read(request.body or b"")
    wanted = configuration.wanted
    asked = operation(write, request.options["fieldManager"], now)
    write.may_create = not write.subresource
    force = bool(request.options.get("force"))
    validation = request.options.get("fieldValidation") or "Warn"

    def change(old: Object) -> Object:
        check_kind(wanted, gvk)
        try:
            made = merged(asked, old, wanted, force, gvk)
            new = normal(made.obj, gvk, message, wanted)
        except RecursionError as error:
            raise status.bad_request("exceeded max depth") from error
        complain(configuration.doubled, validation, warnings)
        check_place(write, made.obj, old)
        write.owners = lambda _new, _old, _sent: made.entries
        return new

    return change


def merged(asked: tracking.Operation, old: Object, wanted: Object, force: bool, gvk: GroupVersionKind) -> tracking.Applied:
    """What the configuration makes of an object and its owners. Raises StatusError."""
    metadata = wanted.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields") is not None:
        raise status.bad_request("metadata.managedFields must be nil")
    try:
        return tracking.apply(asked, old or None, wanted, force)
    except tracking.TypedError as error:
        raise status.unknown(f"failed to create typed patch object ({title(wanted, gvk)}): {error}") from error
    except ElementError as error:
        raise status.unknown(f"failed to merge config: {error}") from error
    except tracking.ConflictsError as error:
        raise error.status() from error


def read(data: bytes | Object) -> Configuration:
    """The configuration in a body, which is JSON or YAML. Raises StatusError (400, 413)."""
    if not isinstance(data, bytes):
        return Configuration(data, [])
    if len(data) > limits.REQUEST_BODY_BYTES_MAX:
        raise status.body_too_large(limits.REQUEST_BODY_BYTES_MAX)
    try:
        value = orjson.loads(data)
        doubled = codec.strict_duplicates(data, value) if isinstance(value, dict) else []
    except (orjson.JSONDecodeError, RecursionError):
        value, doubled = None, ["?"]
    if doubled:
        value, doubled = read_yaml(data)
    if value is None:
        return Configuration({}, doubled)
    if not isinstance(value, dict):
        raise status.bad_request(f"error decoding patch: {NO_OBJECT.format(GO_NAMES[type(value)])}")
    return Configuration(value, doubled)


def read_yaml(data: bytes) -> tuple[Any, list[str]]:
    """The value of a YAML text in terms of JSON, and where it says something twice. Raises StatusError (400)."""
    try:
        value, doubled = body_text.load_yaml(data)
        return orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z)), doubled
    except (body_text.TextError, orjson.JSONEncodeError) as error:
        raise status.bad_request(f"error decoding patch: error converting YAML to JSON: {error}") from error


def complain(doubled: list[str], validation: str, warnings: list[str]) -> None:
    """Warn of what is said twice, or refuse it."""
    if not doubled or validation == "Ignore":
        return
    if validation == "Strict":
        lines = "".join(f"\n  {line}" for line in doubled)
        raise status.bad_request(f"error strict decoding patch: error converting YAML to JSON: {bodies.YAML_COMPLAINT}{lines}")
    warnings.extend(doubled)


def check_kind(wanted: Object, gvk: GroupVersionKind) -> None:
    """Refuse a configuration of another kind or version than the path."""
    if wanted.get("apiVersion") == gvk.api_version and wanted.get("kind") == gvk.kind:
        return
    raise status.bad_request(f"invalid object type: {kind_text(wanted)}")


def kind_text(wanted: Object) -> str:
    """What a configuration says it is, as Go prints it."""
    api_version, kind = (value if isinstance(value, str) else "" for value in (wanted.get("apiVersion"), wanted.get("kind")))
    group, _, version = api_version.rpartition("/")
    return f"{group}/{version}, Kind={kind}"


def title(wanted: Object, gvk: GroupVersionKind) -> str:
    """A configuration as errors name it: by its own namespace and name."""
    metadata = wanted.get("metadata")
    found = metadata if isinstance(metadata, dict) else {}
    namespace, name = (value if isinstance(value, str) else "" for value in (found.get("namespace"), found.get("name")))
    return f"{namespace}/{name}; {gvk.group}/{gvk.version}, Kind={gvk.kind}"


def check_place(write: Write, obj: Object, old: Object) -> None:
    """Refuse a configuration that means another object than the path, or one that is gone."""
    metadata = obj.get("metadata") or {}
    if not old and metadata.get("uid"):
        why = f"uid mismatch: the provided object specified uid {metadata['uid']}, and no existing object was found"
        raise status.conflict(write.spec.resource, write.served.group, write.name, why)
    place(write.spec, write.namespace, dict(metadata))
    check_name(obj, write.name)


def normal(obj: Object, gvk: GroupVersionKind, message: str, wanted: Object) -> Object:
    """A merged object in the one form of its kind, sharing nothing with what it was made of."""
    metadata = {name: value for name, value in (obj.get("metadata") or {}).items() if name != "managedFields"}
    try:
        return codec.normalise(message, orjson.loads(orjson.dumps({**obj, "metadata": metadata})), [])
    except codec.DecodeError as error:
        why = restore.explain(codec.table(message), obj, error).rpartition(f" cannot be handled as a {gvk.kind}: ")[2]
        version = f"{gvk.group}/{gvk.version}, Kind={gvk.kind}"
        cause = f"unable to convert unstructured object to {version}: {why}"
        raise status.unknown(f"failed to convert new object ({title(wanted, gvk)}) to proper version: {cause}") from error
    except orjson.JSONEncodeError as error:
        raise status.bad_request("exceeded max depth") from error

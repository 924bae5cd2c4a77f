"""The devices that a claim asks for, shared by ResourceClaim and ResourceClaimTemplate.

Source: Kubernetes `pkg/apis/resource/validation`, `pkg/apis/resource/v1/defaults.go`.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from kcore.machinery import codec
from kcore.machinery import field_error as fe
from kcore.machinery import names as name_rules
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds.resource import device, names

REQUESTS_COUNT_MAX: Final = 32
CONSTRAINTS_COUNT_MAX: Final = 32
ALTERNATIVES_COUNT_MAX: Final = 8

_MODES: Final = ("All", "ExactCount")
_EITHER: Final = "exactly one of `exactly` or `firstAvailable` is required"
_ONE_ATTRIBUTE: Final = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
_UNKNOWN: Final = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"

_SELECTORS: Final = StructField("Selectors", "selectors", None, (
    StructField("CEL", "cel", None, (StructField("Expression", "expression", ""),)),
))
_TOLERATIONS: Final = StructField("Tolerations", "tolerations", None, (
    StructField("Key", "key", ""), StructField("Operator", "operator", ""), StructField("Value", "value", ""),
    StructField("Effect", "effect", ""), StructField("TolerationSeconds", "tolerationSeconds"),
))
_CAPACITY: Final = StructField("Capacity", "capacity", None, (StructField("Requests", "requests"),))
_ALLOCATION: Final = (StructField("AllocationMode", "allocationMode", ""), StructField("Count", "count", 0))
_EXACTLY: Final = (
    StructField("DeviceClassName", "deviceClassName", ""), _SELECTORS, *_ALLOCATION, StructField("AdminAccess", "adminAccess"),
    _TOLERATIONS, _CAPACITY, StructField("DerivedAttributes", "derivedAttributes"),
)
_ALTERNATIVE: Final = (
    StructField("Name", "name", ""), StructField("DeviceClassName", "deviceClassName", ""), _SELECTORS, *_ALLOCATION, _TOLERATIONS,
    _CAPACITY, StructField("DerivedAttributes", "derivedAttributes"),
)
_CONSTRAINT: Final = (
    StructField("Requests", "requests"), StructField("MatchAttribute", "matchAttribute"),
    StructField("DistinctAttribute", "distinctAttribute"),
)
_CONFIG: Final = (
    StructField("Requests", "requests"),
    StructField("Opaque", "opaque", None, (StructField("Driver", "driver", ""), StructField("Parameters", "parameters"))),
)
_REQUEST: Final = (
    StructField("Name", "name", ""), StructField("Exactly", "exactly", None, _EXACTLY),
    StructField("FirstAvailable", "firstAvailable", None, _ALTERNATIVE),
)
SPEC_FIELDS: Final = (
    StructField("Devices", "devices", {"Requests": None, "Constraints": None, "Config": None}, (
        StructField("Requests", "requests", None, _REQUEST), StructField("Constraints", "constraints", None, _CONSTRAINT),
        StructField("Config", "config", None, _CONFIG),
    )),
)

_REQUEST_MESSAGE: Final = "kcore.api.resource.v1.DeviceRequest"
_ALTERNATIVE_MESSAGE: Final = "kcore.api.resource.v1.DeviceSubRequest"

Part = dict[str, Any]


def default_claim(spec: Part) -> None:
    """Ask for one device where a number is wanted and none is given."""
    for request in (spec.get("devices") or {}).get("requests") or ():
        for asked in (request.get("exactly") or {}, *(request.get("firstAvailable") or ())):
            if asked.get("allocationMode") == "ExactCount" and not asked.get("count"):
                asked["count"] = 1


def request_names(claim: Part) -> set[str]:
    """The names by which requests of a claim may be referred to."""
    found: set[str] = set()
    for request in claim.get("requests") or ():
        name = request.get("name") or ""
        found.add(name)
        found |= {f"{name}/{each.get('name') or ''}" for each in request.get("firstAvailable") or ()}
    return found


def validate_claim(claim: Part, path: str, errors: list[FieldError]) -> None:
    """Check requests, constraints between them, and their configuration."""
    known = request_names(claim)
    names.validate_items(claim.get("requests"), REQUESTS_COUNT_MAX, _validate_request, f"{path}.requests", errors)

    def constraint(value: Part, at: str, found: list[FieldError]) -> None:
        _validate_constraint(value or {}, known, at, found)

    def config(value: Part, at: str, found: list[FieldError]) -> None:
        validate_references((value or {}).get("requests"), known, f"{at}.requests", found)
        device.validate_configuration(value, at, found)

    names.validate_items(claim.get("constraints"), CONSTRAINTS_COUNT_MAX, constraint, f"{path}.constraints", errors)
    names.validate_items(claim.get("config"), device.CONFIG_COUNT_MAX, config, f"{path}.config", errors)
    _validate_late(claim, path, errors)


def _validate_late(claim: Part, path: str, errors: list[FieldError]) -> None:
    """Check what Kubernetes checks last: names that are there twice, classes of alternatives, attributes of constraints."""
    requests = claim.get("requests") or ()
    _refuse_repeated(requests, f"{path}.requests", _REQUEST_MESSAGE, errors)
    for index, request in enumerate(requests):
        alternatives, at = (request or {}).get("firstAvailable") or (), f"{path}.requests[{index}].firstAvailable"
        _refuse_repeated(alternatives, at, _ALTERNATIVE_MESSAGE, errors)
        for place, asked in enumerate(alternatives):
            _validate_class((asked or {}).get("deviceClassName") or "", f"{at}[{place}].deviceClassName", errors, in_bytes=True)
    for index, constraint in enumerate(claim.get("constraints") or ()):
        for field in ("matchAttribute", "distinctAttribute"):
            name = (constraint or {}).get(field)
            if name is not None:
                names.validate_full_attribute_name(name, f"{path}.constraints[{index}].{field}", errors)


def _refuse_repeated(items: Sequence[Part | None], path: str, message: str, errors: list[FieldError]) -> None:
    for index, _, item in names.repeated(items, "name"):
        told = codec.decode(message, codec.encode(message, item or {}))
        errors.append(fe.duplicate(f"{path}[{index}]", fe.Rendered(fe.compact_json(told, sort_keys=False))))


def _validate_class(name: str, path: str, errors: list[FieldError], in_bytes: bool = False) -> None:
    rule = name_rules.long_name if in_bytes else name_rules.subdomain_name
    if not name:
        errors.append(fe.required(path))
    else:
        errors.extend(fe.invalid(path, name, sentence) for sentence in rule(name, False))


def _validate_request(request: Part | None, path: str, errors: list[FieldError]) -> None:
    value = request or {}
    names.validate_label(value.get("name") or "", f"{path}.name", errors)
    exactly, alternatives = value.get("exactly"), value.get("firstAvailable")
    if exactly is not None and alternatives:
        errors.append(fe.invalid(path, None, f"{_EITHER}, but multiple fields are set"))
    elif exactly is not None:
        _validate_class(exactly.get("deviceClassName") or "", f"{path}.exactly.deviceClassName", errors)
        _validate_asked(exactly, f"{path}.exactly", errors)
    elif alternatives:
        names.validate_items(alternatives, ALTERNATIVES_COUNT_MAX, _validate_alternative, f"{path}.firstAvailable", errors)
    else:
        errors.append(fe.required(path, _EITHER))


def _validate_alternative(asked: Part | None, path: str, errors: list[FieldError]) -> None:
    names.validate_label((asked or {}).get("name") or "", f"{path}.name", errors)
    _validate_asked(asked or {}, path, errors)


def _validate_asked(asked: Part, path: str, errors: list[FieldError]) -> None:
    names.validate_items(asked.get("selectors"), device.SELECTORS_COUNT_MAX, device.validate_selector, f"{path}.selectors", errors)
    mode, count = asked.get("allocationMode") or "", asked.get("count") or 0
    if mode not in _MODES:
        errors.append(fe.not_supported(f"{path}.allocationMode", mode, _MODES))
    elif mode == "All" and count:
        errors.append(fe.invalid(f"{path}.count", count, "must not be specified when allocationMode is 'All'"))
    elif mode == "ExactCount" and count <= 0:
        errors.append(fe.invalid(f"{path}.count", count, "must be greater than zero"))
    for index, toleration in enumerate(asked.get("tolerations") or ()):
        device.validate_toleration(toleration, f"{path}.tolerations[{index}]", errors)


def validate_references(references: list[str] | None, known: set[str], path: str, errors: list[FieldError]) -> None:
    """Check names of requests of the same claim."""

    def reference(name: str, at: str, found: list[FieldError]) -> None:
        validate_reference(name, known, at, found)

    names.validate_set(references, REQUESTS_COUNT_MAX, reference, path, errors)


def validate_reference(name: str, known: set[str], path: str, errors: list[FieldError]) -> None:
    """Check the name of a request, or of a request and one of its alternatives."""
    parts = name.split("/")
    if len(parts) > 2:
        errors.append(fe.invalid(path, name, _UNKNOWN))
        return
    for part in parts:
        names.validate_label(part, path, errors)
    if name not in known:
        errors.append(fe.invalid(path, name, _UNKNOWN))


def _validate_constraint(constraint: Part, known: set[str], path: str, errors: list[FieldError]) -> None:
    validate_references(constraint.get("requests"), known, f"{path}.requests", errors)
    given = [field for field in ("matchAttribute", "distinctAttribute") if constraint.get(field) is not None]
    if not given:
        errors.append(fe.required(path, _ONE_ATTRIBUTE))

"""PriorityLevelConfiguration: how many requests of a level may run, and what becomes of the others.

Source: Kubernetes `pkg/apis/flowcontrol/validation`, `pkg/apis/flowcontrol/v1/defaults.go`.
"""
from __future__ import annotations

import math
from typing import Any, Final

from kcore.machinery import field_error as fe
from kcore.machinery import meta, names
from kcore.machinery.field_error import FieldError, StructField
from kcore.machinery.kinds.flowcontrol import fixed
from kcore.machinery.kinds.flowcontrol.conditions import validate_status
from kcore.machinery.kinds.rules import KindRules, Object, keep_spec_and_metadata

QUEUES_MAX: Final = 10_000_000
ENTROPY_BITS_MAX: Final = 60

_TYPES: Final = ("Exempt", "Limited")
_RESPONSES: Final = ("Queue", "Reject")
_SHARES: Final = "must be a non-negative integer"

_QUEUING_FIELDS: Final = (
    StructField("Queues", "queues", 0), StructField("HandSize", "handSize", 0), StructField("QueueLengthLimit", "queueLengthLimit", 0),
)
_RESPONSE_FIELDS: Final = (StructField("Type", "type", ""), StructField("Queuing", "queuing", None, _QUEUING_FIELDS))
_LIMITED_FIELDS: Final = (
    StructField("NominalConcurrencyShares", "nominalConcurrencyShares", 0),
    StructField("LimitResponse", "limitResponse", {"Type": "", "Queuing": None}, _RESPONSE_FIELDS),
    StructField("LendablePercent", "lendablePercent"), StructField("BorrowingLimitPercent", "borrowingLimitPercent"),
)
_EXEMPT_FIELDS: Final = (
    StructField("NominalConcurrencyShares", "nominalConcurrencyShares"), StructField("LendablePercent", "lendablePercent"),
)
_SPEC_FIELDS: Final = (
    StructField("Type", "type", ""), StructField("Limited", "limited", None, _LIMITED_FIELDS),
    StructField("Exempt", "exempt", None, _EXEMPT_FIELDS),
)

Part = dict[str, Any]


def default_priority_level(value: Object) -> None:
    """Describe an exempt level, of which nothing need be said."""
    spec = value.get("spec") or {}
    if spec.get("type") == "Exempt" and spec.get("exempt") is None:
        spec["exempt"] = {"nominalConcurrencyShares": 0, "lendablePercent": 0}


def validate_priority_level(value: Object) -> list[FieldError]:
    """Check the type, and the limits that it has."""
    errors: list[FieldError] = []
    spec, name = value.get("spec") or {}, meta.name(value)
    kind, limited, exempt = spec.get("type") or "", spec.get("limited"), spec.get("exempt")
    if (name == "exempt") != (kind == "Exempt"):
        errors.append(fe.invalid("spec.type", kind, "type must be 'Exempt' if and only if name is 'exempt'"))
    if kind and kind not in _TYPES:
        errors.append(fe.not_supported("spec.type", kind, _TYPES))
    _validate_member(limited is not None, kind == "Limited", "spec.limited", errors)
    _validate_member(exempt is not None, kind == "Exempt", "spec.exempt", errors)
    if not kind:
        errors.append(fe.required("spec.type"))
    if kind == "Limited" and limited is not None:
        _validate_limited(limited, "spec.limited", errors)
    if kind == "Exempt" and exempt is not None:
        _validate_shares(exempt, "spec.exempt", errors)
        _validate_lendable(exempt, "spec.exempt", errors)
    _validate_fixed(spec, name, errors)
    validate_status(value, errors)
    return errors


def _validate_member(given: bool, wanted: bool, path: str, errors: list[FieldError]) -> None:
    if given and not wanted:
        errors.append(fe.forbidden(path))
    elif wanted and not given:
        errors.append(fe.required(path))


def _validate_fixed(spec: Part, name: str, errors: list[FieldError]) -> None:
    wanted = fixed.PRIORITY_LEVELS.get(name)
    if wanted is None:
        return
    exempt = name == "exempt"
    judged = {key: part for key, part in spec.items() if key != "exempt"} if exempt else spec
    if fe.struct(judged, _SPEC_FIELDS) != fe.struct(wanted, _SPEC_FIELDS):
        what = f"spec of '{name}' except the 'spec.exempt' field" if exempt else f"spec of '{name}'"
        errors.append(fe.invalid("spec", fe.struct(spec, _SPEC_FIELDS), f"{what} must equal the fixed value"))


def _validate_shares(part: Part, path: str, errors: list[FieldError]) -> None:
    shares = part.get("nominalConcurrencyShares")
    if shares is not None and shares < 0:
        errors.append(fe.invalid(f"{path}.nominalConcurrencyShares", shares, _SHARES))


def _validate_lendable(part: Part, path: str, errors: list[FieldError]) -> None:
    percent = part.get("lendablePercent")
    if percent is not None and not 0 <= percent <= 100:
        errors.append(fe.invalid(f"{path}.lendablePercent", percent, names.between(0, 100)))


def _validate_limited(limited: Part, path: str, errors: list[FieldError]) -> None:
    _validate_shares(limited, path, errors)
    _validate_response(limited.get("limitResponse") or {}, f"{path}.limitResponse", errors)
    _validate_lendable(limited, path, errors)
    borrowed = limited.get("borrowingLimitPercent")
    if borrowed is not None and borrowed < 0:
        errors.append(fe.invalid(f"{path}.borrowingLimitPercent", borrowed, f"if specified, {_SHARES}"))


def _validate_response(response: Part, path: str, errors: list[FieldError]) -> None:
    kind, queuing = response.get("type") or "", response.get("queuing")
    if kind and kind not in _RESPONSES:
        errors.append(fe.not_supported(f"{path}.type", kind, _RESPONSES))
    _validate_member(queuing is not None, kind == "Queue", f"{path}.queuing", errors)
    if not kind:
        errors.append(fe.required(f"{path}.type"))
    if kind == "Queue" and queuing is not None:
        _validate_queuing(queuing, f"{path}.queuing", errors)


def _validate_queuing(queuing: Part, path: str, errors: list[FieldError]) -> None:
    queues, hand, length = (queuing.get(field) or 0 for field in ("queues", "handSize", "queueLengthLimit"))
    if length <= 0:
        errors.append(fe.invalid(f"{path}.queueLengthLimit", length, "must be positive"))
    if queues <= 0:
        errors.append(fe.invalid(f"{path}.queues", queues, "must be positive"))
    elif queues > QUEUES_MAX:
        errors.append(fe.invalid(f"{path}.queues", queues, f"must not be greater than {QUEUES_MAX}"))
    if hand <= 0:
        errors.append(fe.invalid(f"{path}.handSize", hand, "must be positive"))
    elif hand > queues:
        errors.append(fe.invalid(f"{path}.handSize", hand, f"should not be greater than queues ({queues})"))
    elif math.ceil(math.log2(queues) * hand) > ENTROPY_BITS_MAX:
        needed = f"required entropy bits of deckSize {queues} and handSize {hand} should not be greater than {ENTROPY_BITS_MAX}"
        errors.append(fe.invalid(f"{path}.handSize", hand, needed))


RULES: Final = KindRules(
    default=default_priority_level, validate=validate_priority_level, validate_update=lambda new, _old: validate_priority_level(new),
    validate_status_update=lambda new, _old: validate_priority_level(new), prepare_status_update=keep_spec_and_metadata,
)

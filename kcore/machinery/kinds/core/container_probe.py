"""Probes and lifecycle hooks of a container.

Source: Kubernetes `pkg/apis/core/validation`, observed answers of 1.37.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kcore.machinery import names
from kcore.machinery.field_error import FieldError, forbidden, invalid, not_supported, required

Json = Mapping[str, Any]

_NEGATIVE: Final = "must be greater than or equal to 0"
_COUNTERS: Final = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_PROBE_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "sleep")
_SCHEMES: Final = ("HTTP", "HTTPS")


def validate_liveness_probe(probe: Json, path: str, errors: list[FieldError]) -> None:
    """Check a liveness or startup probe, which counts one success only."""
    _validate_probe(probe, path, errors)
    successes = probe.get("successThreshold") or 0
    if successes != 1:
        errors.append(invalid(f"{path}.successThreshold", successes, "must be 1"))


def validate_readiness_probe(probe: Json, path: str, errors: list[FieldError]) -> None:
    """Check a readiness probe, which never ends a container and so has no grace period."""
    _validate_probe(probe, path, errors)
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None:
        errors.append(invalid(f"{path}.terminationGracePeriodSeconds", grace, "must not be set for readinessProbes"))


def validate_probes(container: Json, path: str, errors: list[FieldError]) -> None:
    """Check the three probes of a container that stays running."""
    probe = container.get("livenessProbe")
    if probe is not None:
        validate_liveness_probe(probe, f"{path}.livenessProbe", errors)
    probe = container.get("readinessProbe")
    if probe is not None:
        validate_readiness_probe(probe, f"{path}.readinessProbe", errors)
    probe = container.get("startupProbe")
    if probe is not None:
        validate_liveness_probe(probe, f"{path}.startupProbe", errors)


def validate_lifecycle(lifecycle: Json, grace_period_s: int | None, path: str, errors: list[FieldError]) -> None:
    """Check the hooks of a container; `grace_period_s` bounds a sleep and is None where the pod has none."""
    for hook in ("postStart", "preStop"):
        handler = lifecycle.get(hook)
        if handler is not None:
            _validate_handler(handler, _HOOK_HANDLERS, grace_period_s, f"{path}.{hook}", errors)


def validate_port(port: Any, path: str, errors: list[FieldError]) -> None:
    """Check a port given as a number or by name; absent is the number 0."""
    if isinstance(port, str):
        for sentence in names.port_name(port):
            errors.append(invalid(path, port, sentence))
    else:
        number = port or 0
        for sentence in names.port_number(number):
            errors.append(invalid(path, number, sentence))


def _validate_probe(probe: Json, path: str, errors: list[FieldError]) -> None:
    _validate_handler(probe, _PROBE_HANDLERS, None, path, errors)
    for counter in _COUNTERS:
        value = probe.get(counter)
        if value is not None and value < 0:
            errors.append(invalid(f"{path}.{counter}", value, _NEGATIVE))
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        errors.append(invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0"))


def _validate_handler(handler: Json, kinds: tuple[str, ...], grace_period_s: int | None, path: str, errors: list[FieldError]) -> None:
    found = False
    for kind in kinds:
        action = handler.get(kind)
        if action is None:
            continue
        if found:
            errors.append(forbidden(f"{path}.{kind}", "may not specify more than 1 handler type"))
            continue
        found = True
        if kind == "exec":
            if not action.get("command"):
                errors.append(required(f"{path}.exec.command"))
        elif kind == "httpGet":
            _validate_http_get(action, f"{path}.httpGet", errors)
        elif kind == "sleep":
            _validate_sleep(action, grace_period_s, f"{path}.sleep", errors)
        else:
            validate_port(action.get("port"), f"{path}.{kind}.port", errors)
    if not found:
        errors.append(required(path, "must specify a handler type"))


def _validate_http_get(action: Json, path: str, errors: list[FieldError]) -> None:
    if not action.get("path"):
        errors.append(required(f"{path}.path"))
    validate_port(action.get("port"), f"{path}.port", errors)
    scheme = action.get("scheme") or ""
    if scheme not in _SCHEMES:
        errors.append(not_supported(f"{path}.scheme", scheme, _SCHEMES))
    for header in action.get("httpHeaders") or ():
        name = header.get("name") or ""
        for sentence in names.http_header_name(name):
            errors.append(invalid(f"{path}.httpHeaders", name, sentence))


def _validate_sleep(action: Json, grace_period_s: int | None, path: str, errors: list[FieldError]) -> None:
    seconds = action.get("seconds") or 0
    if grace_period_s is not None and not 0 <= seconds <= grace_period_s:
        detail = f"must be non-negative and less than terminationGracePeriodSeconds ({grace_period_s})"
        errors.append(invalid(path, seconds, detail))

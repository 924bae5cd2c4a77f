"""What classes say to the drivers of their volumes: names and values that Kubernetes does not understand.

Source: Kubernetes `pkg/apis/storage/validation`.
"""
from __future__ import annotations

from typing import Final

from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError

PARAMETERS_COUNT_MAX: Final = 512
PARAMETERS_SIZE_MAX: Final = 256 * 1024


def validate_parameters(parameters: dict[str, str], errors: list[FieldError]) -> None:
    """Check how many there are, and how large they are together."""
    if len(parameters) > PARAMETERS_COUNT_MAX:
        errors.append(fe.too_long("Provisioner Parameters exceeded max allowed", PARAMETERS_COUNT_MAX))
        return
    if "" in parameters:
        errors.append(fe.invalid("parameters", "", "field can not be empty."))
    if sum(len(key.encode()) + len((text or "").encode()) for key, text in parameters.items()) > PARAMETERS_SIZE_MAX:
        errors.append(fe.too_long("parameters", PARAMETERS_SIZE_MAX))

"""The annotation in which `kubectl apply` keeps the configuration that it applied last, before the server does so.

Source: apimachinery `pkg/util/managedfields/internal/lastappliedmanager.go`, `lastappliedupdater.go`.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from kcore.machinery import meta
from kcore.machinery.apply import fieldset
from kcore.machinery.apply.comparing import compare
from kcore.machinery.apply.fieldset import Set
from kcore.machinery.apply.schema import Map
from kcore.machinery.apply.typed import TypedError, fields_of
from kcore.machinery.field_error import FieldError

Object = dict[str, Any]
ANNOTATION: Final = "kubectl.kubernetes.io/last-applied-configuration"


def agreed(live: Object, api_version: str, shape: Map) -> Set | None:
    """The fields that the annotation states as they are in the object; None without an annotation that makes sense."""
    text = meta.annotations(live).get(ANNOTATION)
    if not text:
        return None
    try:
        stated = orjson.loads(text)
        if not isinstance(stated, dict) or stated.get("apiVersion") != api_version:
            return None
        fields = fields_of(stated, shape)
    except (orjson.JSONDecodeError, TypedError):
        return None
    removed, changed = compare(stated, live, shape)
    return fieldset.difference(fieldset.difference(fields, changed), removed)


def refreshed(obj: Object, wanted: Object) -> Object:
    """The object with the annotation brought up to date, if it has one."""
    annotations = meta.annotations(obj)
    if not annotations.get(ANNOTATION):
        return obj
    shown = wanted
    if meta.annotations(wanted):
        others = {name: value for name, value in meta.annotations(wanted).items() if name != ANNOTATION}
        shown = {**wanted, "metadata": {**meta.metadata(wanted), "annotations": others}}
    text = orjson.dumps(shown, option=orjson.OPT_SORT_KEYS).decode() + "\n"
    for char in "<>&":  # as Go writes them in JSON
        text = text.replace(char, f"\\u{ord(char):04x}")
    updated = {**annotations, ANNOTATION: text}
    errors: list[FieldError] = []
    meta.validate_annotations(updated, "", errors)
    if errors:  # too large to be kept
        del updated[ANNOTATION]
    return {**obj, "metadata": {**obj["metadata"], "annotations": updated}}

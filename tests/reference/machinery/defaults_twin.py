"""Defaulting as one would write it to be understood: at every message, look at every field's option."""

from __future__ import annotations

import json
from typing import Any

from kcore.machinery.codec import tables


def apply(message: str, obj: dict[str, Any]) -> dict[str, Any]:
    """Return the object with its defaults; the object itself is changed too."""
    declared = tables.messages()[message].message
    for field in declared.field:
        rule, entry = tables.rule(field), tables.map_value(declared, field)
        single = field.label != field.LABEL_REPEATED
        value = obj.get(field.json_name)
        is_scalar = field.type != field.TYPE_MESSAGE
        if rule.HasField("default_json") and (value is None or (rule.always and is_scalar and single and not value)):
            value = obj[field.json_name] = json.loads(rule.default_json)
        inner = (entry if entry is not None else field).type_name[1:]
        if not inner or tables.form(tables.messages()[inner].message):
            continue
        if rule.inline:
            apply(inner, obj)
        elif entry is not None:
            for item in (value or {}).values():
                apply(inner, item)
        elif not single:
            for item in value or []:
                apply(inner, item)
        elif value is not None:
            apply(inner, value)
        elif rule.always and (made := apply(inner, {})):
            obj[field.json_name] = made
    return obj

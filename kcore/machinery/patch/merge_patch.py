"""JSON merge patches.

Source: RFC 7386; evanphx/json-patch v4 for the order in which a patched text names its fields.
"""

from __future__ import annotations

from typing import Any


def merge(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch: null removes, objects merge, everything else replaces.

    Returns the patched value; neither argument is changed, unpatched parts are shared with `target`.
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def in_printed_order(merged: Any, patch: Any) -> Any:
    """A merged value as an error prints it: what the patch went through by name, as Go writes maps, everything else as it was."""
    if isinstance(merged, dict) and isinstance(patch, dict):
        return {name: in_printed_order(merged[name], patch.get(name)) for name in sorted(merged)}
    if isinstance(merged, list) and isinstance(patch, list):
        return [in_printed_order(item, item) for item in merged]
    return merged

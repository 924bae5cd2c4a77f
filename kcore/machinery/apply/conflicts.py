"""What an apply is told that wants to change what others own.

Source: apimachinery `pkg/util/managedfields/internal/conflict.go`.
"""

from __future__ import annotations

from kcore.machinery import status
from kcore.machinery.apply import fieldset
from kcore.machinery.apply.fieldset import Set
from kcore.machinery.apply.managers import UPDATE, ManagerKey, identifier
from kcore.machinery.field_error import quote
from kcore.machinery.status import StatusError

REASON = "FieldManagerConflict"


class ConflictsError(Exception):
    """Other managers own fields that an apply wants to change: what each of them owns of it."""

    def __init__(self, owned: dict[ManagerKey, Set]) -> None:
        super().__init__()
        self.owned = owned

    def causes(self) -> list[tuple[ManagerKey, str]]:
        """Each field that somebody owns, its managers as managedFields list them; Kubernetes promises no order of them."""
        return [(key, fieldset.text(path)) for key, owned in self.owned.items() for path in fieldset.paths(owned)]

    def status(self) -> StatusError:
        """The answer that names each field and its owner."""
        found = self.causes()[:]
        found.sort(key=lambda pair: identifier(pair[0]))
        causes = [{"reason": REASON, "message": f"conflict with {shown(key)}", "field": path} for key, path in self.causes()]
        if len(found) == 1:
            return status.apply_conflict(causes, f"Apply failed with 1 conflict: conflict with {shown(found[0][0])}: {found[0][1]}")
        lines: list[str] = []
        for key, path in found:
            title = f"conflicts with {shown(key)}:"
            if not lines or title not in lines:
                lines.append(title)
            lines.append(f"- {path}")
        return status.apply_conflict(causes, f"Apply failed with {len(found)} conflicts: " + "\n".join(lines))


def shown(key: ManagerKey) -> str:
    """A manager as a sentence names it."""
    name = quote(key.name)
    if key.subresource:
        name += f" with subresource {quote(key.subresource)}"
    return f"{name} using {key.api_version}" if key.operation == UPDATE else name

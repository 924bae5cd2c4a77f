"""One object of a configuration file, read field by field: what has the wrong type, or is known to nobody, is told with its path."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kcore.machinery import field_error as fe
from kcore.machinery.field_error import FieldError

Problems = list[FieldError]


class Fields:
    """An object at a path; each field is read once, and `close` tells of those that nobody read."""

    def __init__(self, value: Any, path: str, problems: Problems) -> None:
        self.path = path
        self.problems = problems
        self._known: list[str] = []
        self._left: dict[str, Any] = {}
        if isinstance(value, dict):
            self._left = {str(name): each for name, each in value.items() if each is not None}
        elif value is not None:
            problems.append(fe.invalid(path, value, "must be an object"))

    def at(self, name: str) -> str:
        """Return the path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Say whether a field is given."""
        return name in self._left

    def names(self) -> list[str]:
        """Return the fields that nobody has read yet."""
        return [*self._left]

    def raw(self, name: str) -> Any:
        """Return a field as it is, None where it is not given."""
        self._known.append(name)
        return self._left.pop(name, None)

    def integer(self, name: str, default: int, low: int | None = None, high: int | None = None, rule: str = "") -> int:
        """Return a whole number between bounds, which the rule states."""
        value = self.raw(name)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool):
            self.problems.append(fe.invalid(self.at(name), value, "must be an integer"))
            return default
        if (low is not None and value < low) or (high is not None and value > high):
            self.problems.append(fe.invalid(self.at(name), value, rule))
        return value

    def text(self, name: str, default: str = "", supported: Sequence[str] = ()) -> str:
        """Return a string, one of the supported ones where they are given."""
        value = self.raw(name)
        if value is None:
            return default
        if not isinstance(value, str):
            self.problems.append(fe.invalid(self.at(name), value, "must be a string"))
            return default
        if supported and value not in supported:
            self.problems.append(fe.not_supported(self.at(name), value, supported))
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a boolean."""
        value = self.raw(name)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.problems.append(fe.invalid(self.at(name), value, "must be true or false"))
        return default

    def object(self, name: str) -> Fields:
        """Return the object of a field, an empty one where it is not given."""
        return Fields(self.raw(name), self.at(name), self.problems)

    def items(self, name: str) -> list[Any]:
        """Return a list, an empty one where it is not given."""
        value = self.raw(name)
        if value is None or isinstance(value, list):
            return value or []
        self.problems.append(fe.invalid(self.at(name), value, "must be a list"))
        return []

    def objects(self, name: str) -> list[Fields]:
        """Return a list of objects."""
        return [Fields(each, f"{self.at(name)}[{index}]", self.problems) for index, each in enumerate(self.items(name))]

    def texts(self, name: str) -> list[str]:
        """Return a list of strings."""
        found = []
        for index, each in enumerate(self.items(name)):
            if isinstance(each, str):
                found.append(each)
            else:
                self.problems.append(fe.invalid(f"{self.at(name)}[{index}]", each, "must be a string"))
        return found

    def pass_over(self, *names: str) -> None:
        """Take fields for known that have no effect."""
        for name in names:
            self.raw(name)

    def close(self) -> None:
        """Tell of the fields that are not known."""
        for name in self._left:
            self.problems.append(fe.forbidden(self.at(name), f"unknown field; known are {', '.join(sorted(self._known))}"))

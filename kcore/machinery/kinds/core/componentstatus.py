"""What ComponentStatus has of its own: every request is told that it is old. Nothing writes one."""

from __future__ import annotations

from kcore.machinery.kinds.rules import KindRules

RULES = KindRules(deprecation="v1 ComponentStatus is deprecated in v1.19+")

"""RoleBinding: a role in one namespace. The rules are those of `binding`."""
from typing import Final

from kcore.machinery.kinds.rbac import binding
from kcore.machinery.kinds.rules import KindRules

RULES: Final[KindRules] = binding.ROLE_BINDING

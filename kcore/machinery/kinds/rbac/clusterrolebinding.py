"""ClusterRoleBinding: a role everywhere. The rules are those of `binding`."""
from typing import Final

from kcore.machinery.kinds.rbac import binding
from kcore.machinery.kinds.rules import KindRules

RULES: Final[KindRules] = binding.CLUSTER_ROLE_BINDING

"""The objects that a cluster has from its first start, and what of them is put right at every other.

    roles.txt --> `roles` --\
    `objects` ---------------> `ensure`: what is missing is created, what lacks something is completed, in one commit
    `flows` ----------------/
    `network`                addresses of Services that have no object; where the API server is reached
    `flow_upkeep`            while it runs: flow schemas say whether their level exists, and those that every cluster has come back

Namespaces, priority classes, the Service `kubernetes` and the ConfigMap extension-apiserver-authentication are only created; roles and
bindings that lost something get it back unless their annotation says that nobody is to touch them, and keep what was added to them.

Left out of what upstream makes: APIServices (they come with aggregation), the API server's Lease (one server holds the store), the
service accounts of controllers (their tokens are the part's own, `serve.users`), the ConfigMap that tracks tokens of the older
form (nothing makes such tokens by itself).
"""

from kcore.apiserver.bootstrap.ensure import ensure

__all__ = ["ensure"]

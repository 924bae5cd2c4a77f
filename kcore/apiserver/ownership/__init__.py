"""Who owns which field of an object, as writes go through the registry; server-side apply is one of them.

Guarantees
- A write that names no manager costs nothing here, and leaves `metadata.managedFields` as they stand.
- What a write owns is decided before admission: what admission or the kind's strategy adds is nobody's.
- An apply is a change like any patch, so that admission, rules and storage know nothing of it.

The rules are those of `machinery.apply`; here is what binds them to a request, in the version that the client speaks.
"""

from kcore.apiserver.ownership.applying import applied, is_apply
from kcore.apiserver.ownership.owners import track

__all__ = ["applied", "is_apply", "track"]

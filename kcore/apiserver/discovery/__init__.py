"""What the server says of itself: which groups, versions and resources it serves, its version, its health.

Guarantees
- Every document follows from the scheme: a kind that is served is listed, and nothing else is.
- Documents are built when somebody asks for them first, and kept as bytes; a start pays nothing.
- Equal schemes give equal bytes, and so equal ETags.

`Documents` is the door for a front-end, `health` answers for the checks that it is handed. Thread: any. It must never know an object.
"""

from kcore.apiserver.discovery.document import Document
from kcore.apiserver.discovery.documents import Documents
from kcore.apiserver.discovery.health import Check

__all__ = ["Check", "Document", "Documents"]

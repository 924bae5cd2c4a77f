"""Who may do what. One chain: system:masters may do all, then the Node authorizer, then RBAC; who is not let through is refused.

    authorizer.require(user, of_request(request))                # raises StatusError (403)
    authorizer.require(user, of_path("GET", "/metrics"))         # paths that are no resource, too
    authorizer.authorize(user, attributes) -> Decision           # with the reason, as a review tells it

Guarantees
- A decision rests on roles and bindings that are durable; whatever changes one of them is in force before its write is answered.
- What was allowed whatever the name is remembered until a role or binding changes; a refusal is decided anew every time.
- Escalation is refused in admission (`escalation.admit`): nobody grants what he does not have.

Thread: the event loop's. Cost: 0.3 us for what is remembered, 20 to 50 us for what is not. It must never know a front-end.
"""

from kcore.apiserver.authorization.attributes import Attributes, of_path, of_request
from kcore.apiserver.authorization.authorizer import Authorizer
from kcore.apiserver.authorization.decision import Decision

__all__ = ["Attributes", "Authorizer", "Decision", "of_path", "of_request"]

"""SelfSubjectReview and TokenReview: who the caller is, and whom a token belongs to.

Source: Kubernetes `pkg/registry/authentication`.
"""

from __future__ import annotations

from typing import Any, Final

from kcore.apiserver.authentication import Authenticator
from kcore.apiserver.authentication.accounts import InvalidToken
from kcore.apiserver.objects import Outcome
from kcore.apiserver.registry import Registry, Write
from kcore.apiserver.reviews.access import Handler, answered
from kcore.machinery import status
from kcore.machinery.request import User

Object = dict[str, Any]
NO_TOKEN: Final = "token is required for TokenReview in authentication"


def user_info(user: User) -> Object:
    """A user as reviews tell it."""
    found: Object = {"username": user.name, "uid": user.uid, "groups": list(user.groups)}
    found["extra"] = {key: list(values) for key, values in user.extra}
    return {name: value for name, value in found.items() if value}


def review_self(registry: Registry, write: Write, _obj: Object) -> Outcome:
    """Tell the caller who he is."""
    return answered(write, {"metadata": {"creationTimestamp": registry.now()}, "status": {"userInfo": user_info(write.caller)}})


def handlers(authenticator: Authenticator) -> dict[tuple[str, str], Handler]:
    """What a create of each kind does."""

    def review_token(_registry: Registry, write: Write, obj: Object) -> Outcome:
        spec = obj.get("spec") or {}
        if not spec.get("token"):
            raise status.bad_request(NO_TOKEN)
        try:
            known = authenticator.known(spec["token"], tuple(spec.get("audiences") or ()))
        except InvalidToken as error:
            return answered(write, {**obj, "status": {"user": {}, "error": str(error)}})
        told = {"authenticated": True, "user": user_info(known.user), "audiences": list(known.audiences)}
        return answered(write, {**obj, "status": told})

    return {("tokenreviews", ""): review_token}

"""What the operator decides about controllers."""

from __future__ import annotations

from dataclasses import dataclass

from kcore.base.features import NO_FEATURES, Features


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the controller manager; a controller reads its own.

    ca_pem        the CA bundle that pods find in `kube-root-ca.crt`; empty: none is published
    identity      the name of this process as a candidate for leadership
    leader_elect  stand by while another process leads
    controllers   names of those to run; empty: all that are on by default
    optional      names of those to run beside these, which are off by default
    features      those that are on; kinds of others are not there
    """

    ca_pem: str = ""
    identity: str = "kube-controller-manager"
    leader_elect: bool = True
    controllers: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    features: Features = NO_FEATURES

"""An API server over an open store, without a port: what `kcore apiserver`, `up --in-process` and `kcore.testing` have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kcore.apiserver.authorization import of_path
from kcore.apiserver.rest.frontend import RestFrontend
from kcore.apiserver.rpc_frontend import RpcFrontend
from kcore.apiserver.server import ApiServer
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.base.features import NO_FEATURES, Features
from kcore.machinery import scheme
from kcore.machinery.request import User
from kcore.serve.diagnostics import METRICS, exposition
from kcore.serve.networks import SERVICE_CIDRS
from kcore.store import Storage
from kcore.watch import Hub


@dataclass(frozen=True, slots=True)
class Plane:
    """An API server and its front-ends, to which ports or a `DirectTransport` lead."""

    server: ApiServer
    frontend: RpcFrontend
    rest: RestFrontend

    async def may_get_metrics(self, token: str) -> None:
        """Refuse who may not get the metrics. Raises StatusError (401, 403)."""
        user = self.frontend.authenticator.authenticate(f"Bearer {token}" if token else None)
        self.server.authorizer.require(user, of_path("GET", METRICS))


@dataclass(frozen=True, slots=True)
class Keys:
    """What an API server keeps of its folder of keys, in PEM.

    signing    signs the tokens of service accounts; without it they are good as long as the server runs
    client_ca  what client certificates are checked by; without it there is no ConfigMap that tells others
    """

    signing: bytes | None = None
    client_ca: str = ""


async def assembled(
    storage: Storage,
    users: Mapping[str, User],
    clock: Clock,
    entropy: Entropy,
    service_cidrs: Sequence[str] = SERVICE_CIDRS,
    origin: Hub | None = None,
    keys: Keys = Keys(),
    features: Features = NO_FEATURES,
) -> Plane:
    """Put an API server together and create the objects that every cluster has.

    users     whom each token belongs to
    origin    the hub of the store that `storage` is a fork of
    features  those that are on
    """
    server = ApiServer(scheme.load(features), storage, clock, entropy, list(service_cidrs), origin, keys.signing, features)
    await server.bootstrap(keys.client_ca)
    authenticator = server.authenticator(users)
    rest = RestFrontend(server.pipeline, authenticator, clock, entropy, server.tokens.key, exposition)
    return Plane(server, RpcFrontend(server.pipeline, authenticator), rest)

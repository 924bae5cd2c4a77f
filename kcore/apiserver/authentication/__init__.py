"""Who a request comes from. One chain: client certificate, token file, tokens of service accounts; who shows nothing is anonymous.

    authenticator.authenticate(authorization, certificate, impersonation) -> User      # raises StatusError: 401, 403, 400
    chain.warnings(authorization)                                                      # what to warn of, for REST

Guarantees
- A credential that nobody has, or that is good no longer, is refused (401); one that is no bearer token at all is as none.
- Nothing of a token is kept but its digest; how long a look-up takes tells nothing about tokens that are nearly right.
- Impersonation is carried out last, and asks the authorizer for each user, group and extra (`impersonation`).

Front-proxy headers take their place in `Authenticator.authenticate` before the certificate; OIDC and bootstrap tokens in
`Authenticator.known`, behind those that are there. Thread: the event loop's. It must never know a front-end.

Source: CONTRACT A20; Kubernetes apiserver `pkg/authentication`.
"""

from kcore.apiserver.authentication.chain import AUTHENTICATED, Authenticator
from kcore.apiserver.authentication.tokenfile import TokenFileError, read_token_file

__all__ = ["AUTHENTICATED", "Authenticator", "TokenFileError", "read_token_file"]

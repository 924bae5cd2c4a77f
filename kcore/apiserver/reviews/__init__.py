"""Questions that are put as objects: they are created and answered, and never stored.

`access` answers who may do what, `identity` who somebody is, `token_request` gives a service account's token. Each has
`handlers(...)`, which the pipeline takes for creates: (resource, subresource) -> a function of (registry, write, object), as in
`subresources.CREATE`.

Source: Kubernetes `pkg/registry/authorization`, `pkg/registry/authentication`, `pkg/registry/core/serviceaccount/storage`.
"""

"""OpenAPI: the schemas and operations of everything that is served, derived from the descriptors and the scheme.

Guarantees
- Names, types, formats, defaults, enums and the `x-kubernetes` extensions are those that Kubernetes publishes; descriptions are kcore's
  own, from the comments of proto/.
- A document of a group and version holds every schema that it refers to.

Pure functions from descriptors to dicts; `kcore.apiserver.discovery` keeps their results as bytes. It must never know an object.
"""

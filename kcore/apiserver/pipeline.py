"""From a Request to an Outcome: the one way for every front door.

Guarantees
- Every front-end, and every item of a bulk write, goes through `Pipeline.write`, so that rules about objects stand nowhere else.
- A write is decided synchronously and in order; its Outcome's submission says when it is durable. Who answers a client awaits that first.
- Nothing is stored of a request that fails.

Source: DESIGN D5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kcore.apiserver import body as bodies
from kcore.apiserver import subresources
from kcore.apiserver.authentication import authorize
from kcore.apiserver.collection import delete_collection
from kcore.apiserver.objects import Outcome
from kcore.apiserver.reads import Reads
from kcore.apiserver.registry import Registry, Write
from kcore.machinery import codec, patch, request_options, status
from kcore.machinery.gvk import GroupVersionKind, GroupVersionResource
from kcore.machinery.request import Request
from kcore.machinery.scheme import KindSpec, Scheme

Object = dict[str, Any]
Change = Callable[[Object], Object]
MERGE_PATCH = "application/merge-patch+json"
DELETE_OPTIONS = GroupVersionKind("meta.k8s.io", "v1", "DeleteOptions")
DELETE_OPTIONS_MESSAGE = "kcore.api.meta.v1.DeleteOptions"


class Pipeline:
    """The stages of a request, over one registry (writes) and one view (reads)."""

    def __init__(self, scheme: Scheme, registry: Registry, reads: Reads) -> None:
        self.scheme, self.registry, self.reads = scheme, registry, reads

    def resolve(self, request: Request) -> KindSpec:
        """The kind that a request is about. Raises StatusError if it is not served, or not with this verb or subresource."""
        spec = self.scheme.resources.get(GroupVersionResource(request.group, request.version, request.resource))
        if spec is None or spec.converted:
            raise status.no_such_resource()
        if request.subresource:
            sub = spec.subresources.get(request.subresource)
            if sub is None:
                raise status.no_such_resource()
            if request.verb not in sub.verbs:
                raise status.method_not_allowed()
        elif request.verb not in spec.verbs:
            raise status.method_not_allowed()
        elif not spec.storage:
            raise status.method_not_supported(spec.resource, spec.group, request.verb)
        return spec

    def read(self, request: Request) -> tuple[KindSpec, Outcome]:
        """Answer a get."""
        spec = self.resolve(request)
        authorize(request.user)
        if request.subresource == "scale":
            return spec, subresources.get_scale(self.registry, self.writing(spec, request))
        return spec, self.reads.get(spec, request.namespace, request.name)

    def write(self, request: Request) -> Outcome:
        """Decide a create, update, patch or delete."""
        spec = self.resolve(request)
        authorize(request.user)
        if request.verb in ("delete", "deletecollection"):
            return self.delete(spec, request)
        request_options.check(request.verb, request.options, request.content_type)
        write = self.writing(spec, request)
        if request.subresource == "":
            return self.write_object(write, request)
        return self.write_subresource(write, request)

    def writing(self, spec: KindSpec, request: Request) -> Write:
        """The frame of a write."""
        namespace = request.namespace if spec.namespaced else ""
        if spec.namespaced and not namespace and request.verb != "deletecollection":
            raise status.bad_request(
                "an empty namespace may not be set during creation" if request.verb == "create" else "namespace is required"
            )
        return self.registry.writing(spec, namespace, request.name, request.user.name, request.dry_run, request.subresource)

    def delete(self, spec: KindSpec, request: Request) -> Outcome:
        """Delete an object or a collection; the options stand in the request's options or body."""
        if request.body:
            if isinstance(request.body, bytes) and request.body[:4] != codec.MAGIC:
                found, _ = bodies.parse_text(request.body, request.content_type or bodies.JSON, DELETE_OPTIONS)
                request.body = (
                    {name: value for name, value in found.items() if name not in ("apiVersion", "kind")}
                    if isinstance(found, dict)
                    else found
                )
            request.options = {**request.options, **self.decoded(request, DELETE_OPTIONS, DELETE_OPTIONS_MESSAGE)[0]}
        request_options.check(request.verb, request.options)
        write = self.writing(spec, request)
        if request.verb == "delete":
            return self.registry.delete(write, request.options)
        return delete_collection(self.registry, self.reads, write, request.options)

    def write_object(self, write: Write, request: Request) -> Outcome:
        """Create, update or patch an object itself."""
        spec = write.spec
        if request.verb == "patch":
            return self.registry.update(write, self.patched(request, spec.gvk, spec.message))
        found, warnings = self.decoded(request, spec.gvk, spec.message)
        if request.verb == "create":
            if request.name and not (found.get("metadata") or {}).get("name"):
                found.setdefault("metadata", {})["name"] = request.name
            made = self.registry.create(write, found)
        else:
            made = self.registry.update(write, lambda _: found)
        made.warnings += warnings
        return made

    def write_subresource(self, write: Write, request: Request) -> Outcome:
        """Write a part of an object."""
        spec = write.spec
        gvk = spec.subresources[request.subresource].body
        message = self.scheme.message_of(gvk.api_version, gvk.kind)
        if message is None:
            raise status.no_such_resource()
        if request.verb == "create":
            handler = subresources.CREATE.get((spec.resource, request.subresource))
            if handler is None:
                raise status.method_not_supported(f"{spec.resource}/{request.subresource}", spec.group, "create")
            return handler(self.registry, write, self.decoded(request, gvk, message)[0])
        change: Change
        if request.verb == "patch":
            change = self.patched(request, gvk, message)
        else:
            found, _ = self.decoded(request, gvk, message)

            def change(_: Object) -> Object:
                return found

        if request.subresource == "scale":
            return subresources.update_scale(self.registry, write, change)
        if request.subresource == "finalize":
            return subresources.finalize(self.registry, write, change)
        return self.registry.update(write, change)

    def decoded(self, request: Request, gvk: GroupVersionKind, message: str) -> tuple[Object, list[str]]:
        """The body's object, and the warnings about its fields; strict validation makes them an error."""
        validation = request.options.get("fieldValidation") or "Warn"
        body = bodies.decode(request.body or b"", request.content_type, gvk, message)
        if not body.complaints or validation == "Ignore":
            return body.obj, []
        if validation == "Strict":
            sentence = ", ".join(body.complaints)
            raise status.bad_request(
                f'{gvk.kind} in version "{gvk.version}" cannot be handled as a {gvk.kind}: strict decoding error: {sentence}'
            )
        return body.obj, body.complaints

    def patched(self, request: Request, gvk: GroupVersionKind, message: str) -> Change:
        """What a patch makes of an object."""
        media = request.content_type.partition(";")[0].strip()
        if media != MERGE_PATCH:
            raise status.method_not_supported(request.resource, request.group, f"patch of type {media}")
        changes = bodies.parse_text(request.body, bodies.JSON, gvk)[0] if isinstance(request.body, bytes) else request.body

        def change(old: Object) -> Object:
            if not old:
                raise status.not_found(request.resource, request.group, request.name)
            merged = patch.merge(old, changes)
            if "resourceVersion" not in (changes.get("metadata") or {} if isinstance(changes, dict) else {}):
                merged["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
            return bodies.checked(merged, [], gvk, message).obj

        return change

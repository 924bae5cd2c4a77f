"""From a Request to an Outcome: the one way for every front door.

Guarantees
- Every front-end, and every item of a bulk write, goes through `Pipeline.write`, so that rules about objects stand nowhere else.
- A write is decided synchronously and in order; its Outcome's submission says when it is durable. Who answers a client awaits that first.
- Nothing is stored of a request that fails.

Source: DESIGN D5.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson

from kcore.apiserver import body as bodies
from kcore.apiserver import ownership, subresources
from kcore.apiserver.authorization import Authorizer, node_restriction
from kcore.apiserver.edits.status import StatusPatches
from kcore.apiserver.entry import aside
from kcore.apiserver.entry.gate import Gate
from kcore.apiserver.likeness import Sketch, sketch
from kcore.apiserver.logs import connections
from kcore.apiserver.logs import options as logs
from kcore.apiserver.logs.podlog import Follower
from kcore.apiserver.objects import Outcome, durable
from kcore.apiserver.patching import change as patching
from kcore.apiserver.reads import MADE, Reads
from kcore.apiserver.registry import Registry, Write, check_name, own
from kcore.base import limits
from kcore.machinery import codec, conversion, kinds, request_options, status
from kcore.machinery.gvk import GroupVersionKind, GroupVersionResource
from kcore.machinery.kinds.rules import never
from kcore.machinery.request import Request
from kcore.machinery.scheme import KindSpec, Scheme
from kcore.store.storage import Submission

Object = dict[str, Any]
PARTS_READ = ("", "status", "scale", "ephemeralcontainers", "resize", "approval")
LIST_OPTIONS = ("labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "resourceVersionMatch")
DOUBLE_OWNERS = (
    ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests "
    "as early as 1.24; please fix your requests; duplicate UID(s) observed: {}"
)
DOUBLE_OWNERS_AFTER = DOUBLE_OWNERS.replace("entries;", "entries after mutating admission happens;")
DELETE_OPTIONS = ("dryRun", "gracePeriodSeconds", "propagationPolicy", "orphanDependents", "preconditions")


class Pipeline:
    """The stages of a request, over one registry (writes) and one view (reads).

    gate      where a front-end waits until a request may go through these stages
    creating  (resource, subresource) -> what a create does that stores no object of its kind
    """

    def __init__(self, scheme: Scheme, registry: Registry, reads: Reads, authorizer: Authorizer) -> None:
        self.scheme, self.registry, self.reads, self.authorizer = scheme, registry, reads, authorizer
        self.gate = Gate(scheme, registry.storage, self.objects_of)
        self.resolved: dict[tuple[str, ...], KindSpec] = {}
        self.creating = dict(subresources.CREATE)
        self.status_patches = StatusPatches()

    def resolve(self, request: Request) -> KindSpec:
        """The kind that a request is about. Raises StatusError if it is not served, or not with this verb or subresource."""
        asked = (request.verb, request.group, request.version, request.resource, request.subresource)
        found = self.resolved.get(asked)
        if found is None:
            found = self.resolved[asked] = self.resolve_anew(request)
        return found

    def resolve_anew(self, request: Request) -> KindSpec:
        """The kind, from the scheme; only what is served is remembered, so that memory is bounded by what there is."""
        spec = self.scheme.resources.get(GroupVersionResource(request.group, request.version, request.resource))
        if spec is None:
            raise status.no_such_resource()
        if request.subresource:
            sub = spec.subresources.get(request.subresource)
            if sub is None:
                raise status.no_such_resource()
            if request.verb not in sub.verbs:
                raise status.method_not_allowed()
        elif request.verb not in spec.verbs:
            raise status.method_not_allowed()
        elif not spec.storage and (spec.resource, "") not in self.creating and spec.resource not in MADE:
            raise status.method_not_supported(spec.resource, spec.group, request.verb)
        return spec

    def objects_of(self, request: Request) -> int:
        """How many objects there are of the kind that a request is about."""
        spec = self.scheme.resources.get(GroupVersionResource(request.group, request.version, request.resource))
        return len(self.reads.hub.resources[spec.storage].present) if spec is not None and spec.storage else 0

    def permitted(self, request: Request) -> KindSpec:
        """The kind that a request is about. Raises StatusError if it is not served, or its user may not ask for it."""
        spec = self.resolve(request)
        if request.namespace and not spec.namespaced:
            request.namespace = ""
        if not request.is_permitted:
            self.authorizer.check(request)
            request.is_permitted = True
        return spec

    async def read_since(self, request: Request) -> tuple[KindSpec, Outcome]:
        """Answer a get that may ask for a resourceVersion which is still to come."""
        if request.options.get("resourceVersion") and not request.subresource:
            spec = self.permitted(request)
            return spec, await self.reads.get_since(spec, request.namespace, request.name, request.options)
        return self.read(request)

    def read(self, request: Request) -> tuple[KindSpec, Outcome]:
        """Answer a get."""
        spec = self.permitted(request)
        if request.subresource in connections.CONNECTIONS:
            raise self.refused_connection(spec, request)
        if request.subresource not in PARTS_READ:
            raise status.method_not_supported(f"{spec.resource}/{request.subresource}", spec.group, "get")
        if request.subresource == "scale":
            return spec, subresources.get_scale(self.registry, self.writing(spec, request))
        return spec, self.reads.get(spec, request.namespace, request.name)

    def open_log(self, request: Request) -> tuple[Object, Follower | None]:
        """The pod whose log is asked for, and who reads it; None where nothing can be printed yet, which is answered 204 with no body.

        Raises  StatusError: 404 if there is no such pod, 400 and 422 for what cannot be asked for
        """
        spec = self.permitted(request)
        options = logs.read(request.options, request.name)
        pod = self.reads.get(spec, request.namespace, request.name).obj()
        container = logs.container_of(pod, request.options.get("container", ""))
        return pod, Follower(container, options) if (pod.get("spec") or {}).get("nodeName") else None

    def refused_connection(self, spec: KindSpec, request: Request) -> status.StatusError:
        """Why a connection cannot be made. Raises StatusError: 404 if there is nothing to connect to, 400 if it is not said to what."""
        is_proxy = request.subresource == connections.PROXY
        name = connections.addressee(spec.kind, request.name) if is_proxy else request.name
        found = self.reads.get(spec, request.namespace, name).obj()
        return connections.refusal(found, spec.resource, request.subresource, request.options)

    async def written(self, request: Request) -> Outcome:
        """Decide a create, update, patch or delete, and wait until it is durable; of a large one the loop does not wait for all work."""
        body = request.body
        large = len(body) > limits.LARGE_WRITE_BYTES if isinstance(body, bytes) else False
        if large or (request.verb == "patch" and self.is_large(request)):
            return await durable(await aside.decided(partial(self.write, request)))
        return await durable(self.write(request))

    def is_large(self, request: Request) -> bool:
        """Whether the object that a request is about is large."""
        spec = self.resolve(request)
        namespace = request.namespace if spec.namespaced else ""
        found = self.registry.storage.head(spec.key(namespace, request.name)) if spec.storage else None
        return found is not None and len(found.value) > limits.LARGE_WRITE_BYTES

    def write(self, request: Request) -> Outcome:
        """Decide a create, update, patch or delete."""
        spec = self.permitted(request)
        if request.verb in ("delete", "deletecollection"):
            written = self.delete(spec, request)
        else:
            if request.verb == "patch":
                patching.check_media_type(request.content_type)
            if request.options or request.verb == "patch":
                request_options.check(request.verb, request.options, request.content_type)
            write = self.writing(spec, request)
            ownership.track(self.registry, write, request)
            written = self.write_subresource(write, request) if request.subresource else self.write_object(write, request)
        if sentences := self.deprecation(spec):
            written.warnings[:0] = sentences
        return self.served(spec, written) if spec.converted else written

    def served(self, spec: KindSpec, written: Outcome) -> Outcome:
        """What a write came to, in the version in which it was asked for."""
        kept = self.scheme.stored_version(spec)
        if written.message == kept.message:
            written.stored = conversion.message(spec, kept)(written.stored)
            written.message, written.api_version, written.kind = spec.message, spec.api_version, spec.kind
        return written

    def deprecation(self, spec: KindSpec) -> list[str]:
        """What every request for a kind warns of, whatever its answer."""
        sentence = kinds.rules_of(spec.group, spec.kind, spec.message).deprecation
        return [sentence] if sentence else []

    def writing(self, spec: KindSpec, request: Request) -> Write:
        """The frame of a write."""
        namespace = request.namespace if spec.namespaced else ""
        if spec.namespaced and not namespace and request.verb != "deletecollection":
            raise status.bad_request(
                "an empty namespace may not be set during creation" if request.verb == "create" else "namespace is required"
            )
        write = self.registry.writing(spec, namespace, request.name, request.user.name, request.dry_run, request.subresource)
        write.caller = request.user
        return write

    def delete(self, spec: KindSpec, request: Request) -> Outcome:
        """Delete an object or a collection; the options stand in the request's options or body."""
        if request.body:
            given = bodies.delete_options(request.body, request.content_type)
            if given is not None:  # they take the place of those in the query
                kept = {name: value for name, value in request.options.items() if name not in DELETE_OPTIONS}
                request.options = {**kept, **given}
        request_options.check(request.verb, request.options)
        write = self.writing(spec, request)
        if request.verb == "delete":
            return self.registry.delete(write, request.options)
        return self.delete_collection(write, request.options)

    def delete_collection(self, write: Write, options: Object) -> Outcome:
        """Delete what matches, each by its own rules; -> the list as it was. What somebody else deleted meanwhile is passed over."""
        spec = write.served
        raw, names = self.reads.collection(spec, write.namespace, {name: options[name] for name in LIST_OPTIONS if name in options})
        last: Submission | None = None
        for namespace, name in names:
            each = self.registry.writing(spec, namespace, name, write.user, write.dry_run)
            each.caller = write.caller
            try:
                last = self.registry.delete(each, options).submission or last
            except status.StatusError as error:
                if error.reason != "NotFound":
                    raise
        doubts = self.registry.doubts_of_deletion(write, options)
        return Outcome(spec.list_message, spec.api_version, f"{spec.kind}List", raw, last, warnings=doubts)

    def write_object(self, write: Write, request: Request) -> Outcome:
        """Create, update or patch an object itself."""
        spec = write.served
        if request.verb == "patch":
            return self.patch(write, request, spec.gvk, spec.message)
        wanted = self.sketch(write, request)
        repeated = None if wanted is None else self.registry.create_alike(write, wanted)
        if repeated is not None:
            return repeated
        found, warnings = self.decoded(request, spec.gvk, spec.message)
        found = conversion.stored(spec, found)
        write.given = partial(bodies.reread, request.body, request.content_type)
        warnings += owned_once(found, DOUBLE_OWNERS)
        if not spec.storage:
            own(write, found, None, found.setdefault("metadata", {}).pop("managedFields", None))
            return warned(warnings, lambda: self.creating[spec.resource, ""](self.registry, write, found))
        if request.verb == "create":
            if request.name and not (found.get("metadata") or {}).get("name"):
                found.setdefault("metadata", {})["name"] = request.name
            return warned(warnings, lambda: self.registry.create(write, found, wanted))
        check_name(found, request.name)
        return warned(warnings, lambda: self.registry.update(write, lambda _: found))

    def sketch(self, write: Write, request: Request) -> Sketch | None:
        """What a create asks for, if what is decided about it may hold for others."""
        body = request.body
        if request.verb != "create" or write.rules.alike is never or request.options or not isinstance(body, bytes):
            return None
        if write.owners is not None or node_restriction.is_node(write.caller):
            return None
        if not is_bare(request) or len(body) > limits.REQUEST_BODY_BYTES_MAX:
            return None
        found = sketch(write.spec, write.namespace, write.user, body)
        return found._replace(name=request.name) if found is not None and not found.name else found

    def write_subresource(self, write: Write, request: Request) -> Outcome:
        """Write a part of an object."""
        spec = write.served
        if request.subresource in connections.CONNECTIONS:
            raise self.refused_connection(spec, request)
        gvk = spec.subresources[request.subresource].body
        message = self.scheme.message_of(gvk.api_version, gvk.kind)
        if message is None:
            raise status.no_such_resource()
        if request.verb == "create":
            handler = self.creating.get((spec.resource, request.subresource))
            if handler is None:
                raise status.method_not_supported(f"{spec.resource}/{request.subresource}", spec.group, "create")
            found, warnings = self.decoded(request, gvk, message)
            return warned(warnings, lambda: handler(self.registry, write, found))
        if request.verb == "patch":
            return self.patch(write, request, gvk, message)
        body = request.body
        if request.subresource == "status" and isinstance(body, bytes) and write.owners is None and is_bare(request):
            request.body = status_part(message, body)
        found, warnings = self.decoded(request, gvk, message)
        check_name(found, request.name)
        write.given = partial(bodies.reread, request.body, request.content_type)
        return warned(warnings, lambda: self.update(write, request, gvk, lambda _: found))

    def patch(self, write: Write, request: Request, gvk: GroupVersionKind, message: str) -> Outcome:
        """Patch an object or a part of it."""
        write.patching = True
        if ownership.is_apply(request):
            warnings: list[str] = []
            change = ownership.applied(write, request, gvk, message, warnings, self.registry.now())
            return warned(warnings, lambda: self.update(write, request, gvk, change))
        return self.status_patches.patch(self.registry, write, request, lambda: self.patch_anew(write, request, gvk, message))

    def patch_anew(self, write: Write, request: Request, gvk: GroupVersionKind, message: str) -> Outcome:
        """Apply a patch that is no server-side apply."""
        patched = patching.read(request, gvk, message)
        write.given = lambda: patched.given()
        apply = patched.apply_to_status if write.subresource == "status" and write.owners is None else patched.apply

        def change(old: Object) -> Object:
            new = apply(old)
            patched.warnings.extend(owned_once(new, DOUBLE_OWNERS_AFTER))
            return new

        return warned(patched.warnings, lambda: self.update(write, request, gvk, change))

    def update(self, write: Write, request: Request, gvk: GroupVersionKind, change: Callable[[Object], Object]) -> Outcome:
        """Change an object or a part of it, in the version in which the request speaks of it."""
        if gvk == write.served.gvk:
            change = conversion.around(write.served, change)
        return subresources.UPDATE.get(request.subresource, Registry.update)(self.registry, write, change)

    def decoded(self, request: Request, gvk: GroupVersionKind, message: str) -> tuple[Object, list[str]]:
        """The body's object, and the warnings about its fields."""
        body = aside.done(bodies.decode, request.body or b"", request.content_type, gvk, message)
        try:
            return body.obj, complaints(request, body)
        except StrictError as error:
            raise status.bad_request(bodies.cannot_be_handled(gvk, {}, str(error))) from error


def owned_once(obj: Object, sentence: str) -> list[str]:
    """Drop owners that are there twice; what that is warned of."""
    owners = (obj.get("metadata") or {}).get("ownerReferences") or ()
    if len(owners) < 2:
        return []
    kept: dict[bytes, Object] = {}  # by its text: there may be tens of thousands
    doubled = []
    for owner in owners:
        if kept.setdefault(orjson.dumps(owner, option=orjson.OPT_SORT_KEYS), owner) is not owner:
            doubled.append(owner.get("uid", ""))
    if not doubled:
        return []
    obj["metadata"]["ownerReferences"] = list(kept.values())
    return [sentence.format(", ".join(doubled))]


def warned(warnings: list[str], act: Callable[[], Outcome]) -> Outcome:
    """Write; what is warned of is said whether the write succeeds or not."""
    try:
        made = act()
    except status.StatusError as error:
        error.warnings[:0] = warnings
        raise
    made.warnings = warnings + made.warnings
    return made


def is_bare(request: Request) -> bool:
    """Whether the body is bytes of a message without envelope."""
    return request.content_type == bodies.PROTOBUF and isinstance(request.body, bytes) and not request.body.startswith(codec.MAGIC)


def status_part(message: str, body: bytes) -> bytes:
    """What a status update is about: nothing else of the body is looked at, whatever the kind. What cannot be read stays as it is."""
    try:
        return codec.status_part(message)(body)
    except codec.DecodeError:
        return body


class StrictError(ValueError):
    """Strict field validation found something."""


def complaints(request: Request, body: bodies.Body) -> list[str]:
    """The warnings about a body's fields. Raises StrictError if they are to be errors."""
    validation = request.options.get("fieldValidation") or "Warn"
    if not body.complaints or validation == "Ignore":
        return []
    if validation == "Strict":
        raise StrictError(f"strict decoding error: {', '.join(body.complaints)}")
    return [line.strip() for sentence in body.complaints for line in sentence.removeprefix(bodies.YAML_COMPLAINT).strip().splitlines()]

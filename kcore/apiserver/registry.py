"""Writes of objects: what holds for every kind, once.

A write is evaluated at once against the newest state, durable or not (`Storage.head`), and returns an Outcome whose submission the caller
awaits: between reading and submitting nothing else runs, so a write never loses a race inside this server. Rules of a kind come from its
KindRules, admission from the chain.

Source: Kubernetes apiserver `pkg/registry/generic/registry/store.go`, `pkg/registry/rest`; CONTRACT A6, A15.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from kcore.apiserver import admission, strategy
from kcore.apiserver.admission.along import Along
from kcore.apiserver.edits import deletion
from kcore.apiserver.entry import aside
from kcore.apiserver.likeness import Likenesses, Sketch
from kcore.apiserver.likeness import another as likeness_of_another
from kcore.apiserver.objects import Outcome, Stored, encode, outcome
from kcore.base import limits
from kcore.base.clock import Clock
from kcore.base.entropy import Entropy
from kcore.base.features import NO_FEATURES, Features
from kcore.machinery import codec, field_error, kinds, meta, status, timestamp
from kcore.machinery.apply import managers
from kcore.machinery.kinds import rules
from kcore.machinery.kinds.certificates import certificatesigningrequest
from kcore.machinery.kinds.core import pod
from kcore.machinery.kinds.rules import KindRules
from kcore.machinery.quantity import parse_int64
from kcore.machinery.request import ANONYMOUS, User
from kcore.machinery.scheme import KindSpec, Scheme
from kcore.store.storage import Storage, StoreError, Submission, create_txn, delete_txn, update_txn

Object = dict[str, Any]
REGISTRY = "/registry"
READABLE = (
    "StorageError: invalid object, Code: 4, Key: {}, ResourceVersion: 0, "
    "AdditionalErrorMsg: unsafe deletion is not allowed because the object is decodable from storage"
)


Owners = Callable[[Object, Object | None, list[Object] | None], list[Object]]


def put_empties_back(obj: Any, given: Any) -> bool:
    """Put the empty lists and objects that were given in where there is nothing now; tell whether there were any."""
    found = False
    if isinstance(obj, dict) and isinstance(given, dict):
        for name, value in given.items():
            if value in ([], {}) and obj.get(name) is None:
                obj[name], found = value, True
            elif name != "managedFields":  # whose sets share their leaves
                found |= put_empties_back(obj.get(name), value)
    elif isinstance(obj, list) and isinstance(given, list) and len(obj) == len(given):
        for each, value in zip(obj, given, strict=True):
            found |= put_empties_back(each, value)
    return found


def nothing() -> None:
    """There is no text that an object was read from."""


@dataclass(slots=True)
class Write:
    """One write as its stages see it.

    spec      the kind in the version that is stored
    rules     those of the version that the client speaks, over the stored form
    served    the kind in the version that the client speaks
    suffix    draws what makes names unique that admission gives
    patching  the new object is made from the stored one: its uid is no precondition
    caller    who asks, with groups; `user` is the name
    may_create  the update of an object that is not there makes it, whatever the kind
    owners    the managedFields of the new object from (new, old or None, those that came with it); None leaves the stored ones
    given     the object as the client wrote it, for errors that show values; None if it came in another form than JSON
    now       reads the clock, in seconds since the epoch
    along     what else is written in the same commit
    warnings  what admission warns of
    """

    spec: KindSpec
    rules: KindRules
    served: KindSpec
    namespace: str
    name: str
    user: str
    dry_run: bool = False
    subresource: str = ""
    operation: str = "CREATE"
    suffix: Callable[[], str] = str
    patching: bool = False
    caller: User = ANONYMOUS
    may_create: bool = False
    owners: Owners | None = None
    given: Callable[[], Any] = nothing
    now: Callable[[], float] = float
    along: tuple[Along, ...] = ()
    warnings: tuple[str, ...] = ()

    def shown_key(self) -> str:
        """The object's key as errors show it: a dry run never comes to the store, which puts its prefix before."""
        key = self.spec.key(self.namespace, self.name).decode()
        return key.removeprefix(REGISTRY) if self.dry_run else key


@dataclass(frozen=True, slots=True)
class Part:
    """The part of an object that an update is about: how it is prepared and judged."""

    prepare: Callable[[KindRules], Callable[[Object, Object], None]]
    check: Callable[[KindRules, Object, Object], list[field_error.FieldError]]


def part_check(validate: rules.ValidateUpdate) -> Callable[[KindRules, Object, Object], list[field_error.FieldError]]:
    """The judgement of a part of the spec: the metadata's rules as in every update, the part's in the place of the kind's."""
    return lambda of, new, old: rules.check_update(replace(of, validate_update=validate), new, old)


MAIN = Part(lambda of: of.prepare_update, rules.check_update)
PARTS = {
    "status": Part(lambda of: of.prepare_status_update, rules.check_status_update),
    "ephemeralcontainers": Part(lambda _: pod.prepare_ephemeral_containers_update, part_check(pod.validate_ephemeral_containers_update)),
    "resize": Part(lambda _: pod.prepare_resize, part_check(pod.validate_resize)),
    "approval": Part(
        lambda _: certificatesigningrequest.prepare_approval, part_check(certificatesigningrequest.validate_approval_update),
    ),
}


class Registry:
    """The writing half of the API server."""

    def __init__(
        self, scheme: Scheme, storage: Storage, clock: Clock, entropy: Entropy, chain: admission.Chain, features: Features = NO_FEATURES
    ) -> None:
        self.features = features
        self.scheme, self.storage, self.clock, self.entropy, self.chain = scheme, storage, clock, entropy, chain
        self.likenesses = Likenesses(chain.cluster)
        self.second, self.second_text = -1, ""

    def now(self) -> str:
        """The present second as objects state it; written once a second."""
        second = int(self.clock.now())
        if second != self.second:
            self.second, self.second_text = second, timestamp.format_time(second)
        return self.second_text

    # reading what writes rest on

    def head(self, spec: KindSpec, namespace: str, name: str) -> Stored | None:
        """The newest state of an object, durable or not."""
        found = self.storage.head(spec.key(namespace, name))
        return None if found is None else Stored(spec, found)

    def require(self, spec: KindSpec, namespace: str, name: str) -> Stored:
        """The newest state of an object; NotFound if there is none."""
        found = self.head(self.scheme.stored_version(spec), namespace, name)
        if found is None:
            raise status.not_found(spec.resource, spec.group, name)
        return found

    # create

    def create(self, write: Write, obj: Object, wanted: Sketch | None = None) -> Outcome:
        """Store a new object; its name may be generated. `wanted` is what its body asks for, if others like it may come."""
        spec = write.spec
        metadata: Object = obj.setdefault("metadata", {})
        place(spec, write.namespace, metadata)
        if metadata.get("resourceVersion") and not write.dry_run:
            raise status.bad_request("resourceVersion should not be set on objects to be created")
        write.name = metadata.get("name", "")
        aside.done(strategy.prepare_large if aside.is_large() else strategy.prepare_default, spec, write.rules, obj)
        sent = metadata.pop("managedFields", None)
        self.stamp(metadata)
        own(write, obj, None, sent)
        generated = not write.name and bool(metadata.get("generateName"))
        for attempt in range(limits.GENERATED_NAME_TRIES):
            if generated:
                metadata["name"] = metadata["generateName"][: limits.GENERATED_NAME_BASE_MAX] + self.entropy.name_suffix()
            if not generated or self.head(spec, write.namespace, metadata["name"]) is None:
                break
            if attempt + 1 == limits.GENERATED_NAME_TRIES:
                raise status.generate_name_conflict(spec.resource, write.served.group, metadata["name"])
        if write.rules.generates_names and not metadata.get("name"):
            metadata["name"] = self.entropy.uid()
        write.name = metadata.get("name", "")
        self.chain.mutate(write, obj, None)
        strategy.prepare_create(spec, write.rules, obj)
        self.chain.allocate(write, obj, None)
        self.check(write, obj, lambda: rules.check_create(write.rules, obj, spec.namespaced))
        self.chain.validate(write, obj, None)
        self.refuse_existing(write)
        raw = encode(spec, obj)
        doubts = partial(write.rules.warnings, obj, None)
        if write.dry_run:
            return outcome(spec, obj, raw, revision_text(metadata), created=True, doubts=doubts, warnings=list(write.warnings))
        submission = self.commit(write, raw, 0)
        self.chain.stored(spec, obj, None)
        if wanted is not None and not write.warnings and write.rules.alike(obj):
            self.likenesses.keep(wanted.key, raw, self.chain.cluster.lookups)
        return outcome(spec, obj, raw, submission.revision, submission, created=True, doubts=doubts, warnings=list(write.warnings))

    def create_alike(self, write: Write, wanted: Sketch) -> Outcome | None:
        """Store an object that differs in its name alone from one before; None if there is none, or the name is doubtful."""
        likeness = self.likenesses.find(wanted.key)
        if likeness is None or not (wanted.name or wanted.generate_name):
            return None
        spec = write.spec
        name = wanted.name or wanted.generate_name[: limits.GENERATED_NAME_BASE_MAX] + self.entropy.name_suffix()
        if write.rules.name_validator(name, False) or self.storage.head(spec.key(write.namespace, name)) is not None:
            return None
        uid = self.entropy.uid()
        raw = likeness_of_another(spec, likeness, name, uid, self.now())
        submission = self.put(spec, write.namespace, name, raw, 0)
        made = Outcome(spec.message, spec.api_version, spec.kind, raw, submission, True, True, False, submission.revision, name, uid)
        made.doubts = lambda: write.rules.warnings(made.obj(), None)
        return made

    def refuse_existing(self, write: Write) -> None:
        """An object of that name, even one on its way out, keeps a new one from being."""
        present = self.head(write.spec, write.namespace, write.name)
        if present is None:
            return
        error = status.already_exists(write.spec.resource, write.served.group, write.name)
        if present.obj()["metadata"].get("deletionTimestamp"):
            error = status.failure(error.reason, f"object is being deleted: {error.message}", error.status["details"])
        raise error

    def stamp(self, metadata: Object) -> None:
        """Give a new object what only the server may: identity and time."""
        metadata["uid"] = self.entropy.uid()
        metadata["creationTimestamp"] = self.now()
        for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"):
            metadata.pop(name, None)

    def check(self, write: Write, obj: Object, judge: Callable[[], list[field_error.FieldError]]) -> None:
        """Refuse an object in which the judge finds errors. Raises StatusError (422).

        Kubernetes tells an empty list from an absent one when it prints a value, and nowhere else; kcore's objects have no empty ones. If
        there were some, the errors are worded once more with these put back.
        """
        aside.done(refuse_wrong, write, obj, judge)

    def put(self, spec: KindSpec, namespace: str, name: str, raw: bytes, expected: int, lease: int = 0) -> Submission:
        """Submit an object's bytes, on condition that the key still has the revision `expected` (0: that it does not exist)."""
        if len(raw) > limits.OBJECT_BYTES_MAX:
            raise status.body_too_large(limits.OBJECT_BYTES_MAX)  # differs from upstream: etcd's refusal comes out as an internal error
        value = codec.envelope(spec.api_version, spec.kind, raw)
        key = spec.key(namespace, name)
        submission = self.storage.submit(update_txn(key, value, expected, lease) if expected else create_txn(key, value, lease))
        if not submission.succeeded:
            raise status.conflict(spec.resource, spec.group, name)
        return submission

    def commit(self, write: Write, raw: bytes, expected: int, lease: int = 0) -> Submission:
        """Submit the bytes of the object that a write is about, and before them what goes along, in one commit."""
        put = partial(self.put, write.spec, write.namespace, write.name, raw, expected, lease)
        return self.together(write.along, put) if write.along else put()

    def together(self, along: tuple[Along, ...], submit: Callable[[], Submission]) -> Submission:
        """Submit what goes along with a write, then the write: all of it is stored, or nothing."""
        with self.storage.batch() as batch:
            try:
                for each in along:
                    self.put_along(each)
                return submit()
            except (status.StatusError, StoreError):
                batch.revert()
                raise

    def put_along(self, along: Along) -> None:
        """Submit one object that goes along; one that is to be gone may be gone already."""
        spec, namespace, name, obj = along
        current = self.head(spec, namespace, name)
        if obj is None:
            if current is not None:
                self.storage.submit(delete_txn(spec.key(namespace, name), current.revision))
            return
        if current is None:
            self.stamp(obj["metadata"])
        self.put(spec, namespace, name, encode(spec, obj), 0 if current is None else current.revision)

    # update

    def update(self, write: Write, change: Callable[[Object], Object]) -> Outcome:
        """Replace an object by what `change` makes of it; the change must carry a resourceVersion to be refused when it is old."""
        spec = write.spec
        write.operation = "UPDATE"
        current = self.head(spec, write.namespace, write.name)
        if current is None:
            if write.may_create or (write.rules.allow_create_on_update and write.subresource in ("", "status")):
                write.operation = "CREATE"
                self.chain.permit_creation(write)
                fresh = change({})
                fresh.get("metadata", {}).pop("resourceVersion", None)
                return self.create(write, fresh)
            raise status.not_found(spec.resource, write.served.group, write.name)
        old = current.obj()
        new = aside.done(change, old)
        if new is old:
            return outcome(spec, old, current.raw, current.revision)
        sent = self.match(write, new, old)
        aside.done(strategy.prepare_large if aside.is_large() else strategy.prepare_default, spec, write.rules, new)
        own(write, new, old, sent)
        meta.keep_stored(new, old)
        part = PARTS.get(write.subresource) or MAIN
        part.prepare(write.rules)(new, old)
        if write.subresource == "status" and write.rules.phase_time:
            strategy.stamp_phase(new, old, write.rules.phase_time, self.now())
        strategy.raise_generation(spec, new, old, write.subresource)
        self.chain.mutate(write, new, old)
        self.chain.allocate(write, new, old)
        self.check(write, new, lambda: part.check(write.rules, new, old))
        self.chain.validate(write, new, old)
        replaced = self.replace(write, new, old, current)
        if not write.subresource:
            replaced.doubts = partial(write.rules.warnings, new, old)
        return replaced

    def match(self, write: Write, new: Object, old: Object) -> list[Object] | None:
        """Refuse a change of what identifies an object, or one that rests on an old state; carry over what the server owns.

        Returns  the managedFields that came with the new object
        """
        spec = write.spec
        metadata: Object = new.setdefault("metadata", {})
        kept: Object = old["metadata"]
        check_name(new, write.name)
        place(spec, write.namespace, metadata)
        version = metadata.get("resourceVersion", "")
        if version in ("", "0") and not write.rules.allow_unconditional_update:
            raise status.blind_update(spec.resource, write.served.group, write.name)
        if version and not (version.isascii() and version.isdigit()):
            raise status.unknown(f"strconv.ParseUint: parsing {field_error.quote(version)}: invalid syntax")
        if version not in ("", "0", kept["resourceVersion"]):
            raise status.conflict(spec.resource, write.served.group, write.name)
        if not write.patching and metadata.get("uid", kept["uid"]) != kept["uid"]:
            key = write.shown_key()
            raise status.precondition_failed(spec.resource, write.served.group, write.name, "UID", metadata["uid"], kept["uid"], key)
        metadata["resourceVersion"] = kept["resourceVersion"]
        sent: list[Object] | None = metadata.pop("managedFields", None)
        if kept.get("managedFields"):
            metadata["managedFields"] = kept["managedFields"]
        if kept.get("generation"):
            metadata["generation"] = kept["generation"]
        else:
            metadata.pop("generation", None)
        return sent

    def replace(self, write: Write, new: Object, old: Object, current: Stored) -> Outcome:
        """Store `new` in the place of `current`, remove it if nothing holds it any more, or do nothing if both are the same."""
        spec = write.spec
        raw = encode(spec, new)
        if strategy.finished(spec, new):
            if write.dry_run:
                return outcome(spec, new, raw, current.revision, removed=True)
            gone = self.remove(write, new, raw, current.revision)
            return outcome(spec, new, raw, current.revision, gone.submission, removed=True)
        if raw != current.raw and write.owners is not None:
            raw = with_old_times(spec, new, old, raw, current.raw)
        warnings = list(write.warnings)
        if write.dry_run or (raw == current.raw and not self.completes(write, new, current)):
            return outcome(spec, new, raw, current.revision, warnings=warnings)
        submission = self.commit(write, raw, current.revision, current.kv.lease)
        self.chain.stored(spec, new, old)
        return outcome(spec, new, raw, submission.revision, submission, warnings=warnings)

    def completes(self, write: Write, new: Object, current: Stored) -> bool:
        """Whether an update without effect is a write all the same: of what Kubernetes showed it stores only now what it filled in."""
        return current.kv.version == 1 and write.rules.completed_on_read(new)

    def remove(self, write: Write, last: Object, raw: bytes, expected: int) -> Outcome:
        """Take an object out of the store, on condition that its key still has the revision `expected`; `last` and `raw` are its end."""
        spec = write.spec
        along = write.along + self.chain.leaving(spec, last)
        submit = partial(self.storage.submit, delete_txn(spec.key(write.namespace, write.name), expected))
        submission = self.together(along, submit) if along else submit()
        if not submission.succeeded:
            raise status.conflict(spec.resource, spec.group, write.name)
        self.chain.removed(spec, last)
        return outcome(spec, last, raw, submission.revision, submission, removed=True)

    # delete

    def delete(self, write: Write, options: Object) -> Outcome:
        """Delete an object, or mark it as terminating while grace or finalizers hold it; say what is doubtful about that."""
        doubts = self.doubts_of_deletion(write, options)
        try:
            deleted = self.remove_or_mark(write, options)
        except status.StatusError as error:
            error.warnings += doubts
            raise
        deleted.warnings += doubts
        return deleted

    def doubts_of_deletion(self, write: Write, options: Object) -> list[str]:
        """What is doubtful about a deletion, whatever becomes of it."""
        doubt = write.rules.deletion_doubt
        return [doubt] if doubt and not strategy.says_what_becomes_of_dependents(options) else []

    def remove_or_mark(self, write: Write, options: Object) -> Outcome:
        """Delete an object, or mark it as terminating while grace or finalizers hold it."""
        write.operation = "DELETE"
        current = self.require(write.served, write.namespace, write.name)
        seen = deletion.Seen(write.spec, write.rules.graceful, current)
        refused = partial(status.precondition_failed, write.spec.resource, write.spec.group, write.name)
        strategy.check_preconditions(
            write.served, seen.obj, options.get("preconditions") or {}, refused if strategy.is_namespace(write.spec) else None
        )
        if options.get("ignoreStoreReadErrorWithClusterBreakingPotential"):
            raise status.conflict(write.spec.resource, write.spec.group, write.name, READABLE.format(current.kv.key.decode()))
        self.chain.validate(write, None, seen.obj)
        plan = strategy.plan_deletion(write.spec, write.rules, seen.obj, options, self.clock.now())
        if plan is None:
            return outcome(write.spec, seen.obj, seen.raw, current.revision)
        raw = seen.with_changes(plan.obj)
        if write.dry_run or (raw == seen.raw and not plan.remove):
            return outcome(write.spec, plan.obj, raw, current.revision, removed=plan.remove)
        if plan.remove and not write.rules.graceful:
            return self.remove(write, plan.obj, raw, current.revision)
        submission = self.put(write.spec, write.namespace, write.name, raw, current.revision)
        if plan.remove:  # whoever watches has seen that an object of a kind with grace periods is at its end, before it is gone
            return self.remove(write, plan.obj, raw, submission.revision)
        return outcome(write.spec, plan.obj, raw, submission.revision, submission)

    def writing(self, spec: KindSpec, namespace: str, name: str, user: str = "", dry_run: bool = False, subresource: str = "") -> Write:
        """The frame of a write."""
        of = kinds.rules_of(spec.group, spec.kind, spec.message, self.features)
        kept = self.scheme.stored_version(spec)
        return Write(kept, of, spec, namespace, name, user, dry_run, subresource, suffix=self.entropy.name_suffix, now=self.clock.now)


def check_name(obj: Object, name: str) -> None:
    """Refuse an object that has another name than the request."""
    own = (obj.get("metadata") or {}).get("name", "")
    if not own:
        raise status.bad_request(f"the name of the object ({name} based on URL) was undeterminable: name must be provided")
    if own != name:
        raise status.bad_request(f"the name of the object ({own}) does not match the name on the URL ({name})")


def refuse_wrong(write: Write, obj: Object, judge: Callable[[], list[field_error.FieldError]]) -> None:
    """Refuse an object in which the judge finds errors, with the empty lists that it was given. Raises StatusError (422)."""
    errors = judge()
    if not errors:
        return
    if put_empties_back(obj, write.given()):
        worded = judge()
        if [(error.reason, error.field) for error in worded] == [(error.reason, error.field) for error in errors]:
            errors = worded
    raise status.invalid(write.spec.group, write.spec.kind, obj["metadata"].get("name", ""), errors)


def own(write: Write, new: Object, old: Object | None, sent: list[Object] | None) -> None:
    """Write down who owns the fields of an object, if the write says so."""
    if write.owners is None:
        return
    metadata: Object = new["metadata"]
    metadata.pop("managedFields", None)
    if entries := aside.done(write.owners, new, old, sent):
        metadata["managedFields"] = entries


def with_old_times(spec: KindSpec, new: Object, old: Object, raw: bytes, present: bytes) -> bytes:
    """The bytes of an object; those that are stored, if it differs from what is stored only in when its managers wrote."""
    metadata, before = new["metadata"], old["metadata"].get("managedFields")
    entries = metadata.get("managedFields")
    if not entries or entries == before or not managers.same_but_for_times(entries, before):
        return raw
    metadata["managedFields"] = before
    if encode(spec, new) == present:
        return present
    metadata["managedFields"] = entries
    return raw


def revision_text(metadata: Object) -> int:
    """The resourceVersion that a dry run was sent, which it returns as it came; 0 if there is none, or none that could be."""
    text = metadata.get("resourceVersion") or ""
    return max(parse_int64(text) or 0, 0)


def place(spec: KindSpec, namespace: str, metadata: Object) -> None:
    """Put an object into the namespace of its request; one that says it is elsewhere is refused."""
    if not spec.namespaced:
        metadata.pop("namespace", None)
        return
    if metadata.get("namespace", namespace) != namespace:
        raise status.bad_request("the namespace of the provided object does not match the namespace sent on the request")
    metadata["namespace"] = namespace

"""What a kind's module says of its kind, and the order in which the registry asks.

Create: `default`, `prepare_create`, `check_create`. Update: `default`, `prepare_update`, `check_update`. Status: `default`,
`prepare_status_update`, `check_status_update`. Everything that proto options can say (unconditional defaults, required, enums, ranges,
formats) is done before, by the compiled pass; a kind's functions say the rest. They get whole objects as dicts in JSON form and may change
only what they are meant to change: `default` and `prepare_*` their first argument.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from kcore.base.features import Features
from kcore.machinery import meta, names
from kcore.machinery.field_error import FieldError
from kcore.machinery.names import NameValidator

Object = dict[str, Any]
Default = Callable[[Object], None]
Prepare = Callable[[Object], None]
PrepareUpdate = Callable[[Object, Object], None]
Validate = Callable[[Object], list[FieldError]]
ValidateUpdate = Callable[[Object, Object], list[FieldError]]
Warnings = Callable[[Object, Object | None], list[str]]

PREPARING: Final = ("prepare_create", "prepare_update")
"""What drops fields of features that are off."""


def nothing(value: Object) -> None:
    """Leave the object as it is."""


def no_errors(_value: Object) -> list[FieldError]:
    """Find nothing wrong."""
    return []


def no_update_errors(_new: Object, _old: Object) -> list[FieldError]:
    """Find nothing wrong with an update."""
    return []


def no_warnings(_new: Object, _old: Object | None) -> list[str]:
    """Find nothing to warn of."""
    return []


def never(_value: Object) -> bool:
    """Say no."""
    return False


def always(_value: Object) -> bool:
    """Say yes."""
    return True


def drop_status(value: Object) -> None:
    """Ignore the status that a client sends with a new object."""
    value.pop("status", None)


def keep_status(new: Object, old: Object) -> None:
    """Ignore the status that a client sends with an update; the stored one stays."""
    if "status" in old:
        new["status"] = old["status"]
    else:
        new.pop("status", None)


def keep_all(new: Object, old: Object) -> None:
    """Take the update as it is."""


def keep_spec(new: Object, old: Object) -> None:
    """Take only status and metadata of a status update; everything else stays as it is stored."""
    for field in [field for field in new if field not in ("status", "metadata", "apiVersion", "kind")]:
        del new[field]
    for field, stored in old.items():
        if field not in ("status", "metadata", "apiVersion", "kind"):
            new[field] = stored


def keep_spec_and_labels(new: Object, old: Object) -> None:
    """Take the status of a status update but not its labels."""
    keep_spec(new, old)
    fresh, stored = new.setdefault("metadata", {}), meta.metadata(old)
    if "labels" in stored:
        fresh["labels"] = stored["labels"]
    else:
        fresh.pop("labels", None)


def keep_spec_and_metadata(new: Object, old: Object) -> None:
    """Take the status of a status update alone."""
    keep_spec(new, old)
    fresh, stored = new.setdefault("metadata", {}), meta.metadata(old)
    for field in ("labels", "annotations", "finalizers", "ownerReferences"):
        if field in stored:
            fresh[field] = stored[field]
        else:
            fresh.pop(field, None)


@dataclass(frozen=True, slots=True)
class KindRules:
    """The rules of one kind that options cannot express; the defaults do nothing beyond what every kind has.

    default                      fill in what depends on other fields
    validate                     what is wrong with a new object, its metadata aside
    validate_update              what is wrong with an update (new, stored); it says again what `validate` says where that still holds
    validate_status_update       the same for the status subresource
    prepare_create               what the server decides over the client's head on create; without it a sent status is dropped
    prepare_update               the same on update (new, stored); without it the stored status stays
    prepare_status_update        the same for the status subresource; without it everything but status and metadata stays
    warnings                     what to warn of (new, stored or None)
    name_validator               the rule for the name
    own_metadata                 the kind judges its metadata; if not, only the name's fit into a path is checked, and only at the end
    own_finalizers               finalizers must be standard or carry a domain
    generates_names              an object without name is called by a fresh uid
    allow_create_on_update       PUT creates what is not there
    allow_unconditional_update   PUT needs no resourceVersion
    graceful                     deletion may take a grace period
    phase_time                   the field of the status that says when the phase changed last
    completed_on_read            of a stored object: whether Kubernetes keeps a new one without some of what it shows, which the first
                                 update writes, even one that changes nothing
    alike                        of a new object: whether all that differ from it in their name alone are decided as it was
    alone                        fields of the status: what a patch of nothing else makes of them rests on these fields and the patch
    orphans                      a deletion that does not say what becomes of dependents leaves them
    deletion_doubt               what such a deletion warns of
    deprecation                  what every request for the kind warns of
    gated                        names of those of its functions that are told, as `features`, which features are on
    """

    default: Default = nothing
    validate: Validate = no_errors
    validate_update: ValidateUpdate = no_update_errors
    validate_status_update: ValidateUpdate = no_update_errors
    prepare_create: Prepare = drop_status
    prepare_update: PrepareUpdate = keep_status
    prepare_status_update: PrepareUpdate = keep_spec
    warnings: Warnings = no_warnings
    name_validator: NameValidator = names.subdomain_name
    own_metadata: bool = True
    own_finalizers: bool = True
    generates_names: bool = False
    allow_create_on_update: bool = False
    allow_unconditional_update: bool = True
    graceful: bool = False
    phase_time: str = ""
    completed_on_read: Callable[[Object], bool] = never
    alike: Callable[[Object], bool] = never
    alone: frozenset[str] = frozenset()
    orphans: bool = False
    deletion_doubt: str = ""
    deprecation: str = ""
    gated: tuple[str, ...] = ()

    def with_features(self, features: Features) -> KindRules:
        """Return the rules as they are with these features on."""
        told: dict[str, Any] = {name: partial(getattr(self, name), features=features) for name in self.gated}
        return replace(self, **told)


def check_create(rules: KindRules, value: Object, namespaced: bool) -> list[FieldError]:
    """Judge a new object after defaulting; the registry has given it its name and namespace."""
    errors: list[FieldError] = []
    if rules.own_metadata:
        meta.validate(meta.metadata(value), namespaced, rules.name_validator, errors, own_finalizers=rules.own_finalizers)
    errors += rules.validate(value)
    if not errors and not rules.own_metadata:
        meta.validate(meta.metadata(value), namespaced, names.path_name, errors, own_finalizers=False)
    return errors


def check_update(rules: KindRules, new: Object, old: Object) -> list[FieldError]:
    """Judge an update after `meta.keep_stored` and `prepare_update`."""
    errors: list[FieldError] = []
    _check_metadata_update(rules, new, old, errors)
    errors += rules.validate_update(new, old)
    return errors


def check_status_update(rules: KindRules, new: Object, old: Object) -> list[FieldError]:
    """Judge a status update after `meta.keep_stored` and `prepare_status_update`."""
    errors: list[FieldError] = []
    _check_metadata_update(rules, new, old, errors)
    errors += rules.validate_status_update(new, old)
    return errors


def _check_metadata_update(rules: KindRules, new: Object, old: Object, errors: list[FieldError]) -> None:
    own = rules.own_metadata and rules.own_finalizers
    meta.validate_update(meta.metadata(new), meta.metadata(old), errors, own_finalizers=own)

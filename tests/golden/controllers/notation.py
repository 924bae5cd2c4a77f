"""Objects and actions as lines of text: `spec.replicas=3 metadata.labels.app=web`, and back.

A path names a field; behind a map comes the key (the rest of the path), behind a list an index. Times are seconds. `+` at the end of a
list's path appends a plain value.
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from kcore.client import kinds
from kcore.controllers.actions import Action, Bind, Create, Delete, Event, Patch, Update, UpdateStatus

HIDDEN = (
    "metadata.name=", "metadata.namespace=", "metadata.uid=", "metadata.resourceVersion=", "spec.template.", "spec.selector.", "data.raw=",
)  # fmt: skip


def put(message: Any, assignment: str) -> None:
    """Set a field as a line of text says."""
    path, _, value = assignment.partition("=")
    if path.startswith(("metadata.labels.", "metadata.annotations.", "spec.selector.matchLabels.", "spec.template.metadata.labels.")):
        path, value = assignment.rpartition("=")[::2]
    names = path.split(".")
    while names:
        name = names.pop(0)
        appends = name.endswith("+")
        field = message.DESCRIPTOR.fields_by_name[name.removesuffix("+")]
        held = getattr(message, field.name)
        if is_map(field):
            held[".".join(names)] = value
            return
        if field.is_repeated:
            if appends:
                held.append(plain(field, value))
                return
            index = int(names.pop(0))
            while len(held) <= index:
                held.add()
            message = held[index]
        elif field.message_type is not None:
            if field.message_type.name in ("Time", "MicroTime"):
                held.seconds = int(value)
                return
            if field.message_type.name == "IntOrString":
                held.type = int(not value.isdigit())
                setattr(held, "intVal" if value.isdigit() else "strVal", int(value) if value.isdigit() else value)
                return
            message = held
        else:
            setattr(message, field.name, plain(field, value))


def plain(field: FieldDescriptor, value: str) -> Any:
    if field.type == FieldDescriptor.TYPE_BOOL:
        return value == "true"
    return value if field.type == FieldDescriptor.TYPE_STRING else int(value)


def is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def lines(message: Any, prefix: str = "") -> Iterator[str]:
    """Write a message as assignments, those of fields that are set."""
    for field, value in message.ListFields():
        path = prefix + field.name
        if is_map(field):
            yield from (f"{path}.{key}={value[key]}".rstrip() for key in sorted(value))
        elif field.is_repeated:
            for index, item in enumerate(value):
                if field.message_type is None:
                    yield f"{path}.{index}={item}"
                else:
                    yield from lines(item, f"{path}.{index}.")
        elif field.message_type is None:
            yield f"{path}={str(value).lower() if isinstance(value, bool) else value}"
        elif field.message_type.name in ("Time", "MicroTime"):
            yield f"{path}={value.seconds}"
        else:
            yield from lines(value, f"{path}.")


def conditions(message: Any) -> list[str]:
    """Write the conditions of an object, one a line."""
    found = []
    for item in message.status.conditions:
        times = f"since {item.lastTransitionTime.seconds}"
        if "lastUpdateTime" in item.DESCRIPTOR.fields_by_name:
            times += f", updated {item.lastUpdateTime.seconds}"
        found.append(f"condition {item.type} {item.status} {item.reason}: {item.message} ({times})")
    return sorted(found)


def shown(action: Action, stored: Any | None) -> list[str]:
    """Write an action; of an update, what it changes."""
    match action:
        case Event():
            return [event(action)]
        case Create():
            wanted = [line for line in lines(action.object) if not line.startswith(HIDDEN)]
            head = f"create {title(action.object)}"
            if kinds.of_message(action.object).resource == "pods":
                return [head + version(action.object), *happens(action)]
            return [head, *(f"  {line}" for line in wanted), *happens(action)]
        case Update() | UpdateStatus():
            verb = "update" if isinstance(action, Update) else "update status of"
            return [f"{verb} {title(action.object)}", *(f"  {line}" for line in changes(stored, action.object)), *happens(action)]
        case Patch():
            return [f"patch {action.resource} {action.namespace}/{action.name} {action.body}", *happens(action)]
        case Delete():
            said = {"uid": action.uid, "revision": action.resource_version, "policy": action.propagation_policy}
            options = " ".join(f"{name}={value}" for name, value in said.items() if value)
            return [f"delete {action.resource} {action.namespace}/{action.name} {options}", *happens(action)]
        case Bind():
            return [f"bind {action.namespace}/{action.name} to {action.node}"]


def version(pod: Any) -> str:
    """Say what a pod was made from, if it tells its revision."""
    revision = pod.metadata.labels.get("controller-revision-hash")
    return f" image={pod.spec.containers[0].image} revision={revision}" if revision and pod.spec.containers else ""


def happens(action: Any) -> list[str]:
    return [f"  then {event(found)}" for found in action.done]


def event(found: Event) -> str:
    return f"event {found.type} {found.reason}: {found.message}"


def title(object_: Any) -> str:
    meta = object_.metadata
    return f"{kinds.of_message(object_)} {f'{meta.namespace}/' if meta.namespace else ''}{meta.name}"


def changes(old: Any, new: Any) -> list[str]:
    """Write what differs between two objects; conditions as a whole."""
    before = dict(line.split("=", 1) for line in lines(old) if not line.startswith("status.conditions."))
    after = dict(line.split("=", 1) for line in lines(new) if not line.startswith("status.conditions."))
    found = [
        f"{path} {before.get(path, '-')} -> {after.get(path, '-')}"
        for path in sorted(before.keys() | after.keys())
        if (before.get(path) or "0") != (after.get(path) or "0")
    ]
    if hasattr(new, "status") and hasattr(new.status, "conditions"):
        old_said, new_said = conditions(old), conditions(new)
        found += [f"- {line}" for line in old_said if line not in new_said]
        found += [f"+ {line}" for line in new_said if line not in old_said]
    return found

"""The slow, obvious twin of `kcore.client._frames`: protobuf cuts, with messages that have the object as bytes."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

STRING, BYTES, MESSAGE = 9, 12, 11
MESSAGES = {
    "Meta": [("name", 1, STRING, ""), ("namespace", 3, STRING, ""), ("resourceVersion", 6, STRING, "")],
    "Object": [("metadata", 1, MESSAGE, "Meta")],
    "Event": [("type", 1, STRING, ""), ("object", 2, BYTES, "")],
    "Response": [("events", 1, MESSAGE, "Event")],
}


def classes():
    file = descriptor_pb2.FileDescriptorProto(name="twin.proto", package="twin", syntax="proto2")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, of in fields:
            added = message.field.add(name=field, number=number, type=kind, label=3 if field == "events" else 1)
            if of:
                added.type_name = f".twin.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"twin.{name}")) for name in MESSAGES}


CLASSES = classes()


def split_watch(response, event_class):
    """Return the events of a response, in order."""
    events = []
    for event in CLASSES["Response"].FromString(response).events:
        meta = CLASSES["Object"].FromString(event.object).metadata
        key = f"{meta.namespace}/{meta.name}" if meta.namespace else meta.name
        events.append(event_class((event.type, event.object, key, int(meta.resourceVersion or 0))))
    return events

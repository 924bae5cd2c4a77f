"""HTTP in front of the pipeline: the RESTful Kubernetes API.

Guarantees
- No rule about objects stands here: a path becomes a `Request`, an `Outcome` becomes an answer in the form the client asked for.
- Whatever a client sends is answered, errors with a Status; what a client does not read costs bounded memory.
- What is acknowledged is durable.

`media` reads what forms a client takes, `encoding` and `yaml_text` write objects in them, `tables` makes Tables and
PartialObjectMetadata, `streams` the events of watches, `pod_log` logs, `frontend` puts them together; `asgi`, `websocket` and `presence`
speak with the HTTP server. Thread: the event loop's.
Source: CONTRACT A1 to A9, A14.
"""

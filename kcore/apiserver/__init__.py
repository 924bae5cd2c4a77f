"""The API server: the only front door to the store.

Guarantees
- Every request takes the same way, whichever front-end it came through: authenticate, authorize, decode, default, admit, validate, store,
  answer.
- An answer to a write is sent after the write is durable; reads and watches see only what is durable.
- Bad input is answered with a Kubernetes Status that names the fields; nothing of it is stored.

Thread: the event loop's. It must never know who its clients are: the scheduler and controllers are clients as all others.
"""

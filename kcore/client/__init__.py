"""How every part outside the API server reaches it, and the Python client that users program against.

    async with await connect.from_endpoints(data_dir) as client:
        pod = await client.pods.get("a", namespace="default")

Layers, low to high; each stands on the ones before it alone:

    wire, kinds           what requests and answers look like as bytes, and which message and RPC a kind has
    transport, channel    bytes to a method and back: over gRPC, or directly to an API server in the same process (``kcore.serve``)
    failures, retry       a failed call as a ``StatusError``; which of them are tried again, how often and after how long
    client, objects, items, bulk, dynamic     typed calls, and thousands of writes in one
    cursor, reflector, informer, lister    the changes of a resource as one gapless sequence, and what is known from it
    workqueue             what a controller is made of
    election              which of several equal processes works
    correlator, recorder  Events

Guarantees
- A failed call raises ``kcore.machinery.status.StatusError`` and nothing else, whatever the transport.
- What a reflector delivers has no gaps and never goes back: lost connections, relists and repeated events do not show.
- An item of a workqueue is never processed by two workers at once; added meanwhile, it is processed again afterwards.
- Every queue is bounded and every repetition ends or has a named pace (``kcore.base.limits``).
- Objects that informers and listers hand out are shared: nobody changes them.

Thread: everything belongs to the event loop it was made in. Never: a generated gRPC stub (``*_pb2_grpc``), which takes longer to import
than all the messages; a clock or randomness of its own (both are handed in).
"""

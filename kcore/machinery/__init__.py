"""Pure API machinery: everything that can be said of objects without a server, a clock or a socket.

Role: names of types (gvk), the scheme of kinds and the codec between wire, dict and envelope (both from the descriptors of proto/),
projection, selectors, quantities, timestamps, defaulting, validation, patches, routes, the one table of error reasons (status), and per
kind what options cannot say (kinds).

Guarantees
- Values in, values out; nothing here keeps state but caches of what the descriptors say.
- Whatever can be read from proto/ is read from there; no list of fields stands here.
- Text that clients match is Kubernetes' own.

Thread: any. Must never know: the store, the network, asyncio, a clock, numpy.
"""

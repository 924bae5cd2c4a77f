"""What a patch makes of an object: one function for each media type, chosen by `change.read`.

Guarantees
- What is wrong with the patch itself is said before any object is looked at; nothing of a patch that fails counts.
- A change may be asked for more than once, and then says the same: a patch is tried again when its object changed meanwhile.

Server-side apply (`application/apply-patch+yaml`) is none of these: see `apiserver.ownership`.
"""

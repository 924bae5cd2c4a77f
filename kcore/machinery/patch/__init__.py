"""Patches of objects in JSON form: JSON patch, JSON merge patch, strategic merge patch. Pure.

Guarantees
- No argument is changed; what a patch does not touch is shared with the original.
- A patch that cannot be applied raises StatusError with Kubernetes' code and sentence.

What the patched object is checked for, and who asked, is the caller's business. Server-side apply is no patch: it merges owned fields.
"""

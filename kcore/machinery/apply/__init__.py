"""Server-side apply: who owns which field of an object, and what an applied configuration makes of it.

- `schema` says of what shape a kind is, and how each list and map of it merges.
- `fieldset` is the algebra of sets of fields. A set is the `fieldsV1` of a managedFields entry itself: nested dicts, whose keys are path
  elements.
- `typed` reads a configuration: what is wrong with it, and which fields it speaks of. `merging`, `comparing` and `pruning` walk objects by
  their schema.
- `managers` is the list `metadata.managedFields` by manager; `tracking` what an apply or any other write makes of object and list.
- `reset` knows which fields a write to the object or one of its parts does not own, `scale` what the scale of an object shares with it.

Guarantees
- Nothing here changes its arguments; results share parts with them.
- An apply that is repeated changes nothing; what somebody else owns is changed only by force.
- Everything is pure and may be called from any thread. It knows no kind but by its descriptor.

Source: sigs.k8s.io/structured-merge-diff, apimachinery `pkg/util/managedfields`, KEP-555.
"""

"""Writes that are known to change little of an object: done in its stored bytes, without decoding the rest.

    deletion  what a deletion looks at and changes
    status    patches of fields that stand alone

Guarantee: what is stored is, byte for byte, what decoding, changing and encoding the whole object would give. It must never hold a rule
about objects: those stand in `strategy` and in the kinds, and are asked here with less of the object in hand.
"""

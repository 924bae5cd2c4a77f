"""The forms of files that kcore writes and reads back: pure functions of bytes, so that whoever has a file needs no server.

Guarantees: a file that is cut off or damaged is refused by a sentence that says so, never read in part.
"""

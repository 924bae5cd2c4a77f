"""Puts the parts together: which there are, how each starts, and what one hands to another.

Guarantees: the only package that knows every part. A part runs as a process of its own (`kcore <part>`), or all in one loop.
"""

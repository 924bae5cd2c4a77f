"""Kinds of apiregistration.k8s.io: who serves a version of a group."""

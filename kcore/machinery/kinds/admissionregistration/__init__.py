"""Kinds of admissionregistration.k8s.io: webhooks and policies that look at requests."""

"""Kinds of certificates.k8s.io: requests for certificates, and bundles of trust anchors."""

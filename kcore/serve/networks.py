"""The address ranges of a cluster: those of its pods, cut into node subnets, beside that of its Services (10.96.0.0/16)."""

from __future__ import annotations

CLUSTER_CIDRS = ("10.128.0.0/9",)
"""Room for 32,768 nodes with 254 pods each; kube-controller-manager's usual 10.244.0.0/16 ends at 256 nodes."""

NODE_PREFIXES = (24,)
"""Prefix length of a node's subnet, for each cluster CIDR."""

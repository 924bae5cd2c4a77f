"""The address ranges of a cluster: that of its Services, and those of its pods, cut into node subnets."""

from __future__ import annotations

SERVICE_CIDRS = ("10.96.0.0/16",)
"""The addresses of Services; kubeadm's default."""

CLUSTER_CIDRS = ("10.128.0.0/9",)
"""Room for 32,768 nodes with 254 pods each; kube-controller-manager's usual 10.244.0.0/16 ends at 256 nodes."""

NODE_PREFIXES = (24,)
"""Prefix length of a node's subnet, for each cluster CIDR."""

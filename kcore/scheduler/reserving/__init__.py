"""Pods that have a node and wait for what is written for them before they may be bound.

    part          what one plugin reserves for a pod: volumes, devices
    reservations  all pods that wait
    writer        writes what is reserved, and follows what decides about it

Thread: the scheduler's.
"""

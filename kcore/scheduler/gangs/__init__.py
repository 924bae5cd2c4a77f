"""Pods that are scheduled together: all of at least `minCount`, or none (PodGroup; feature GenericWorkload).

    rows         a PodGroup as the scheduler sees it, and a group of waiting pods as the queue sees it
    book         which pods belong to which group, and how far each is; what a group waits for
    turns        keeps the queue in step with the book: a group is one entry there, whatever pods it has
    attempt      places the pods of a group one after the other, and takes all of them back if too few find a node
    preemption   who has to go for a group that fits nowhere
    writer       follows PodGroups, and writes their conditions

A group is tried when it has minCount pods, with or without a node, and none of them has scheduling gates. Its pods are then placed in one
go; each counts for those after it. As soon as it is sure that too few will find a node, the rest is not looked at. What is assumed for a
group that is placed goes to be bound at once; what is left of it is tried again by itself.

A group that fits nowhere preempts as a whole: all pods of lower priority are taken away on trial, the group is placed, and whoever can be
put back beside it is. Pods of a group whose disruption mode is `all` go together.

Differs from upstream: a group that was tried in vain sleeps until an event may help one of its pods, as pods do; upstream tries it again
after each pause.

Source: kube-scheduler 1.37, pod group cycle, GangScheduling, preemption of pod groups; without topologies and groups of groups, which are
features of their own.
"""

"""Pods as other pods' wishes see them: who stands where, counted by what selectors ask for.

    selectors   which pods a selector means
    index       pods by what they show, and tallies: how many pods of a sort stand on each slot, changed in place
    owners      the default selector of a pod: of its Services and its workload
    sums        tallies summed per value of a topology key, kept up to date for one ask

Guarantees
- A pod that comes or goes changes the tallies that it counts in, and nothing else is counted again.
- Tallies equal those counted afresh from the pods placed; sums those of the nodes that an ask counts.

Thread: one. Never: a decision; what a count means is for the plugins.
"""

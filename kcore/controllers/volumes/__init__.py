"""Binds claims and volumes, and makes the volumes that the hollow provisioner is asked for; off unless asked for by name.

    matching    which volume a claim gets
    plan        what a claim, and what a volume, needs: pure
    reconciler  carries plans out

Small on purpose: enough for pods on hollow nodes to get their volumes. A volume of the provisioner `hollow.kcore.io` is a name and nothing
else; volumes of other provisioners are left to these. Claims that pods use, and volumes that claims use, are kept until they are not.
Resizing, snapshots and attachments are not done here.
"""

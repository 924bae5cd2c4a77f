"""Rules of the kinds of the policy group."""

"""Rules of the kinds of the batch group."""

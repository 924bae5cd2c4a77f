"""Rules of the kinds of the core group, and of the parts that they share."""

"""Rules of the kinds of the autoscaling group."""

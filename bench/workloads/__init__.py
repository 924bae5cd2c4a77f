"""Manifests that kcore brings along: what `kcore demo` applies, and the loads of `kcore bench`."""

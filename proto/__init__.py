"""The sources of every message and service, as `kcore proto` hands them on: `.proto` files, what buf needs, and a page about both."""

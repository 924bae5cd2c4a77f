"""The filters and scores of the default profile, one module each, named as upstream names the plugin."""

"""Why a part does not serve."""


class PartError(Exception):
    """A part cannot start or go on; the text is one sentence for the user."""

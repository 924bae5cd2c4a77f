"""What schemathesis leaves out of the requests that it makes: nothing is followed, since nothing would end."""

import schemathesis


@schemathesis.hook
def map_query(_context, query):
    """The query of a request, without what makes a watch of it."""
    return {name: value for name, value in query.items() if name not in ("watch", "follow")} if query else query

"""Options of operations: from a query, and checked."""
from typing import Any

import pytest

from kcore.machinery import request_options
from kcore.machinery.status import StatusError


def test_a_query_becomes_typed_options() -> None:
    query = {
        "dryRun": ["All"], "limit": ["5"], "watch": ["maybe"], "allowWatchBookmarks": ["False"], "labelSelector": ["a=b"], "unknown": ["x"],
        "sendInitialEvents": ["x"], "timeoutSeconds": [""], "force": ["0"],
    }
    assert request_options.from_query(query) == {
        "dryRun": ["All"], "limit": 5, "watch": True, "allowWatchBookmarks": False, "labelSelector": "a=b", "sendInitialEvents": True,
        "force": False,
    }


def test_a_number_that_is_none_is_a_bad_request() -> None:
    with pytest.raises(StatusError, match=r'strconv.ParseInt: parsing "x": invalid syntax') as caught:
        request_options.from_query({"limit": ["x"]})
    assert caught.value.code == 400


@pytest.mark.parametrize(
    ("verb", "options", "content_type", "message"),
    [
        ("create", {"dryRun": ["all"]}, "", 'dryRun: Unsupported value: ["all"]: supported values: "All"'),
        (
            "update", {"fieldValidation": "Wrong"}, "",
            'fieldValidation: Unsupported value: "Wrong": supported values: "", "Ignore", "Strict", "Warn"',
        ),
        (
            "create", {"fieldManager": "é\a"}, "",
            'fieldManager: Invalid value: "é\\a": invalid character U+0007 (at position 2)',
        ),
        ("create", {"fieldManager": "m" * 129}, "", 'fieldManager: Too long: may not be more than 128 bytes'),
        ("patch", {"force": True}, "application/merge-patch+json", "force: Forbidden: may not be specified for non-apply patch"),
        ("patch", {}, "application/apply-patch+yaml", 'fieldManager: Required value: is required for apply patch'),
        (
            "delete", {"propagationPolicy": "Bad"}, "",
            'propagationPolicy: Unsupported value: "Bad": supported values: '
            '"Foreground", "Background", "Orphan", "nil"',
        ),
        (
            "list", {"resourceVersionMatch": "Exact"}, "",
            'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
        ),
        (
            "watch", {"sendInitialEvents": True}, "",
            'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
        ),
    ],
)
def test_wrong_options_are_invalid_under_their_own_kind(verb: str, options: dict[str, Any], content_type: str, message: str) -> None:
    with pytest.raises(StatusError, match=r".+") as caught:
        request_options.check(verb, options, content_type)
    assert caught.value.message.partition('Options.meta.k8s.io "" is invalid: ')[2] == message
    assert caught.value.code == 422


def test_right_options_pass() -> None:
    request_options.check("create", {"dryRun": ["All"], "fieldManager": "kubectl", "fieldValidation": "Strict"})
    request_options.check("watch", {"sendInitialEvents": True, "resourceVersionMatch": "NotOlderThan"})
    request_options.check("list", {"resourceVersionMatch": "Exact", "resourceVersion": "5"})
    request_options.check("delete", {"propagationPolicy": "Orphan"})
    request_options.check("get", {})

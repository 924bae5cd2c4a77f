"""The Status of a failure: sentences that clients match, one table of codes, and cutting to a size."""
import json

import grpc
import pytest

from kcore.machinery import field_error as fe
from kcore.machinery import status
from kcore.machinery.status import REASONS, StatusError


def test_not_found_names_resource_group_and_object() -> None:
    error = status.not_found("deployments", "apps", "web")
    assert error.status == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "NotFound", "code": 404,
        "message": 'deployments.apps "web" not found', "details": {"name": "web", "group": "apps", "kind": "deployments"},
    }
    assert str(error) == error.message


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (status.already_exists("pods", "", "a"), 409, 'pods "a" already exists'),
        (status.conflict("pods", "", "a"), 409, 'Operation cannot be fulfilled on pods "a": ' + status.MODIFIED),
        (
            status.precondition_failed("pods", "", "a", "UID", "1", "2"), 409,
            'Operation cannot be fulfilled on pods "a": Precondition failed: UID in precondition: 1, UID in object meta: 2',
        ),
        (
            status.precondition_failed("pods", "", "a", "UID", "1", "2", "/registry/pods/d/a"), 409,
            'Operation cannot be fulfilled on pods "a": StorageError: invalid object, Code: 4, Key: /registry/pods/d/a, '
            "ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: 1, UID in object meta: 2",
        ),
        (
            status.deletion_precondition_failed("Pod", "", "a", "UID", "1", "2"), 409,
            'Operation cannot be fulfilled on Pod "a": the UID in the precondition (1) does not match the UID in record (2). '
            "The object might have been deleted and then recreated",
        ),
        (
            status.blind_update("leases", "coordination.k8s.io", "a"), 422,
            'leases.coordination.k8s.io "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
        ),
        (status.forbidden("pods", "", "a", "no"), 403, 'pods "a" is forbidden: no'),
        (status.forbidden("pods", "", "", "no"), 403, "pods is forbidden: no"),
        (status.forbidden("", "", "", "no"), 403, "forbidden: no"),
        (status.no_such_resource(), 404, "the server could not find the requested resource"),
        (status.method_not_allowed(), 405, "the server does not allow this method on the requested resource"),
        (status.body_too_large(3145728), 413, "Request entity too large: limit is 3145728"),
        (status.too_old_resource_version(3, 9), 410, "too old resource version: 3 (9)"),
        (status.too_large_resource_version(9, 3), 504, "Timeout: Too large resource version: 9, current: 3"),
        (status.internal("x"), 500, "Internal error occurred: x"),
        (status.unknown("x"), 500, "x"),
        (status.not_acceptable(["application/json"]), 406, "only the following media types are accepted: application/json"),
    ],
)
def test_messages_are_those_of_kubernetes(error: StatusError, code: int, message: str) -> None:
    assert (error.code, error.message) == (code, message)


def test_invalid_lists_every_cause_and_brackets_several() -> None:
    one = status.invalid("", "Pod", "p", [fe.required("spec.containers")])
    assert one.message == 'Pod "p" is invalid: spec.containers: Required value'
    two = status.invalid("apps", "Deployment", "d", [fe.required("a"), fe.required("b"), fe.required("a")])
    assert two.message == 'Deployment.apps "d" is invalid: [a: Required value, b: Required value]'
    assert two.status["details"] == {
        "name": "d", "group": "apps", "kind": "Deployment",
        "causes": [{"reason": "FieldValueRequired", "message": "Required value", "field": field} for field in ("a", "b")],
    }


def test_every_reason_has_a_grpc_code_that_exists() -> None:
    assert {codes.grpc for codes in REASONS.values()} <= set(grpc.StatusCode.__members__)
    assert status.conflict("pods", "", "a").grpc_code == "ABORTED"
    assert status.expired("x").grpc_code == "OUT_OF_RANGE"
    assert status.failure("", "webhook says so", code=418).grpc_code == "INTERNAL"
    assert status.failure("", "webhook says so", code=403).grpc_code == "PERMISSION_DENIED"


def test_a_status_that_fits_is_not_touched() -> None:
    found = status.bad_request("x").status
    assert status.cut(found, 6000) is found


@pytest.mark.parametrize("size_max", [1000, 6000])
def test_a_long_status_is_cut_and_says_how_many_causes_are_missing(size_max: int) -> None:
    errors = [fe.invalid(f"spec.items[{index}]", "é" * 40, "is wrong") for index in range(500)]
    found = status.invalid("", "Pod", "p", errors).status
    short = status.cut(found, size_max)
    assert len(json.dumps(short, ensure_ascii=False, separators=(",", ":")).encode()) <= size_max
    *kept, last = short["details"]["causes"]
    assert kept == found["details"]["causes"][: len(kept)]
    assert last == {"message": f"and {500 - len(kept)} more"}
    assert len(found["details"]["causes"]) == 500

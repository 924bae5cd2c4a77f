"""Failed calls as StatusErrors, with and without a Status of the server."""

from google.protobuf import any_pb2
from google.rpc import status_pb2

from kcore.client import failures
from kcore.machinery import status


def trailer(error):
    message = failures.to_message(error)
    detail = any_pb2.Any(type_url="type.googleapis.com/kcore.api.meta.v1.Status", value=message.SerializeToString())
    return status_pb2.Status(code=5, details=[detail]).SerializeToString()


def test_the_servers_own_status_arrives_as_it_was():
    for error in (
        status.not_found("pods", "", "a"),
        status.conflict("deployments", "apps", "web"),
        status.too_many_requests("later", 3, [{"reason": "DisruptionBudget", "message": "no", "field": "x"}]),
        status.too_large_resource_version(9, 5),
    ):
        assert failures.from_call("UNKNOWN", "text", trailer(error)).status == error.status


def test_without_a_status_the_grpc_code_decides():
    found = failures.from_call("UNAVAILABLE", "connection refused", None)
    assert (found.reason, found.code, found.message) == ("ServiceUnavailable", 503, "connection refused")
    assert failures.from_call("OUT_OF_RANGE", "", None).reason == "Expired"
    assert failures.from_call("DATA_LOSS", "", None).reason == "InternalError"


def test_every_code_that_a_reason_has_leads_back_to_a_reason_with_that_code():
    for codes in status.REASONS.values():
        assert failures.from_call(codes.grpc, "", None).grpc_code == codes.grpc


def test_details_of_another_type_are_passed_over():
    other = status_pb2.Status(code=5, details=[any_pb2.Any(type_url="type.googleapis.com/other", value=b"x")])
    assert failures.from_call("NOT_FOUND", "gone", other.SerializeToString()).reason == "NotFound"


def test_how_long_to_wait_is_read_from_the_details():
    assert failures.retry_after_s(status.too_many_requests("later", 3)) == 3.0
    assert failures.retry_after_s(status.not_found("pods", "", "a")) == 0.0


def test_a_pushback_without_a_status_says_when_to_come_back():
    assert failures.retry_after_s(failures.from_call("RESOURCE_EXHAUSTED", "full", None, "1500")) == 2
    for never in ("", "-1", "soon"):
        assert failures.retry_after_s(failures.from_call("RESOURCE_EXHAUSTED", "full", None, never)) == 0

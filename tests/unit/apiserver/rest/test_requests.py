"""Requests over HTTP and their answers, in all forms."""

from __future__ import annotations

import gzip

import pytest
import yaml

from kcore.base import limits
from kcore.machinery import codec
from tests.unit.apiserver.api import Api, deployment
from tests.unit.apiserver.rest.http import Http

MAPS = "/api/v1/namespaces/default/configmaps"
PROTOBUF = "application/vnd.kubernetes.protobuf"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


def config(name: str, **data: str) -> dict[str, object]:
    return {"metadata": {"name": name}, "data": data}


async def test_an_object_is_created_read_replaced_patched_and_deleted(http: Http) -> None:
    made = await http("POST", MAPS, config("c", a="1"))
    assert (made.code, made.json()["data"]) == (201, {"a": "1"})
    assert made.headers["content-type"] == "application/json"
    assert (await http("GET", f"{MAPS}/c")).json() == made.json()
    replaced = await http("PUT", f"{MAPS}/c", {**made.json(), "data": {"a": "2"}})
    assert (replaced.code, replaced.json()["data"]) == (200, {"a": "2"})
    stale = await http("PUT", f"{MAPS}/c", made.json())
    assert (stale.code, stale.json()["reason"]) == (409, "Conflict")
    patched = await http("PATCH", f"{MAPS}/c", {"data": {"b": "3"}}, content_type="application/merge-patch+json")
    assert patched.json()["data"] == {"a": "2", "b": "3"}
    gone = await http("DELETE", f"{MAPS}/c")
    assert (gone.code, gone.json()["kind"], gone.json()["status"]) == (200, "Status", "Success")
    missing = await http("GET", f"{MAPS}/c")
    assert (missing.code, missing.json()["message"]) == (404, 'configmaps "c" not found')


async def test_an_object_comes_and_goes_in_every_form(http: Http) -> None:
    text = yaml.dump(config("y", k="line\nline\n", n="1", y="y")).encode()
    assert (await http("POST", MAPS, text, content_type="application/yaml")).code == 201
    shown = await http("GET", f"{MAPS}/y", accept="application/yaml")
    assert yaml.safe_load(shown.body)["data"] == {"k": "line\nline\n", "n": "1", "y": "y"}
    assert b'"n": "1"' in shown.body and b'"y": "y"' in shown.body
    raw = codec.encode("kcore.api.core.v1.ConfigMap", config("p", a="1"))
    made = await http("POST", MAPS, codec.envelope("v1", "ConfigMap", raw), content_type=PROTOBUF, accept=PROTOBUF)
    assert made.headers["content-type"] == PROTOBUF
    api_version, kind, raw = codec.open_envelope(made.body)
    assert (api_version, kind, codec.decode("kcore.api.core.v1.ConfigMap", raw)["data"]) == ("v1", "ConfigMap", {"a": "1"})


@pytest.mark.parametrize("api_version", ["v1", "apps/v1"])
async def test_options_of_a_deletion_come_in_protobuf_and_in_the_version_of_any_group(http: Http, api_version: str) -> None:
    uid = (await http("POST", MAPS, config("c"))).json()["metadata"]["uid"]

    def options(wanted: str, kind: str = "DeleteOptions") -> bytes:
        return codec.envelope(api_version, kind, codec.encode("kcore.api.meta.v1.DeleteOptions", {"preconditions": {"uid": wanted}}))

    assert (await http("DELETE", f"{MAPS}/c", options("another"), content_type=PROTOBUF)).code == 409
    assert (await http("DELETE", f"{MAPS}/c", options(uid, "Pod"), content_type=PROTOBUF)).code == 400
    assert (await http("DELETE", f"{MAPS}/c", options(uid), content_type=PROTOBUF)).code == 200


async def test_people_get_json_that_they_can_read(http: Http) -> None:
    for headers, query in (({"user_agent": "curl/8"}, ""), ({}, "pretty=true"), ({"accept": "application/json;pretty=1"}, "")):
        assert b'\n  "kind"' in (await http("GET", "/api/v1/namespaces/default", query=query, **headers)).body
    assert b"\n  " not in (await http("GET", "/api/v1/namespaces/default", query="pretty=0", user_agent="curl/8")).body


async def test_a_list_is_shown_as_a_table_and_as_metadata(http: Http) -> None:
    for name in ("a", "b"):
        await http("POST", MAPS, config(name, k="v"))
    table = (await http("GET", MAPS, accept=TABLE)).json()
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert [row["cells"][:2] for row in table["rows"]] == [["a", 1], ["b", 1]]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    bare = (await http("GET", MAPS, accept=TABLE, query="includeObject=None")).json()
    assert [row["object"] for row in bare["rows"]] == [None, None]
    whole = (await http("GET", f"{MAPS}/a", accept=TABLE, query="includeObject=Object")).json()
    assert whole["rows"][0]["object"]["data"] == {"k": "v"}
    found = (await http("GET", MAPS, accept=LIST)).json()
    assert found["kind"] == "PartialObjectMetadataList"
    assert [sorted(item) for item in found["items"]] == [["apiVersion", "kind", "metadata"]] * 2
    assert (await http("GET", MAPS, accept=TABLE, query="includeObject=Half")).code == 400


@pytest.mark.parametrize(("path", "accept"), [(MAPS, PARTIAL), (f"{MAPS}/a", LIST)])
async def test_a_list_is_not_one_object_and_an_object_is_no_list(http: Http, path: str, accept: str) -> None:
    await http("POST", MAPS, config("a"))
    refused = await http("GET", path, accept=accept)
    assert (refused.code, refused.json()["reason"]) == (406, "NotAcceptable")


async def test_a_pod_that_is_over_says_so_in_its_row(http: Http, api: Api) -> None:
    pods = "/api/v1/namespaces/default/pods"
    await http("POST", pods, {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}})
    changes = {"status": {"phase": "Succeeded"}}
    await http("PATCH", f"{pods}/p/status", changes, content_type="application/merge-patch+json")
    [row] = (await http("GET", pods, accept=TABLE)).json()["rows"]
    assert [(condition["type"], condition["reason"]) for condition in row["conditions"]] == [("Completed", "Succeeded")]


async def test_long_answers_are_compressed_if_the_client_takes_that(http: Http) -> None:
    await http("POST", MAPS, config("large", k="x" * limits.GZIP_BODY_BYTES))
    plain = await http("GET", f"{MAPS}/large")
    packed = await http("GET", f"{MAPS}/large", accept_encoding="gzip, br")
    assert "content-encoding" not in plain.headers and packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) // 10


async def test_a_body_that_is_too_long_is_refused(http: Http) -> None:
    refused = await http("POST", MAPS, b" " * (limits.REQUEST_BODY_BYTES_MAX + 1))
    assert (refused.code, refused.json()["reason"]) == (413, "RequestEntityTooLarge")


async def test_paths_that_lead_nowhere_and_methods_that_nobody_knows(http: Http) -> None:
    assert (await http("GET", "/nothing")).code == 404
    assert (await http("GET", "/api/v1/nothings")).json()["reason"] == "NotFound"
    assert (await http("TRACE", MAPS)).code == 405
    assert (await http("GET", "/api/v1/namespaces/..%2f..%2fetc/configmaps")).code == 400
    assert (await http("GET", f"{MAPS}/%00")).code in (400, 404)


async def test_a_get_waits_for_no_revision_that_is_long_past_and_refuses_one_that_is_none(http: Http) -> None:
    made = (await http("POST", MAPS, config("c"))).json()
    version = made["metadata"]["resourceVersion"]
    assert (await http("GET", f"{MAPS}/c", query=f"resourceVersion={version}")).json() == made
    assert (await http("GET", f"{MAPS}/c", query="resourceVersion=x")).code == 500


async def test_whoever_shows_nothing_may_ask_how_the_server_is_and_no_more(http: Http) -> None:
    assert (await http("GET", "/livez", token="")).body == b"ok"
    assert (await http("GET", "/readyz", token="")).body == b"ok"
    assert (await http("GET", "/readyz/etcd", token="")).code == 403
    assert (await http("GET", "/version", token="")).json()["major"] == "1"
    refused = await http("GET", "/apis", token="")
    assert (refused.code, refused.json()["reason"]) == (403, "Forbidden")
    assert (await http("GET", MAPS, token="nobody's")).code == 401
    assert (await http("GET", "/api/v1/nothings", token="alice")).code == 403


async def test_a_user_acts_as_another_if_he_may(http: Http) -> None:
    review = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    shown = await http("POST", review, asked, impersonate_user="bob")
    assert shown.json()["status"]["userInfo"]["username"] == "bob"
    assert (await http("POST", review, asked, token="alice", impersonate_user="bob")).code == 403


async def test_warnings_come_in_headers(http: Http) -> None:
    doubled = b'{"metadata": {"name": "c"}, "data": {"a": "1"}, "foo": 1}'
    assert (await http("POST", MAPS, doubled)).headers["warning"] == '299 - "unknown field \\"foo\\""'
    refused = await http("POST", MAPS, doubled, query="fieldValidation=Strict")
    assert refused.code == 400 and "strict decoding error" in refused.json()["message"]
    both = b'{"metadata": {"name": "d"}, "foo": 1, "data": {"a": "1", "a": "2"}}'
    refused = await http("POST", MAPS, both, query="fieldValidation=Strict")
    assert refused.json()["message"].endswith('strict decoding error: unknown field "foo", duplicate field "data.a"')


async def test_whose_fields_they_are_is_told_by_the_user_agent(http: Http) -> None:
    made = await http("POST", MAPS, config("c", a="1"), user_agent="kubectl/v1.37.2 (linux/amd64)")
    [entry] = made.json()["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("kubectl", "Update")


async def test_requests_are_counted_under_upstreams_names(http: Http) -> None:
    labels = ('code="404"', 'resource="configmaps"', 'verb="GET"', 'scope="resource"')

    async def counted() -> tuple[float, str]:
        told = (await http("GET", "/metrics")).body.decode()
        lines = (line for line in told.splitlines() if line.startswith("apiserver_request_total{") and all(each in line for each in labels))
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines), told

    before, _ = await counted()
    await http("GET", f"{MAPS}/none")
    after, told = await counted()
    assert after == before + 1
    assert "apiserver_request_duration_seconds_bucket{" in told


async def test_store_watches_and_flows_are_measured_under_upstreams_names(http: Http, api: Api) -> None:
    async with http.watch(MAPS) as sent:
        await sent.get()
        await http("POST", MAPS, config("measured"))
        for _ in range(2):
            await sent.get()
        api.server.report()
        told = (await http("GET", "/metrics")).body.decode().splitlines()
    labels = 'group="",resource="configmaps"'
    for name, least in (
        (f"apiserver_resource_objects{{{labels}}}", 1),
        (f"apiserver_storage_events_received_total{{{labels}}}", 1),
        (f"apiserver_watch_cache_resource_version{{{labels}}}", 1),
        (f'apiserver_watch_events_total{{{labels},version="v1"}}', 1),
        ('apiserver_storage_size_bytes{storage_cluster_id=""}', 1_000),
        ('apiserver_flowcontrol_nominal_limit_seats{priority_level="workload-low"}', 245),
        ('apiserver_flowcontrol_dispatched_requests_total{flow_schema="exempt",priority_level="exempt"}', 1),
    ):
        [value] = [float(line.removeprefix(name)) for line in told if line.startswith(name)]
        assert value >= least, name
    assert any(line.startswith("apiserver_longrunning_requests{") and labels in line for line in told)


async def test_the_keys_of_service_account_tokens_are_published(http: Http) -> None:
    told = (await http("GET", "/.well-known/openid-configuration", host="here:1")).json()
    assert told["jwks_uri"] == "https://here:1/openid/v1/jwks"
    assert [key["kty"] for key in (await http("GET", "/openid/v1/jwks")).json()["keys"]] == ["EC"]


async def test_a_scale_is_shown_as_a_table(http: Http, api: Api) -> None:
    await api.create("deployments", deployment())
    path = "/apis/apps/v1/namespaces/default/deployments/d"
    shown = (await http("GET", f"{path}/scale", accept=TABLE)).json()
    assert [column["name"] for column in shown["columnDefinitions"]] == ["Name", "Desired", "Available", "Age"]
    assert shown["rows"][0]["cells"][:3] == ["d", 2, 0]
    assert shown["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    assert (await http("GET", f"{path}/scale", accept=LIST)).code == 406


async def test_a_review_with_metadata_is_refused_and_told_as_it_would_have_been(http: Http) -> None:
    spec = {"user": "u", "nonResourceAttributes": {"path": "/x", "verb": "get"}}
    body = {"metadata": {"labels": {"a": "b"}, "name": "n"}, "spec": spec}
    answer = (await http("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body, user_agent="me/1")).json()
    assert answer["message"].startswith('.authorization.k8s.io "" is invalid: metadata: Invalid value: {"name":"n","labels":{"a":"b"},')
    assert '"managedFields":[{"manager":"me","operation":"Update"' in answer["message"]
    assert answer["message"].endswith("}}]}: must be empty")

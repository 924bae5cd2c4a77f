"""Documents: forms, ETags, what is kept."""

import gzip

import orjson
import pytest

from kcore.apiserver.discovery import Documents
from kcore.apiserver.discovery.document import Document, Kept
from kcore.base import limits
from kcore.machinery import codec, scheme
from kcore.machinery.status import StatusError

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@pytest.fixture(scope="module")
def documents() -> Documents:
    return Documents(scheme.load(), "127.0.0.1:6443")


def get(documents: Documents, path: str, accept: str = "", **query: list[str]) -> Document:
    found = documents.answer("GET", path, accept, query)
    assert found is not None
    return found


def test_a_client_that_has_the_document_gets_no_body(documents: Documents) -> None:
    first = get(documents, "/apis", AGGREGATED)
    again = documents.answer("GET", "/apis", AGGREGATED, {}, f'"other", W/{first.etag}')
    assert again is not None and (again.status, again.body, again.etag) == (304, b"", first.etag)
    stale = documents.answer("GET", "/apis", AGGREGATED, {}, '"other"')
    assert stale is not None and stale.body == first.body


def test_a_document_is_made_once(documents: Documents) -> None:
    assert get(documents, "/api/v1") is get(documents, "/api/v1/")


def test_equal_schemes_give_equal_etags(documents: Documents) -> None:
    assert get(Documents(scheme.load()), "/apis", AGGREGATED).etag == get(documents, "/apis", AGGREGATED).etag


@pytest.mark.parametrize("path", ["/api", "/apis", "/apis/apps", "/api/v1", "/apis/apps/v1"])
def test_objects_come_in_all_forms_of_objects(documents: Documents, path: str) -> None:
    as_json = orjson.loads(get(documents, path, "application/json").body)
    as_protobuf = get(documents, path, "application/vnd.kubernetes.protobuf")
    found = codec.decode_object(as_protobuf.body, scheme.load().message_of)
    assert found == {"apiVersion": "v1", **as_json}
    assert get(documents, path, "application/yaml").content_type == "application/yaml"


def test_aggregated_discovery_comes_as_protobuf(documents: Documents) -> None:
    asked = AGGREGATED.replace("application/json", "application/vnd.kubernetes.protobuf")
    api_version, kind, raw = codec.open_envelope(get(documents, "/apis", asked).body)
    found = codec.decode("kcore.api.apidiscovery.v2.APIGroupDiscoveryList", raw, api_version, kind)
    assert found == orjson.loads(get(documents, "/apis", AGGREGATED).body)


def test_pretty_is_a_form_of_its_own(documents: Documents) -> None:
    plain, pretty = get(documents, "/apis/apps"), get(documents, "/apis/apps", pretty=["true"])
    assert plain.body != pretty.body and orjson.loads(plain.body) == orjson.loads(pretty.body)
    assert get(documents, "/apis/apps", "application/json;pretty=1").body == pretty.body


def test_a_version_that_is_not_served_is_not_found(documents: Documents) -> None:
    with pytest.raises(StatusError, match="could not find"):
        documents.answer("GET", "/apis/apps/v9")


@pytest.mark.parametrize("path", ["/apis/none", "/apis/none/v1", "//api", "/API", "/api/v1/pods", "", "/apis//v1", "/healthz"])
def test_what_is_no_document_is_left_to_others(documents: Documents, path: str) -> None:
    assert documents.answer("GET", path) is None


@pytest.mark.parametrize("path", ["/version", "/api", "/api/v1", "/apis/apps/v1"])
def test_routes_of_documents_know_get_only(documents: Documents, path: str) -> None:
    with pytest.raises(StatusError, match="does not allow this method"):
        documents.answer("POST", path)


def test_every_discovery_path_that_is_listed_is_answered(documents: Documents) -> None:
    listed = orjson.loads(get(documents, "/").body)["paths"]
    discovery = [path for path in listed if path.startswith("/api")]
    assert len(discovery) > 40 and all(documents.answer("GET", path) for path in discovery)


def test_a_body_is_compressed_once(documents: Documents) -> None:
    found = get(documents, "/api/v1")
    assert gzip.decompress(found.compressed()) == found.body and found.compressed() is found.compressed()


def test_only_the_last_documents_are_kept() -> None:
    kept, made = Kept(), []

    def ask(name: str) -> None:
        kept.get((name,), lambda: made.append(name) or Document("text/plain", b""))  # type: ignore[func-returns-value]

    for number in range(limits.DOCUMENTS_KEPT_MAX):
        ask(f"{number}")
    ask("0")
    ask("new")
    assert len(made) == limits.DOCUMENTS_KEPT_MAX + 1
    ask("0")
    ask("1")
    assert made[-1] == "1" and len(made) == limits.DOCUMENTS_KEPT_MAX + 2

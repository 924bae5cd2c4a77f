"""Which form of an answer a client takes."""

from __future__ import annotations

import pytest

from kcore.apiserver.rest.media import JSON, PROTOBUF, TABLE, YAML, Form, choose, for_errors
from kcore.machinery.status import StatusError

AS_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form()),
        ("*/*", Form()),
        ("text/html, */*;q=0.8", Form()),
        ("application/yaml", Form(YAML)),
        ("application/yaml;q=0.1, application/json", Form(JSON)),
        ("application/vnd.kubernetes.protobuf,application/json", Form(PROTOBUF)),
        (f"{AS_TABLE},application/json", Form(JSON, TABLE, "v1")),
        ("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json", Form(JSON)),
        ("application/json;as=Table;v=v2;g=meta.k8s.io,application/yaml", Form(YAML)),
        ("application/json;pretty=1", Form(JSON, pretty=True)),
        ("application/json;q=nonsense, application/yaml", Form(YAML)),
    ],
)
def test_the_best_form_that_is_served_is_chosen(accept: str, form: Form) -> None:
    assert choose(accept, True) == form


REFUSED = ["text/html", "application/*", "application/json;as=Table", "application/json;as=Chair;v=v1;g=meta.k8s.io"]


@pytest.mark.parametrize("accept", REFUSED)
def test_what_no_form_answers_is_refused(accept: str) -> None:
    with pytest.raises(StatusError) as failed:
        choose(accept, True)
    assert (failed.value.code, failed.value.reason) == (406, "NotAcceptable")


def test_a_kind_without_columns_is_no_table() -> None:
    with pytest.raises(StatusError):
        choose(AS_TABLE, False)
    assert choose(f"{AS_TABLE},application/json", False) == Form()


def test_errors_are_told_in_a_form_that_the_client_knows() -> None:
    assert for_errors("text/html") == Form()
    assert for_errors(f"{AS_TABLE}").media == JSON
    assert for_errors("application/vnd.kubernetes.protobuf,application/json").media == PROTOBUF

"""What is read from manifests, and what is refused."""

import io
import sys
from pathlib import Path

import click
import pytest

from kcore.cli import manifests
from kcore.cli.manifests import Broken, Document


def parsed(text: str) -> list[Document | Broken]:
    return list(manifests.parse(text, "here"))


def only(text: str) -> dict[str, object]:
    (found,) = parsed(text)
    assert isinstance(found, Document), found
    return found.obj


def reason(text: str) -> str:
    (found,) = parsed(text)
    assert isinstance(found, Broken) and found.source == "here", found
    return found.reason


def test_documents_are_split_and_empty_ones_left_out() -> None:
    assert [found.obj["kind"] for found in parsed("---\nkind: A\n---\n# nothing\n---\nkind: B\n") if isinstance(found, Document)] == [
        "A",
        "B",
    ]


def test_a_list_is_its_items() -> None:
    found = parsed('{"kind": "List", "items": [{"kind": "A"}, {"no": "kind"}, 7]}')
    assert found[0] == Document("here", {"kind": "A"})
    assert [each.reason for each in found[1:] if isinstance(each, Broken)] == [
        "items[1]: a document is no Kubernetes object: it has no kind",
        "items[2]: a document is no Kubernetes object: it has no kind",
    ]
    assert list(parsed("kind: PodList\nitems: [{kind: Pod}]")) == [Document("here", {"kind": "Pod"})]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-01-01", "2024-01-01"), ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"), ("12:30:45", "12:30:45"), ("22:22", "22:22"),
        ("0644", 420), ("1_000", 1000), ("0x1F", 31), ("-5", -5), ("1.5", 1.5), ("1e3", 1000.0), ("yes", True), ("off", False),
        ("~", None), ("1.27.0", "1.27.0"), ("100m", "100m"), ("'7'", "7"),
    ],
)  # fmt: skip
def test_scalars_are_read_as_kubernetes_reads_them(text: str, value: object) -> None:
    found = only(f"kind: A\nvalue: {text}")["value"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("just text", "a document is no Kubernetes object: it has no kind"),
        ("[]", "a document is no Kubernetes object: it has no kind"),
        ("kind: 3", "kind is no string"),
        ("kind: A\napiVersion: 1", "apiVersion is no string"),
        ("kind: A\nmetadata: 3", "metadata is no mapping"),
        ("kind: A\nmetadata: {name: 3}", "metadata.name is no string"),
        ("kind: A\nx: .inf", "a document is nothing that JSON can say: Out of range float values are not JSON compliant"),
        ("kind: A\nx: &x [*x]", "a document is nothing that JSON can say: Circular reference detected"),
        ("kind: A\nx: !!binary aGk=", "a document is nothing that JSON can say: Object of type bytes is not JSON serializable"),
        ("a: [1", "while parsing a flow sequence at line 1, column 4 did not find expected ',' or ']' at line 2, column 1"),
    ],
)
def test_what_is_no_object_is_refused_with_its_reason(text: str, sentence: str) -> None:
    assert reason(text) == sentence


def test_no_tag_brings_code() -> None:
    assert reason("kind: A\nx: !!python/object/apply:os.system [ls]").startswith("could not determine a constructor for the tag")


def test_a_folder_is_read_all_the_way_down_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b/c.yml", "a.yaml", "d.json", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f'{{"kind": "{Path(name).stem}"}}')
    assert [found.obj["kind"] for found in manifests.read(str(tmp_path)) if isinstance(found, Document)] == ["a", "c", "d"]


def test_a_file_that_is_no_text_is_one_broken_document(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xff")
    (found,) = manifests.read(str(tmp_path))
    assert isinstance(found, Broken) and found.source == str(tmp_path / "a.yaml")


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("kind: A"))
    assert list(manifests.read("-")) == [Document("standard input", {"kind": "A"})]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="there is no "):
        list(manifests.read(str(tmp_path / "missing")))
    with pytest.raises(click.ClickException, match=r"holds no \.yaml, \.yml, \.json file"):
        list(manifests.read(str(tmp_path)))


def test_a_manifest_of_another_namespace_disagrees() -> None:
    manifests.agree({"metadata": {"namespace": "a"}}, None)
    manifests.agree({"metadata": {"namespace": "a"}}, "a")
    manifests.agree({}, "a")
    with pytest.raises(manifests.OtherNamespace, match="the namespace a of the manifest is not b, which -n asks for"):
        manifests.agree({"metadata": {"namespace": "a"}}, "b")

"""Each command against a control plane of processes: what it prints, and its exit status."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kcore.base import limits
from kcore.base.config import DataDir
from kcore.cli.main import COMMANDS
from tests.integration.plane import Plane, process, wait_for
from tests.integration.shell import Shell, run

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx:1.27}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
LOAD_KEYS = {
    "count", "nodes", "created_per_s", "bound_per_s", "running_per_s", "create_ms", "bind_ms", "run_ms", "duration_s", "events_dropped",
}  # fmt: skip


def config_map(name: str, **labels: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, "data": {"a": "1"}})


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    plane = Plane(DataDir(tmp_path_factory.mktemp("commands") / "data"))
    started = plane.up("--nodes", "3", "--feature-gates", "GenericWorkload=true", "--kubeconfig", str(plane.directory.path / "config"))
    assert started.code == 0, started.err
    addresses = r"REST https://127\.0\.0\.1:\d+, gRPC 127\.0\.0\.1:\d+"
    assert re.fullmatch(rf"{addresses}; state in {plane.directory.path}\nready in \d+ ms\n", started.out)
    yield plane
    assert plane.kcore("down").code == 0


@pytest.fixture(scope="module")
def shell(plane: Plane) -> Shell:
    return Shell(plane.directory.path)


@pytest.fixture
def space(shell: Shell, request: pytest.FixtureRequest) -> str:
    """A namespace of the test's own."""
    name = "t" + re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test").lower())[:40].strip("-")
    shell.good("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
    return name


# status, version, completion, help


def test_status_tells_the_parts(shell: Shell, plane: Plane) -> None:
    lines = shell.good("status").lines()
    assert lines[0].split() == ["PART", "PID", "STATE", "RESTARTS"]
    assert {line.split()[0]: line.split()[2] for line in lines[1:-2]} == {
        "apiserver": "ready", "controllers": "ready", "nodes": "ready", "scheduler": "ready", "supervisor": "running",
    }  # fmt: skip
    found = shell.good("status", "--json").json()
    assert found["data_dir"] == str(plane.directory.path)
    assert lines[-2:] == [f"REST on {found['endpoints']['rest']}", f"gRPC on {found['endpoints']['grpc']}"]
    assert found["parts"]["scheduler"] == {"pid": plane.holder("scheduler").pid, "state": "ready", "restarts": 0}


def test_status_of_nothing_is_3(tmp_path: Path) -> None:
    done = run("status", "--data-dir", str(tmp_path))
    assert (done.code, done.out) == (3, f"nothing runs in {tmp_path}\n")
    assert run("status", "--json", "--data-dir", str(tmp_path)).json() == {"data_dir": str(tmp_path), "parts": {}, "endpoints": {}}


def test_env_tells_a_shell_where_the_kubeconfig_is(shell: Shell, plane: Plane) -> None:
    script = f'eval "{shell("env").out}"; cat "$KUBECONFIG"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["kind"] == "Config"


def test_env_of_nothing_is_one_sentence(tmp_path: Path) -> None:
    done = process("env", "--data-dir", str(tmp_path))
    assert (done.code, done.out) == (1, "")
    assert done.err == f"kcore: {tmp_path}/kubeconfig is not there: kcore up writes it, once it serves HTTPS\n"


def test_version_is_one_of_kcore_and_one_of_kubernetes() -> None:
    found = run("version", "--json").json()
    assert found["kubernetes"] == "1.37" and re.fullmatch(r"\d+\.\d+\.\d+", found["kcore"])
    assert run("version").lines()[0].split() == ["kcore", found["kcore"]]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion_is_a_script_of_the_shell(name: str) -> None:
    done = run("completion", name)
    assert done.code == 0 and "_KCORE_COMPLETE" in done.out


def test_every_command_has_help() -> None:
    listed = re.findall(r"^  ([a-z-]+)  ", run("--help").out, re.MULTILINE)
    assert listed == list(COMMANDS)
    for name in listed:
        done = run(name, "--help")
        assert done.code == 0 and done.out.startswith(f"Usage: kcore {name}"), done


# get


def test_get_prints_tables(shell: Shell) -> None:
    lines = shell.good("get", "nodes").lines()
    assert lines[0].split() == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"] and len(lines) == 4
    assert lines[1].split()[:3] == ["node-0", "Ready", "<none>"]
    wide = shell.good("get", "node", "node-1", "-o", "wide").lines()
    assert len(wide) == 2 and wide[0].split()[-1] == "CONTAINER-RUNTIME" and wide[1].startswith("node-1 ")
    assert shell.good("get", "no/node-2", "--no-headers").lines()[0].startswith("node-2 ")
    every = shell.good("get", "cm", "-A").lines()
    assert every[0].split() == ["NAMESPACE", "NAME", "DATA", "AGE"] and every[1].split()[:2] == ["default", "kube-root-ca.crt"]
    both = shell.good("get", "svc,sa").lines()
    assert both[1].startswith("service/kubernetes ") and both[-1].startswith("serviceaccount/default ") and "" in both


def test_get_prints_yaml_json_and_names(shell: Shell) -> None:
    one = shell.good("get", "node", "node-0", "-o", "json").json()
    assert (one["apiVersion"], one["kind"], one["metadata"]["name"]) == ("v1", "Node", "node-0")
    assert yaml.safe_load(shell.good("get", "node", "node-0", "-o", "yaml").out)["metadata"]["uid"] == one["metadata"]["uid"]
    many = shell.good("get", "nodes", "-o", "json").json()
    assert (many["kind"], [item["kind"] for item in many["items"]]) == ("List", ["Node"] * 3)
    assert shell.good("get", "nodes", "-o", "name").lines() == ["node/node-0", "node/node-1", "node/node-2"]
    assert shell.good("get", "node/node-0", "ns/default", "-o", "name").lines() == ["node/node-0", "namespace/default"]
    assert shell.good("get", "priorityclasses", "-o", "name").lines()[0] == "priorityclass.scheduling.k8s.io/system-cluster-critical"


def test_get_selects_by_labels_and_fields(shell: Shell, space: str) -> None:
    maps = "\n---\n".join([config_map("a", tier="x"), config_map("b", tier="x"), config_map("c", tier="y")])
    shell.good("apply", "-n", space, "-f", "-", stdin=maps)
    assert shell.good("get", "cm", "-n", space, "-l", "tier=x", "-o", "name").lines() == ["configmap/a", "configmap/b"]
    assert shell.good("get", "cm", "-n", space, "-l", "tier,tier notin (x)", "-o", "name").lines() == ["configmap/c"]
    assert shell.good("get", "cm", "-n", space, "--field-selector", "metadata.name=b", "-o", "name").lines() == ["configmap/b"]
    empty = shell.good("get", "cm", "-n", space, "-l", "tier=z")
    assert (empty.out, empty.err) == ("", f"No resources found in {space} namespace.\n")
    assert shell.good("get", "nodes", "-l", "a=b").err == "No resources found.\n"
    assert shell.good("get", "cm", "-n", space, "-l", "tier=z", "-o", "json").json()["items"] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["get", "things"], 'the server doesn\'t have a resource type "things"'),
        (["get", "pods", "missing"], 'pods "missing" not found'),
        (["get", "deploy/missing"], 'deployments.apps "missing" not found'),
        (["get", "pods/"], "arguments of the form TYPE/NAME must all have a name"),
        (["get", "pod", "pod/a"], "a name has no /: give TYPE NAME, or TYPE/NAME alone"),
        (["get", "pods,services", "a"], "names need one resource type"),
        (["get", "pods", "a", "-A"], "a resource cannot be retrieved by name across all namespaces"),
        (["get", "pods", "a", "-l", "b=c"], "names go without a selector"),
        (["get", "pods,services", "-w"], "one resource type, and at most one name, can be watched at a time"),
        (["get", "pods", "-w", "b", "c"], "one resource type, and at most one name, can be watched at a time"),
        (["describe", "pods", "missing"], 'pods "missing" not found'),
        (["delete", "pods"], "a type alone needs --selector or --all (see kcore delete --help)"),
        (["delete"], "name objects, or manifests with -f (see kcore delete --help)"),
        (["delete", "pod", "a", "--all"], "names go without a selector"),
        (["watch", "things"], 'the server doesn\'t have a resource type "things"'),
        (["apply"], "Missing option '-f' / '--filename' (see kcore apply --help)"),
        (["apply", "-f", "/nowhere"], "there is no /nowhere"),
        (["load", "pods"], "Missing option '--count' (see kcore load pods --help)"),
        (["load", "pods", "--count", "1", "--json", "/nowhere/x"], "/nowhere/x: there is no such folder"),
        (["load", "pods", "--count", "1", "--acked", "/nowhere/x"], "/nowhere/x: No such file or directory"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(shell: Shell, arguments: list[str], sentence: str) -> None:
    assert shell.bad(*arguments) == sentence


def test_an_unknown_command_is_one_sentence() -> None:
    done = run("frobnicate")
    assert (done.code, done.out, done.err) == (2, "", "kcore: No such command 'frobnicate' (see kcore --help)\n")


def test_a_server_that_is_not_there_is_one_sentence(shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert run("get", "pods", "--data-dir", str(tmp_path)).err == f"kcore: no control plane runs in {tmp_path}; start one with kcore up\n"
    monkeypatch.setattr("kcore.client.connect.to_endpoint.__kwdefaults__", {"timeout_s": 0.2, "connections": 1})
    done = run("get", "pods", "--server", "127.0.0.1:1", "--insecure")
    assert (done.code, done.out) == (1, "")
    assert done.err == "kcore: no API server answers at 127.0.0.1:1 (Timeout: the server could not be reached within 0.2 s)\n"
    done = run("get", "pods", "--server", "192.0.2.1:1", "--insecure")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1) and "loopback" in done.err


words = st.one_of(
    st.sampled_from(["pods", "po/a", "-o", "json", "-l", "a=b", "-A", "-n", "x y", "", "-", "--all", "cm,pods", "all", "-w=", "\0", "é"]),
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.sampled_from(["get", "describe", "delete", "apply", "status", "version"]), st.lists(words, max_size=4))
def test_no_arguments_bring_a_traceback(shell: Shell, command: str, arguments: list[str]) -> None:
    if command == "delete":
        arguments = ["-n", "nobody", *arguments]  # the words may mean everything
    done = shell(command, *arguments)
    assert done.code in (0, 1, 2, 3)
    assert done.code in (0, 3) or done.err.startswith("kcore: "), done


manifests = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["kind", "apiVersion", "metadata", "name", "namespace", "spec", "items", "labels", "data"]), inner),
    ),
    max_leaves=12,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(manifests, st.sampled_from(["ConfigMap", "Pod", "Service", "List", "Node", "Deployment"]))
def test_no_manifest_brings_a_traceback(shell: Shell, manifest: object, kind: str) -> None:
    if isinstance(manifest, dict):
        manifest = {"apiVersion": "apps/v1" if kind == "Deployment" else "v1", "kind": kind, **manifest}
    done = shell("apply", "-n", "nobody", "-f", "-", stdin=json.dumps(manifest))
    assert done.code in (0, 1) and (done.code == 0 or done.err.startswith("kcore: ")), done


def test_what_is_no_text_is_refused(shell: Shell) -> None:
    assert shell.bad("apply", "-f", "-", stdin=b"\xff\xfe\x00").startswith("standard input: ")


# apply, describe, delete


def test_apply_creates_configures_and_leaves_alone(shell: Shell, space: str, tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(WEB)
    command = ("apply", "-n", space, "-f", str(file))
    assert shell.good(*command).lines() == ["deployment.apps/web created", "service/web created"]
    assert shell.good(*command).lines() == ["deployment.apps/web unchanged", "service/web unchanged"]
    file.write_text(WEB.replace("replicas: 2", "replicas: 1"))
    assert shell.good(*command).lines() == ["deployment.apps/web configured", "service/web unchanged"]
    assert shell.good("get", "deploy", "web", "-n", space, "-o", "json").json()["spec"]["replicas"] == 1


def test_apply_reads_folders_lists_and_json(shell: Shell, space: str, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.json").write_text(config_map("b"))
    (tmp_path / "deep" / "a.yml").write_text(config_map("a"))
    (tmp_path / "readme.txt").write_text("not a manifest")
    items = [json.loads(config_map("c")), json.loads(config_map("d"))]
    (tmp_path / "list.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items}))
    done = shell.good("apply", "-n", space, "-f", str(tmp_path))
    assert done.lines() == [f"configmap/{name} created" for name in "bacd"]
    shell.good("delete", "-n", space, "-f", str(tmp_path))
    assert shell.good("get", "cm", "-n", space, "-o", "name").lines() == ["configmap/kube-root-ca.crt"]


def test_apply_goes_on_after_what_is_refused_and_fails(shell: Shell, space: str) -> None:
    service = '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "bad"}, "spec": {"ports": [{"port": 99999}]}}'
    old = '{"apiVersion": "extensions/v1beta1", "kind": "Deployment", "metadata": {"name": "old"}}'
    elsewhere = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "e", "namespace": "elsewhere"}}'
    unread = "just: text"
    done = shell("apply", "-n", space, "-f", "-", stdin="\n---\n".join([service, old, elsewhere, unread, config_map("good")]))
    assert (done.code, done.out) == (1, "configmap/good created\n")
    assert done.err.splitlines() == [
        'kcore: standard input: Service "bad" is invalid: [spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535, '
        "inclusive, spec.ports[0].targetPort: Invalid value: 99999: must be between 1 and 65535, inclusive]",
        'kcore: standard input: no matches for kind "Deployment" in version "extensions/v1beta1"',
        f"kcore: standard input: the namespace elsewhere of the manifest is not {space}, which -n asks for",
        "kcore: standard input: a document is no Kubernetes object: it has no kind",
    ]


def test_apply_and_delete_report_json(shell: Shell, space: str) -> None:
    nameless = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "No"}}'
    done = shell("apply", "-n", space, "-f", "-", "--json", stdin="\n---\n".join([config_map("a"), nameless, "just: text"]))
    report = done.json()
    made = {"apiVersion": "v1", "kind": "ConfigMap", "namespace": space, "name": "a"}
    assert (done.code, report["applied"]) == (1, [{**made, "outcome": "created"}])
    assert [refused["source"] for refused in report["refused"]] == ["standard input"] * 2
    assert done.err.splitlines() == [f"kcore: {refused['source']}: {refused['message']}" for refused in report["refused"]]
    done = shell("delete", "cm", "a", "b", "-n", space, "--json")
    refused = [{"message": 'configmaps "b" not found'}]
    assert (done.code, done.json()) == (1, {"deleted": [{**made, "outcome": "deleted"}], "refused": refused})


def test_describe_shows_an_object_and_its_events(shell: Shell, space: str) -> None:
    shell.good("apply", "-n", space, "-f", "-", stdin=WEB)
    wait_for(lambda: "Scaled up" in shell.good("describe", "deploy", "web", "-n", space).out, "the event")
    text = shell.good("describe", "deploy", "web", "-n", space).out
    assert re.match(rf"Name: +web\nNamespace: +{space}\n", text)
    assert re.search(r"^  Replicas: +2$", text, re.MULTILINE)
    assert re.search(
        r"^  Type +Reason +Age +From +Message\n  Normal +ScalingReplicaSet +\S+ +deployment-controller +Scaled up", text, re.MULTILINE
    )
    assert shell.good("describe", "svc", "-n", "nobody").err == "No resources found in nobody namespace.\n"


def test_describe_keeps_secrets(shell: Shell, space: str) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": "hunter2"}}
    shell.good("apply", "-n", space, "-f", "-", stdin=json.dumps(secret))
    assert "password: 7 bytes" in shell.good("describe", "secret", "s", "-n", space).out


def test_delete_takes_names_selectors_and_all(shell: Shell, space: str) -> None:
    maps = "\n---\n".join(config_map(name, tier="x" if name < "c" else "y") for name in "abcdef")
    shell.good("apply", "-n", space, "-f", "-", stdin=maps)
    assert shell.good("delete", "cm", "a", "d", "-n", space).lines() == ["configmap/a deleted", "configmap/d deleted"]
    assert shell.good("delete", "cm/e", "-n", space).lines() == ["configmap/e deleted"]
    assert shell.good("delete", "cm", "-l", "tier=x", "-n", space).lines() == ["configmap/b deleted"]
    assert shell.good("delete", "cm", "-l", "tier=x", "-n", space).err == "No resources found.\n"
    assert shell.bad("delete", "cm", "a", "-n", space) == 'configmaps "a" not found'
    assert shell.good("delete", "cm", "a", "-n", space, "--ignore-not-found").out == ""
    partly = shell("delete", "cm", "a", "c", "-n", space)
    assert (partly.code, partly.out, partly.err) == (1, "configmap/c deleted\n", 'kcore: configmaps "a" not found\n')
    assert "configmap/f deleted" in shell.good("delete", "cm", "--all", "-n", space).lines()


def test_orphans_stay_and_dependents_in_the_foreground_go_first(shell: Shell, space: str) -> None:
    shell.good("apply", "-n", space, "-f", "-", stdin=WEB)
    pods = ("get", "pods", "-n", space, "-o", "name")
    wait_for(lambda: len(shell.good(*pods).lines()) == 2, "two pods")
    shell.good("delete", "deploy", "web", "-n", space, "--cascade", "orphan")
    (replica_set,) = shell.good("get", "rs", "-n", space, "-o", "name").lines()
    assert len(shell.good(*pods).lines()) == 2
    shell.good("delete", replica_set.replace("replicaset.apps", "rs"), "-n", space, "--cascade", "foreground")
    assert shell.good(*pods).lines() == []


# watch


@contextlib.contextmanager
def follow(plane: Plane, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "kcore", *arguments, "--data-dir", str(plane.directory.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def interrupt(process: subprocess.Popen[str]) -> None:
    """Ctrl-C ends it, without a word."""
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "\n")  # the end of the line with ^C


def test_watch_and_get_w_show_changes_until_interrupted(plane: Plane, shell: Shell, space: str) -> None:
    shell.good("apply", "-n", space, "-f", "-", stdin=config_map("first"))
    wait_for(lambda: "kube-root-ca.crt" in shell.good("get", "cm", "-n", space).out, "the CA of the namespace")
    with follow(plane, "watch", "cm", "-n", space, "--json") as changes, follow(plane, "get", "cm", "-n", space, "-w") as table:
        assert changes.stdout is not None and table.stdout is not None
        read = changes.stdout.readline
        assert {json.loads(read())["object"]["metadata"]["name"] for _ in range(2)} == {"first", "kube-root-ca.crt"}
        assert [table.stdout.readline().split()[0] for _ in range(3)] == ["NAME", "first", "kube-root-ca.crt"]
        shell.good("apply", "-n", space, "-f", "-", stdin=config_map("second"))
        added = json.loads(read())
        assert (added["type"], added["object"]["kind"], added["object"]["metadata"]["name"]) == ("ADDED", "ConfigMap", "second")
        assert table.stdout.readline().split()[:2] == ["second", "1"]
        shell.good("delete", "cm", "second", "-n", space)
        assert json.loads(read())["type"] == "DELETED"
        assert table.stdout.readline().split()[0] == "second"
        interrupt(changes)
        interrupt(table)


def test_a_reader_that_goes_away_is_no_error(plane: Plane) -> None:
    command = f"{sys.executable} -m kcore get leases -A -o yaml --data-dir {plane.directory.path} | head -1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "apiVersion: v1\n", "")


# load


def test_load_measures_and_writes_json(shell: Shell, space: str, tmp_path: Path) -> None:
    acked, report = tmp_path / "acked", tmp_path / "report.json"
    done = shell.good("load", "pods", "--count", "60", "--vary", "-n", space, "--acked", str(acked), "--json", str(report))
    assert done.lines()[0].startswith("60 pods on 3 nodes in ") and [line.split()[0] for line in done.lines()[2:]] == [
        "created",
        "bound",
        "running",
    ]
    found = json.loads(report.read_text())
    assert found.keys() >= LOAD_KEYS and (found["count"], found["nodes"], found["pending"]) == (60, 3, 0)
    assert found["created_per_s"] > found["bound_per_s"] >= found["running_per_s"] > 0
    assert all(found[name].keys() == {"p50", "p95", "p99"} for name in ("create_ms", "bind_ms", "run_ms"))
    pods = shell.good("get", "pods", "-n", space, "-o", "json").json()["items"]
    assert sorted(acked.read_text().split()) == sorted(f"{space}/{pod['metadata']['name']}" for pod in pods)
    assert len({json.dumps(pod["metadata"]["labels"], sort_keys=True) for pod in pods}) == 60
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}


def test_load_goes_one_by_one_at_a_rate_and_cleans_up(shell: Shell, space: str, tmp_path: Path) -> None:
    template = tmp_path / "pod.yaml"
    template.write_text(
        "{apiVersion: v1, kind: Pod, metadata: {name: x, labels: {mine: 'yes'}}, spec: {containers: [{name: c, image: mine:1}]}}"
    )
    done = shell.good(
        "load",
        "pods",
        "--count",
        "10",
        "--via",
        "unary",
        "--rate",
        "40",
        "--cleanup",
        "-n",
        space,
        "--json",
        "-",
        "--template",
        str(template),
    )
    found = done.json()
    assert found["count"] == 10 and found["created_per_s"] < 60
    wait_for(lambda: shell.good("get", "pods", "-n", space, "-o", "name").out == "", "no pod")
    assert shell.bad("load", "pods", "--count", "1", "--template", str(tmp_path)).startswith("Invalid value for '--template'")
    template.write_text("kind: Service")
    assert shell.bad("load", "pods", "--count", "1", "--template", str(template)) == f"{template} holds no Pod"


def test_pods_that_do_not_fit_are_reported(shell: Shell, space: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOAD_SETTLED_S", 0.5)
    template = tmp_path / "pod.yaml"
    template.write_text(
        "{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{name: c, image: a, resources: {requests: {cpu: 5k}}}]}}"
    )
    done = shell("load", "pods", "--count", "2", "-n", space, "--template", str(template), "--cleanup")
    assert done.code == 1 and done.lines()[-1] == "2 pods are pending"


def test_creates_that_are_refused_are_reported(shell: Shell) -> None:
    done = shell("load", "pods", "--count", "3", "-n", "nobody")
    assert done.code == 1 and done.lines()[-1] == "3 creates were refused"
    assert done.err == 'kcore: a create was refused: namespaces "nobody" not found\n'


def test_simulate_reads_the_same_cluster_through_every_door(shell: Shell, plane: Plane, space: str, tmp_path: Path) -> None:
    template, dump = tmp_path / "web.yaml", tmp_path / "dump.json"
    template.write_text(WEB.partition("---")[0])
    shell.good("apply", "-n", space, "-f", str(template))
    shell.good("apply", "-n", space, "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hidden"}}))
    wait_for(lambda: json.loads(shell.good("get", "deployment", "web", "-n", space, "-o", "json").out)["status"].get("readyReplicas") == 2)
    listed = [json.loads(shell.good("get", kind, "-A", "-o", "json").out) for kind in ("nodes", "pods", "replicasets")]
    listed.append(json.loads(shell.good("get", "secrets", "-n", space, "-o", "json").out))
    dump.write_text("\n---\n".join(json.dumps(each) for each in listed))
    changes = ("--add", f"{template}=5", "--drain", "node-1", "--grow", "node-0=1", "--json")
    kubeconfig, saved = str(plane.directory.path / "kubeconfig"), str(tmp_path / "saved")
    shell.good("snapshot", "save", saved)
    over_grpc, over_http, dumped, snapped = (
        json.loads(shell.good("simulate", *source, *changes).out)
        for source in ((), ("--kubeconfig", kubeconfig), ("--dump", str(dump)), ("--snapshot", saved))
    )
    assert over_grpc == over_http
    skipped = snapped["cluster"].pop("skipped")
    assert skipped["Secret"] >= 1 and skipped["Deployment.apps"] >= 1 and "Node" not in skipped
    assert {**snapped, "cluster": {**snapped["cluster"], "skipped": {}}} == over_grpc
    assert dumped["cluster"].pop("skipped") == {"Secret": 1} and over_grpc["cluster"].pop("skipped") == {}
    assert dumped == over_grpc
    assert (over_grpc["drained"], over_grpc["grown"], over_grpc["unplaced"]) == (["node-1"], ["node-0-new-1"], [])
    assert json.loads(shell.good("get", "nodes", "-o", "json").out)["items"][1]["metadata"]["name"] == "node-1"
    judged = json.loads(shell.good("simulate", "--backtest", "--json").out)
    assert judged["bound"] == judged["feasible"] == over_grpc["cluster"]["pods"]


def test_a_command_is_a_process_with_an_exit_status(plane: Plane, tmp_path: Path) -> None:
    assert plane.kcore("get", "pods", "missing").code == 1
    done = process("get", "pods", home=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"kcore: no control plane runs in {tmp_path}/.kcore; start one with kcore up\n"

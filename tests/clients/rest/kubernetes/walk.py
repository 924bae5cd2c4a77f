"""The walk over REST with the Python client `kubernetes`: KUBECONFIG=... python walk.py NAMESPACE."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kubernetes import client, config, watch

COUNT = 3
SELECTOR = "app=walk"


def new(name: str) -> client.V1ConfigMap:
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels={"app": "walk"}), data={"colour": "red"})


def told(what: str, call: Callable[[], Any]) -> None:
    """Print how a call is refused."""
    try:
        call()
    except client.ApiException as refused:
        status = json.loads(refused.body)
        print(what, refused.status, status["reason"], *([] if refused.status == 401 else [status["message"]]))
        return
    raise AssertionError(f"{what} the call was not refused")


class Walk:
    """One namespace, and the API to work in it."""

    def __init__(self, namespace: str) -> None:
        self.api, self.namespace = client.CoreV1Api(), namespace

    def create(self) -> None:
        for number in range(COUNT):
            made = self.api.create_namespaced_config_map(self.namespace, new(f"walk-{number}"))
            print("created:", made.metadata.name, made.data["colour"])
        told("again:", lambda: self.api.create_namespaced_config_map(self.namespace, new("walk-0")))
        told("invalid:", lambda: self.api.create_namespaced_config_map(self.namespace, new("Walk")))

    def pages(self) -> str:
        """List two at a time; -> the revision that all pages show."""
        token = None
        while True:
            page = self.api.list_namespaced_config_map(self.namespace, label_selector=SELECTOR, limit=2, _continue=token)
            print("page:", *(item.metadata.name for item in page.items))
            token = page.metadata._continue
            if not token:
                return page.metadata.resource_version

    def events(self, revision: str) -> Iterator[Any]:
        stream = watch.Watch()
        yield from stream.stream(
            self.api.list_namespaced_config_map, self.namespace, label_selector=SELECTOR, resource_version=revision, timeout_seconds=30
        )

    def paint(self, number: int, colour: str) -> None:
        done = self.api.patch_namespaced_config_map(f"walk-{number}", self.namespace, {"data": {"colour": colour}})
        print("patched:", done.metadata.name, done.data["colour"])

    def next(self, what: str, revision: str) -> str:
        found = next(self.events(revision))
        print(what, found["type"], found["object"].metadata.name, found["object"].data["colour"])
        return found["object"].metadata.resource_version

    def follow(self, revision: str) -> None:
        """Watch, let go, and go on there."""
        self.paint(0, "green")
        revision = self.next("watched:", revision)
        self.paint(1, "blue")
        self.paint(2, "blue")
        revision = self.next("resumed:", revision)
        self.next("resumed:", revision)

    def conflict(self, revision: str) -> None:
        stale = self.api.read_namespaced_config_map("walk-0", self.namespace)
        stale.metadata.resource_version = revision
        told("conflict:", lambda: self.api.replace_namespaced_config_map("walk-0", self.namespace, stale))

    def applied(self, colour: str, manager: str, force: bool) -> Any:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "walk-0"}, "data": {"colour": colour}}
        return self.api.patch_namespaced_config_map(
            "walk-0", self.namespace, body, field_manager=manager, force=force, _content_type="application/apply-patch+yaml"
        )

    def apply(self) -> None:
        print("applied: walk-0", self.applied("yellow", "walk", True).data["colour"])
        told("contested:", lambda: self.applied("black", "other", False))
        print("forced: walk-0", self.applied("black", "other", True).data["colour"])

    def delete(self) -> None:
        revision = self.api.list_namespaced_config_map(self.namespace, label_selector=SELECTOR).metadata.resource_version
        for number in range(COUNT):
            self.api.delete_namespaced_config_map(f"walk-{number}", self.namespace)
        deleted: list[str] = []
        for event in self.events(revision):
            deleted += [event["object"].metadata.name] if event["type"] == "DELETED" else []
            if len(deleted) == COUNT:
                break
        print("deleted:", *sorted(deleted))
        told("gone:", lambda: self.api.read_namespaced_config_map("walk-0", self.namespace))
        print("left:", len(self.api.list_namespaced_config_map(self.namespace, label_selector=SELECTOR).items))


def main(namespace: str) -> None:
    """Take the walk."""
    config.load_kube_config()
    found = json.loads(Path(os.environ["KUBECONFIG"]).read_text())
    found["users"][0]["user"]["token"] = "nobody"
    stranger = client.CoreV1Api(config.new_client_from_config_dict(found))
    told("stranger:", lambda: stranger.list_namespaced_config_map(namespace))
    walk = Walk(namespace)
    walk.create()
    revision = walk.pages()
    walk.follow(revision)
    walk.conflict(revision)
    walk.apply()
    walk.delete()


main(*sys.argv[1:])

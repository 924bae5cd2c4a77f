"""The walk over REST with the Python client `kubernetes_asyncio`: KUBECONFIG=... python walk.py NAMESPACE."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

from kubernetes_asyncio import client, config, watch

COUNT = 3
SELECTOR = "app=walk"


def new(name: str) -> client.V1ConfigMap:
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels={"app": "walk"}), data={"colour": "red"})


async def told(what: str, call: Awaitable[Any]) -> None:
    """Print how a call is refused."""
    try:
        await call
    except client.ApiException as refused:
        status = json.loads(refused.body)
        print(what, refused.status, status["reason"], *([] if refused.status == 401 else [status["message"]]))
        return
    raise AssertionError(f"{what} the call was not refused")


class Walk:
    """One namespace, and the API to work in it."""

    def __init__(self, connection: client.ApiClient, namespace: str) -> None:
        self.api, self.namespace = client.CoreV1Api(connection), namespace

    async def create(self) -> None:
        for number in range(COUNT):
            made = await self.api.create_namespaced_config_map(self.namespace, new(f"walk-{number}"))
            print("created:", made.metadata.name, made.data["colour"])
        await told("again:", self.api.create_namespaced_config_map(self.namespace, new("walk-0")))
        await told("invalid:", self.api.create_namespaced_config_map(self.namespace, new("Walk")))

    async def list(self, **more: Any) -> client.V1ConfigMapList:
        return await self.api.list_namespaced_config_map(self.namespace, label_selector=SELECTOR, **more)

    async def pages(self) -> str:
        """List two at a time; -> the revision that all pages show."""
        more: dict[str, Any] = {}
        while True:
            page = await self.list(limit=2, **more)
            print("page:", *(item.metadata.name for item in page.items))
            more = {"_continue": page.metadata._continue}
            if not more["_continue"]:
                return page.metadata.resource_version

    async def events(self, revision: str) -> AsyncIterator[Any]:
        async with watch.Watch() as stream:
            following = stream.stream(
                self.api.list_namespaced_config_map, self.namespace, label_selector=SELECTOR, resource_version=revision, timeout_seconds=30
            )
            async for event in following:
                yield event

    async def paint(self, number: int, colour: str) -> None:
        done = await self.api.patch_namespaced_config_map(f"walk-{number}", self.namespace, {"data": {"colour": colour}})
        print("patched:", done.metadata.name, done.data["colour"])

    async def next(self, what: str, revision: str) -> str:
        found = await anext(self.events(revision))
        print(what, found["type"], found["object"].metadata.name, found["object"].data["colour"])
        return found["object"].metadata.resource_version

    async def follow(self, revision: str) -> None:
        """Watch, let go, and go on there."""
        await self.paint(0, "green")
        revision = await self.next("watched:", revision)
        await self.paint(1, "blue")
        await self.paint(2, "blue")
        revision = await self.next("resumed:", revision)
        await self.next("resumed:", revision)

    async def conflict(self, revision: str) -> None:
        stale = await self.api.read_namespaced_config_map("walk-0", self.namespace)
        stale.metadata.resource_version = revision
        await told("conflict:", self.api.replace_namespaced_config_map("walk-0", self.namespace, stale))

    async def applied(self, colour: str, manager: str, force: bool) -> Any:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "walk-0"}, "data": {"colour": colour}}
        return await self.api.patch_namespaced_config_map(
            "walk-0", self.namespace, body, field_manager=manager, force=force, _content_type="application/apply-patch+yaml"
        )

    async def apply(self) -> None:
        print("applied: walk-0", (await self.applied("yellow", "walk", True)).data["colour"])
        await told("contested:", self.applied("black", "other", False))
        print("forced: walk-0", (await self.applied("black", "other", True)).data["colour"])

    async def delete(self) -> None:
        revision = (await self.list()).metadata.resource_version
        for number in range(COUNT):
            await self.api.delete_namespaced_config_map(f"walk-{number}", self.namespace)
        deleted: list[str] = []
        async for event in self.events(revision):
            deleted += [event["object"].metadata.name] if event["type"] == "DELETED" else []
            if len(deleted) == COUNT:
                break
        print("deleted:", *sorted(deleted))
        await told("gone:", self.api.read_namespaced_config_map("walk-0", self.namespace))
        print("left:", len((await self.list()).items))


def of_nobody() -> dict[str, Any]:
    """The configuration, with a token that is nobody's."""
    found = json.loads(Path(os.environ["KUBECONFIG"]).read_text())
    found["users"][0]["user"]["token"] = "nobody"
    return found


async def main(namespace: str) -> None:
    """Take the walk."""
    async with await config.new_client_from_config_dict(of_nobody()) as stranger:
        await told("stranger:", client.CoreV1Api(stranger).list_namespaced_config_map(namespace))
    async with await config.new_client_from_config() as connection:
        walk = Walk(connection, namespace)
        await walk.create()
        revision = await walk.pages()
        await walk.follow(revision)
        await walk.conflict(revision)
        await walk.apply()
        await walk.delete()


asyncio.run(main(*sys.argv[1:]))

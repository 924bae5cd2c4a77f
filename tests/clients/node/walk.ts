// The walk that every client takes, in TypeScript for Node: node out/walk.js ENDPOINTS.JSON NAMESPACE
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

import * as grpc from "@grpc/grpc-js";

import { BulkServiceClient, Item, WriteResponse } from "./gen/kcore/api/bulk/v1/bulk_service";
import { Binding } from "./gen/kcore/api/core/v1/binding";
import { Pod, PodList } from "./gen/kcore/api/core/v1/pod";
import { PodServiceClient, PodWatchEvent, PodWatchResponse, PodWriteRequest } from "./gen/kcore/api/core/v1/pod_service";
import { DeleteRequest, GetRequest, ListRequest, RpcError, Status } from "./gen/kcore/api/meta/v1/meta";

const COUNT = 7;

const endpoint = JSON.parse(readFileSync(process.argv[2], "utf8"));
const namespace = process.argv[3];
const tls = grpc.credentials.createSsl(readFileSync(endpoint.ca));
const token = grpc.credentials.createFromMetadataGenerator((_, done) => {
  const metadata = new grpc.Metadata();
  metadata.set("authorization", `Bearer ${endpoint.token}`);
  done(null, metadata);
});
const client = new PodServiceClient(endpoint.grpc, grpc.credentials.combineChannelCredentials(tls, token));
const bulk = new BulkServiceClient(endpoint.grpc, grpc.credentials.combineChannelCredentials(tls, token));

const create = promisify<PodWriteRequest, Pod>(client.create.bind(client));
const update = promisify<PodWriteRequest, Pod>(client.update.bind(client));
const get = promisify<GetRequest, Pod>(client.get.bind(client));
const remove = promisify<DeleteRequest, Pod>(client.delete.bind(client));
const list = promisify<ListRequest, PodList>(client.list.bind(client));

const name = (number: number) => `walk-${number}`;
const numbers = [...Array(COUNT).keys()];

function pod(name: string, image?: string): Pod {
  return {
    metadata: { name, labels: { app: "walk" } },
    spec: { schedulerName: "nobody", containers: [{ name: "main", image, resources: { requests: { cpu: { string: "100m" } } } }] },
  };
}

function write(object: Pod): PodWriteRequest {
  return { namespace, name: object.metadata?.name, object };
}

/** The Status in the details of the error that a call ends with. */
async function refusal(call: Promise<unknown>): Promise<[grpc.status, Status]> {
  const error: grpc.ServiceError = await call.then(() => { throw new Error("the call was not refused"); }, (error) => error);
  const [details] = error.metadata.get("grpc-status-details-bin");
  return [error.code, RpcError.decode(details as Buffer).details![0].value!];
}

async function tell(what: string, call: Promise<unknown>): Promise<Status> {
  const [code, status] = await refusal(call);
  console.log(what, code, status.reason, status.code, status.message);
  return status;
}

async function createAll(): Promise<void> {
  for (const number of numbers) {
    const made = await create(write(pod(name(number), "nginx:1.27")));
    console.log("created:", made.metadata?.name, made.status?.phase, made.spec?.containers?.[0].resources?.requests?.cpu.string);
  }
}

async function refused(): Promise<void> {
  await tell("again:", create(write(pod(name(0), "nginx:1.27"))));
  const status = await tell("invalid:", create(write(pod("Walk"))));
  for (const cause of status.details?.causes ?? []) console.log("cause:", cause.reason, cause.field);
}

/** Lists three at a time; -> the revision that all pages show. */
async function pages(): Promise<string> {
  let token: string | undefined;
  for (;;) {
    const page = await list({ namespace, limit: 3, continueToken: token });
    console.log("page:", page.items!.map((pod) => pod.metadata?.name).join(" "), "left:", page.metadata?.remainingItemCount ?? 0);
    token = page.metadata?.continue;
    if (!token) return page.metadata!.resourceVersion!;
  }
}

async function* watch(resourceVersion: string): AsyncGenerator<PodWatchEvent> {
  const stream = client.watch({ namespace, resourceVersion });
  stream.on("error", () => {}); // cancelling ends in one
  try {
    for await (const response of stream as AsyncIterable<PodWatchResponse>) yield* response.events ?? [];
  } finally {
    stream.cancel();
  }
}

async function label(name: string, tier: string): Promise<void> {
  const pod = await get({ namespace, name });
  pod.metadata!.labels!.tier = tier;
  const updated = await update(write(pod));
  console.log("updated:", name, updated.metadata?.labels?.tier);
}

/** Watches, lets go, and goes on where it was: what happened in between is seen, what was seen is not seen again. */
async function follow(revision: string): Promise<void> {
  const next = async (what: string) => {
    for await (const { type, object } of watch(revision)) {
      console.log(what, type, object?.metadata?.name, object?.metadata?.labels?.tier);
      revision = object!.metadata!.resourceVersion!;
      break;
    }
  };
  await label(name(0), "front");
  await next("watched:");
  await label(name(1), "back");
  await label(name(2), "back");
  await next("resumed:");
  await next("resumed:");
}

async function conflict(): Promise<void> {
  const stale = await get({ namespace, name: name(3) });
  await label(name(3), "front");
  const status = await tell("conflict:", update(write(stale)));
  console.log("about:", status.details?.kind, status.details?.name);
  await label(name(3), "middle");
}

function binding(pod: string, node: string): Item {
  const object = Buffer.from(Binding.encode({ metadata: { name: pod }, target: { kind: "Node", name: node } }).finish());
  return { verb: "create", version: "v1", resource: "pods", subresource: "binding", namespace, name: pod, object };
}

/** Assigns pods to nodes, all in one commit; the last is not there. The stream stays open for a second request. */
async function bind(): Promise<void> {
  const stream = bulk.write();
  const answers: AsyncIterator<WriteResponse> = stream[Symbol.asyncIterator]();
  for (const request of [[...numbers, 9], [0]]) {
    stream.write({ items: request.map((number) => binding(name(number), `node-${number % 2}`)) });
    const answer = await answers.next();
    const results = (answer.value as WriteResponse).results ?? [];
    results.forEach(({ status }, index) => console.log("bound:", name(request[index]), status ? `${status.reason} ${status.code}` : "ok"));
  }
  stream.end();
  for (const number of numbers) {
    const pod = await get({ namespace, name: name(number) });
    console.log("on:", pod.metadata?.name, pod.spec?.nodeName);
  }
}

async function removeAll(revision: string): Promise<void> {
  for (const number of numbers) await remove({ namespace, name: name(number), options: { gracePeriodSeconds: 0 } });
  const deleted: string[] = [];
  for await (const { type, object } of watch(revision)) {
    if (type === "DELETED") deleted.push(object!.metadata!.name!);
    if (deleted.length === COUNT) break;
  }
  console.log("deleted:", deleted.sort().join(" "));
  await tell("gone:", get({ namespace, name: name(0) }));
  console.log("left:", (await list({ namespace })).items?.length ?? 0);
}

async function main(): Promise<void> {
  const stranger = new PodServiceClient(endpoint.grpc, tls);
  await tell("stranger:", promisify<ListRequest, PodList>(stranger.list.bind(stranger))({}));
  await createAll();
  await refused();
  const revision = await pages();
  await follow(revision);
  await conflict();
  await bind();
  await removeAll(revision);
  for (const each of [stranger, client, bulk]) each.close();
}

main();

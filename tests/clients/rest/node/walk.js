// The walk over REST with @kubernetes/client-node: KUBECONFIG=... node walk.js NAMESPACE
import * as k8s from "@kubernetes/client-node";

const COUNT = 3;
const labelSelector = "app=walk";
const namespace = process.argv[2];
const config = new k8s.KubeConfig();
config.loadFromDefault();
const api = config.makeApiClient(k8s.CoreV1Api);
const names = Array.from({ length: COUNT }, (_, number) => `walk-${number}`);

const newMap = (name) => ({ metadata: { name, labels: { app: "walk" } }, data: { colour: "red" } });
const create = (name) => api.createNamespacedConfigMap({ namespace, body: newMap(name) });
const read = (name) => api.readNamespacedConfigMap({ namespace, name });
const list = (more = {}) => api.listNamespacedConfigMap({ namespace, labelSelector, ...more });

/** Prints how a call is refused. */
async function told(what, call) {
  try {
    await call;
  } catch (refused) {
    if (refused.code === 401) {
      console.log(what, refused.code, /^Message: (.*)$/m.exec(refused.message)[1]); // the client keeps no body of a 401
    } else {
      const { reason, message } = JSON.parse(refused.body);
      console.log(what, refused.code, reason, message);
    }
    return;
  }
  throw new Error(`${what} the call was not refused`);
}

async function createAll() {
  for (const name of names) {
    const { metadata, data } = await create(name);
    console.log("created:", metadata.name, data.colour);
  }
  await told("again:", create("walk-0"));
  await told("invalid:", create("Walk"));
}

/** Lists two at a time; -> the revision that all pages show. */
async function pages() {
  let _continue;
  for (;;) {
    const page = await list({ limit: 2, _continue });
    console.log("page:", page.items.map((item) => item.metadata.name).join(" "));
    _continue = page.metadata._continue;
    if (!_continue) return page.metadata.resourceVersion;
  }
}

/** Shows each change after a revision to a visitor, until it has seen enough. */
async function watch(resourceVersion, isEnough) {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  let stop;
  await new Promise((resolve, reject) => {
    const enough = (type, object) => isEnough(type, object) && resolve();
    const ended = (error) => reject(error ?? new Error("the watch ended"));
    new k8s.Watch(config).watch(path, { labelSelector, resourceVersion }, enough, ended).then((made) => (stop = made), reject);
  });
  stop.abort();
}

async function paint(name, colour) {
  const asMerge = k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.MergePatch);
  const { metadata, data } = await api.patchNamespacedConfigMap({ namespace, name, body: { data: { colour } } }, asMerge);
  console.log("patched:", metadata.name, data.colour);
}

/** Prints the first change after a revision; -> its own. */
async function next(what, revision) {
  let reached;
  await watch(revision, (type, { metadata, data }) => {
    if (reached === undefined) {
      console.log(what, type, metadata.name, data.colour);
      reached = metadata.resourceVersion;
    }
    return true;
  });
  return reached;
}

/** Watches, lets go, and goes on there. */
async function follow(revision) {
  await paint("walk-0", "green");
  revision = await next("watched:", revision);
  await paint("walk-1", "blue");
  await paint("walk-2", "blue");
  revision = await next("resumed:", revision);
  await next("resumed:", revision);
}

async function conflict(revision) {
  const stale = await read("walk-0");
  stale.metadata.resourceVersion = revision;
  await told("conflict:", api.replaceNamespacedConfigMap({ namespace, name: "walk-0", body: stale }));
}

async function applied(colour, fieldManager, force) {
  const asApply = k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.ServerSideApply);
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "walk-0" }, data: { colour } };
  return (await api.patchNamespacedConfigMap({ namespace, name: "walk-0", body, fieldManager, force }, asApply)).data.colour;
}

async function apply() {
  console.log("applied: walk-0", await applied("yellow", "walk", true));
  await told("contested:", applied("black", "other", false));
  console.log("forced: walk-0", await applied("black", "other", true));
}

async function removeAll() {
  const { metadata } = await list();
  for (const name of names) await api.deleteNamespacedConfigMap({ namespace, name });
  const deleted = [];
  await watch(metadata.resourceVersion, (type, object) => {
    if (type === "DELETED") deleted.push(object.metadata.name);
    return deleted.length === COUNT;
  });
  console.log("deleted:", deleted.sort().join(" "));
  await told("gone:", read("walk-0"));
  console.log("left:", (await list()).items.length);
}

const nobody = new k8s.KubeConfig();
nobody.loadFromClusterAndUser(config.getCurrentCluster(), { name: "nobody", token: "nobody" });
await told("stranger:", nobody.makeApiClient(k8s.CoreV1Api).listNamespacedConfigMap({ namespace }));
await createAll();
const revision = await pages();
await follow(revision);
await conflict(revision);
await apply();
await removeAll();

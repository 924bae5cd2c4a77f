//! The walk that every client takes, in Rust: walk ENDPOINTS.JSON NAMESPACE
use std::{collections::HashMap, env, fs};

use prost::Message;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig};
use tonic::{Request, Status};

use app::api::kcore::api::bulk::v1::bulk_service_client::BulkServiceClient;
use app::api::kcore::api::bulk::v1::{Item, WriteRequest};
use app::api::kcore::api::core::v1::pod_service_client::PodServiceClient;
use app::api::kcore::api::core::v1::{Binding, Container, ObjectReference, Pod, PodSpec, PodWriteRequest, ResourceRequirements};
use app::api::kcore::api::meta::v1;
use app::api::kcore::api::meta::v1::{DeleteOptions, DeleteRequest, GetRequest, ListRequest, ObjectMeta, Quantity, WatchRequest};

const COUNT: usize = 7;

type Failure = Box<dyn std::error::Error>;

/// Sends the token with each call.
#[derive(Clone)]
struct Bearer(MetadataValue<Ascii>);

impl tonic::service::Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

fn name(number: usize) -> String {
    format!("walk-{number}")
}

fn some(text: &str) -> Option<String> {
    Some(text.to_string())
}

fn pod(name: &str, image: Option<&str>) -> Pod {
    let requests = HashMap::from([("cpu".to_string(), Quantity { string: some("100m") })]);
    let container = Container {
        name: some("main"),
        image: image.map(str::to_string),
        resources: Some(ResourceRequirements { requests, ..Default::default() }),
        ..Default::default()
    };
    Pod {
        metadata: Some(ObjectMeta { name: some(name), labels: HashMap::from([("app".into(), "walk".into())]), ..Default::default() }),
        spec: Some(PodSpec { scheduler_name: some("nobody"), containers: vec![container], ..Default::default() }),
        ..Default::default()
    }
}

fn metadata(pod: &Pod) -> &ObjectMeta {
    pod.metadata.as_ref().expect("metadata")
}

fn tier(pod: &Pod) -> &str {
    &metadata(pod).labels["tier"]
}

/// Prints how a call was refused; -> the Status in the details of its error.
fn told<T>(what: &str, outcome: Result<T, Status>) -> Result<v1::Status, Failure> {
    let refused = outcome.err().ok_or("the call was not refused")?;
    let details = v1::RpcError::decode(refused.details())?.details;
    let status = details.into_iter().next().and_then(|detail| detail.value).ok_or("no Status in the details")?;
    println!("{what} {} {} {} {}", refused.code() as i32, status.reason(), status.code(), status.message());
    Ok(status)
}

struct Walk {
    pods: PodServiceClient<InterceptedService<Channel, Bearer>>,
    bulk: BulkServiceClient<InterceptedService<Channel, Bearer>>,
    namespace: String,
}

impl Walk {
    fn write(&self, pod: Pod) -> PodWriteRequest {
        PodWriteRequest { namespace: some(&self.namespace), name: metadata(&pod).name.clone(), object: Some(pod), ..Default::default() }
    }

    async fn get(&mut self, name: &str) -> Result<Pod, Status> {
        let request = GetRequest { namespace: some(&self.namespace), name: some(name), ..Default::default() };
        Ok(self.pods.get(request).await?.into_inner())
    }

    async fn create(&mut self) -> Result<(), Failure> {
        for number in 0..COUNT {
            let request = self.write(pod(&name(number), Some("nginx:1.27")));
            let made = self.pods.create(request).await?.into_inner();
            let spec = made.spec.as_ref().ok_or("no spec")?;
            let resources = spec.containers[0].resources.as_ref().ok_or("no resources")?;
            let phase = made.status.as_ref().map_or("", |status| status.phase());
            println!("created: {} {phase} {}", metadata(&made).name(), resources.requests["cpu"].string());
        }
        Ok(())
    }

    async fn refused(&mut self) -> Result<(), Failure> {
        let again = self.write(pod(&name(0), Some("nginx:1.27")));
        told("again:", self.pods.create(again).await)?;
        let bad = self.write(pod("Walk", None));
        for cause in told("invalid:", self.pods.create(bad).await)?.details.unwrap_or_default().causes {
            println!("cause: {} {}", cause.reason(), cause.field());
        }
        Ok(())
    }

    /// Lists three at a time; -> the revision that all pages show.
    async fn pages(&mut self) -> Result<String, Failure> {
        let mut request = ListRequest { namespace: some(&self.namespace), limit: Some(3), ..Default::default() };
        loop {
            let page = self.pods.list(request.clone()).await?.into_inner();
            let shown = page.metadata.as_ref().ok_or("no metadata")?;
            let names: Vec<&str> = page.items.iter().map(|pod| metadata(pod).name()).collect();
            println!("page: {} left: {}", names.join(" "), shown.remaining_item_count());
            if shown.r#continue().is_empty() {
                return Ok(shown.resource_version().to_string());
            }
            request.continue_token = shown.r#continue.clone();
        }
    }

    async fn label(&mut self, number: usize, value: &str) -> Result<(), Failure> {
        let mut pod = self.get(&name(number)).await?;
        pod.metadata.get_or_insert_default().labels.insert("tier".into(), value.into());
        let request = self.write(pod);
        let updated = self.pods.update(request).await?.into_inner();
        println!("updated: {} {}", name(number), tier(&updated));
        Ok(())
    }

    fn changes(&self, revision: &str) -> WatchRequest {
        WatchRequest { namespace: some(&self.namespace), resource_version: some(revision), ..Default::default() }
    }

    /// Prints the first change after a revision; -> its own.
    async fn next(&mut self, what: &str, revision: &str) -> Result<String, Failure> {
        let mut stream = self.pods.watch(self.changes(revision)).await?.into_inner();
        let event = stream.message().await?.ok_or("the watch ended")?.events.remove(0);
        let pod = event.object.as_ref().ok_or("no object")?;
        println!("{what} {} {} {}", event.r#type(), metadata(pod).name(), tier(pod));
        Ok(metadata(pod).resource_version().to_string())
    }

    /// Watches, lets go, and goes on there: what happened in between is seen, what was seen is not seen again.
    async fn follow(&mut self, revision: &str) -> Result<(), Failure> {
        self.label(0, "front").await?;
        let revision = self.next("watched:", revision).await?;
        self.label(1, "back").await?;
        self.label(2, "back").await?;
        let revision = self.next("resumed:", &revision).await?;
        self.next("resumed:", &revision).await?;
        Ok(())
    }

    async fn conflict(&mut self) -> Result<(), Failure> {
        let stale = self.get(&name(3)).await?;
        self.label(3, "front").await?;
        let request = self.write(stale);
        let about = told("conflict:", self.pods.update(request).await)?.details.unwrap_or_default();
        println!("about: {} {}", about.kind(), about.name());
        self.label(3, "middle").await
    }

    fn binding(&self, number: usize) -> Item {
        let target = ObjectReference { kind: some("Node"), name: Some(format!("node-{}", number % 2)), ..Default::default() };
        let meta = ObjectMeta { name: Some(name(number)), ..Default::default() };
        Item {
            verb: some("create"),
            version: some("v1"),
            resource: some("pods"),
            subresource: some("binding"),
            namespace: some(&self.namespace),
            name: Some(name(number)),
            object: Some(Binding { metadata: Some(meta), target: Some(target) }.encode_to_vec()),
            ..Default::default()
        }
    }

    /// Assigns pods to nodes, all in one commit; the last is not there. The stream stays open for a second request.
    async fn bind(&mut self) -> Result<(), Failure> {
        let (sender, requests) = tokio::sync::mpsc::unbounded_channel();
        let mut answers = self.bulk.write(UnboundedReceiverStream::new(requests)).await?.into_inner();
        for numbers in [(0..COUNT).chain([9]).collect(), vec![0]] {
            let items = numbers.iter().map(|number| self.binding(*number)).collect();
            sender.send(WriteRequest { items, ..Default::default() })?;
            let results = answers.message().await?.ok_or("no answer")?.results;
            for (number, result) in numbers.into_iter().zip(results) {
                let outcome = result.status.map_or("ok".into(), |status| format!("{} {}", status.reason(), status.code()));
                println!("bound: {} {outcome}", name(number));
            }
        }
        drop(sender);
        for number in 0..COUNT {
            let pod = self.get(&name(number)).await?;
            println!("on: {} {}", metadata(&pod).name(), pod.spec.as_ref().map_or("", |spec| spec.node_name()));
        }
        Ok(())
    }

    async fn delete(&mut self, revision: &str) -> Result<(), Failure> {
        for number in 0..COUNT {
            let options = Some(DeleteOptions { grace_period_seconds: Some(0), ..Default::default() });
            self.pods.delete(DeleteRequest { namespace: some(&self.namespace), name: Some(name(number)), options }).await?;
        }
        let mut stream = self.pods.watch(self.changes(revision)).await?.into_inner();
        let mut deleted = Vec::new();
        while deleted.len() < COUNT {
            for event in stream.message().await?.ok_or("the watch ended")?.events {
                if event.r#type() == "DELETED" {
                    deleted.push(metadata(event.object.as_ref().ok_or("no object")?).name().to_string());
                }
            }
        }
        deleted.sort();
        println!("deleted: {}", deleted.join(" "));
        told("gone:", self.get(&name(0)).await)?;
        let left = self.pods.list(ListRequest { namespace: some(&self.namespace), ..Default::default() }).await?.into_inner();
        println!("left: {}", left.items.len());
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().collect();
    let endpoint: serde_json::Value = serde_json::from_slice(&fs::read(&arguments[1])?)?;
    let text = |key: &str| endpoint[key].as_str().ok_or("the endpoints file lacks a value");
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(fs::read(text("ca")?)?));
    let channel = Channel::from_shared(format!("https://{}", text("grpc")?))?.tls_config(tls)?.connect().await?;
    let bearer = Bearer(format!("Bearer {}", text("token")?).parse()?);

    told("stranger:", PodServiceClient::new(channel.clone()).list(ListRequest::default()).await)?;
    let mut walk = Walk {
        pods: PodServiceClient::with_interceptor(channel.clone(), bearer.clone()),
        bulk: BulkServiceClient::with_interceptor(channel, bearer),
        namespace: arguments[2].clone(),
    };
    walk.create().await?;
    walk.refused().await?;
    let revision = walk.pages().await?;
    walk.follow(&revision).await?;
    walk.conflict().await?;
    walk.bind().await?;
    walk.delete(&revision).await
}

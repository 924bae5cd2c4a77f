//! The walk over REST with kube: KUBECONFIG=... walk NAMESPACE
use futures::TryStreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::{Api, Client, Config, Error, ResourceExt};
use serde_json::json;

const COUNT: usize = 3;
const SELECTOR: &str = "app=walk";

struct Walk {
    maps: Api<ConfigMap>,
}

fn name(number: usize) -> String {
    format!("walk-{number}")
}

fn new(name: &str) -> ConfigMap {
    let text = json!({"metadata": {"name": name, "labels": {"app": "walk"}}, "data": {"colour": "red"}});
    serde_json::from_value(text).unwrap()
}

fn colour(map: &ConfigMap) -> &str {
    &map.data.as_ref().unwrap()["colour"]
}

/// Print how a call is refused.
fn told<T>(what: &str, outcome: kube::Result<T>) {
    match outcome {
        Err(Error::Api(status)) if status.code == 401 => println!("{what} {} {}", status.code, status.reason),
        Err(Error::Api(status)) => println!("{what} {} {} {}", status.code, status.reason, status.message),
        Err(other) => panic!("{what} {other}"),
        Ok(_) => panic!("{what} the call was not refused"),
    }
}

impl Walk {
    async fn make(&self, name: &str) -> kube::Result<ConfigMap> {
        self.maps.create(&PostParams::default(), &new(name)).await
    }

    async fn create(&self) -> kube::Result<()> {
        for number in 0..COUNT {
            let made = self.make(&name(number)).await?;
            println!("created: {} {}", made.name_any(), colour(&made));
        }
        told("again:", self.make("walk-0").await);
        told("invalid:", self.make("Walk").await);
        Ok(())
    }

    /// List two at a time; -> the revision that all pages show.
    async fn pages(&self) -> kube::Result<String> {
        let mut asked = ListParams::default().labels(SELECTOR).limit(2);
        loop {
            let page = self.maps.list(&asked).await?;
            let names: Vec<_> = page.items.iter().map(|map| map.name_any()).collect();
            println!("page: {}", names.join(" "));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => asked = asked.continue_token(&token),
                None => return Ok(page.metadata.resource_version.unwrap()),
            }
        }
    }

    async fn paint(&self, number: usize, colour_: &str) -> kube::Result<()> {
        let patch = Patch::Merge(json!({"data": {"colour": colour_}}));
        let done = self.maps.patch(&name(number), &PatchParams::default(), &patch).await?;
        println!("patched: {} {}", done.name_any(), colour(&done));
        Ok(())
    }

    /// Print the first change after a revision; -> its own.
    async fn next(&self, what: &str, revision: &str) -> kube::Result<String> {
        let stream = self.maps.watch(&WatchParams::default().labels(SELECTOR), revision).await?;
        let (kind, found) = match std::pin::pin!(stream).try_next().await? {
            Some(WatchEvent::Added(found)) => ("ADDED", found),
            Some(WatchEvent::Modified(found)) => ("MODIFIED", found),
            other => panic!("{other:?}"),
        };
        println!("{what} {kind} {} {}", found.name_any(), colour(&found));
        Ok(found.resource_version().unwrap())
    }

    /// Watch, let go, and go on there.
    async fn follow(&self, start: &str) -> kube::Result<()> {
        self.paint(0, "green").await?;
        let revision = self.next("watched:", start).await?;
        self.paint(1, "blue").await?;
        self.paint(2, "blue").await?;
        let revision = self.next("resumed:", &revision).await?;
        self.next("resumed:", &revision).await?;
        Ok(())
    }

    async fn conflict(&self, revision: &str) -> kube::Result<()> {
        let mut stale = self.maps.get("walk-0").await?;
        stale.metadata.resource_version = Some(revision.to_string());
        told("conflict:", self.maps.replace("walk-0", &PostParams::default(), &stale).await);
        Ok(())
    }

    async fn applied(&self, colour: &str, manager: &str, force: bool) -> kube::Result<ConfigMap> {
        let wanted = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "walk-0"}, "data": {"colour": colour}});
        let how = PatchParams { force, ..PatchParams::apply(manager) };
        self.maps.patch("walk-0", &how, &Patch::Apply(wanted)).await
    }

    async fn apply(&self) -> kube::Result<()> {
        println!("applied: walk-0 {}", colour(&self.applied("yellow", "walk", true).await?));
        told("contested:", self.applied("black", "other", false).await);
        println!("forced: walk-0 {}", colour(&self.applied("black", "other", true).await?));
        Ok(())
    }

    async fn delete(&self) -> kube::Result<()> {
        let all = ListParams::default().labels(SELECTOR);
        let revision = self.maps.list(&all).await?.metadata.resource_version.unwrap();
        for number in 0..COUNT {
            self.maps.delete(&name(number), &DeleteParams::default()).await?;
        }
        let mut deleted = Vec::new();
        let stream = self.maps.watch(&WatchParams::default().labels(SELECTOR), &revision).await?;
        let mut stream = std::pin::pin!(stream);
        while deleted.len() < COUNT {
            if let WatchEvent::Deleted(gone) = stream.try_next().await?.expect("the watch ended") {
                deleted.push(gone.name_any());
            }
        }
        deleted.sort();
        println!("deleted: {}", deleted.join(" "));
        told("gone:", self.maps.get("walk-0").await);
        println!("left: {}", self.maps.list(&all).await?.items.len());
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let namespace = std::env::args().nth(1).expect("a namespace");
    let mut nobody = Config::infer().await?;
    nobody.auth_info.token = Some("nobody".to_string().into());
    let stranger: Api<ConfigMap> = Api::namespaced(Client::try_from(nobody)?, &namespace);
    told("stranger:", stranger.list(&ListParams::default()).await);
    let walk = Walk { maps: Api::namespaced(Client::try_default().await?, &namespace) };
    walk.create().await?;
    let revision = walk.pages().await?;
    walk.follow(&revision).await?;
    walk.conflict(&revision).await?;
    walk.apply().await?;
    walk.delete().await?;
    Ok(())
}

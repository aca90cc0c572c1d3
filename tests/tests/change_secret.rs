//! Promise: the cluster secret is changed on one replica after the other, while clients write, and afterwards the old one opens
//! nothing.

use std::time::Duration;

use threefold_tests::load::Load;
use threefold_tests::{Cluster, DatabaseKind, inspect};

const OLD: &str = "the-cluster-secret-that-was-known-for-too-long";
const NEW: &str = "another-cluster-secret-that-nobody-knows-yet";
const WRITERS: usize = 8;
const ANSWERS: usize = 30;
const ANSWERS_TIMEOUT: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_secret_is_changed_without_downtime() {
    let cluster = Cluster::builder()
        .database(DatabaseKind::Sqlite)
        .prepare()
        .await;
    for replica in cluster.replicas() {
        replica.set_cluster_secret(OLD);
        replica.start();
    }
    cluster.wait_until_ready().await;
    let load = Load::start(&cluster.clients(), WRITERS);

    // Known to all, then shown by all, then the only one.
    for secrets in [
        format!("{OLD}\n{NEW}\n"),
        format!("{NEW}\n{OLD}\n"),
        NEW.to_owned(),
    ] {
        for replica in cluster.replicas() {
            replica.terminate().await;
            replica.set_cluster_secret(&secrets);
            load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
            replica.start();
            replica.wait_until_ready().await;
            // The next one stops only when this one has caught up, or two would be missing.
            cluster.wait_until_in_sync().await;
        }
    }
    let record = load.finish().await;
    assert!(record.in_doubt.is_empty(), "{:?}", record.in_doubt);
    inspect::assert_identical(&cluster).await;

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for replica in cluster.replicas() {
        for (secret, opens) in [(OLD, false), (NEW, true)] {
            let call = http
                .post(format!("{}/graphql", replica.peer_url()))
                .bearer_auth(secret);
            let call = call
                .header("content-type", "application/json")
                .body("{\"query\":\"{ __typename }\"}");
            let status = call.send().await.unwrap().status();
            assert_eq!(status.is_success(), opens, "{secret}: {status}");
        }
    }
}

//! Promise: a replica moves to another place, with its data folder and its database, while the others serve; they
//! need no other settings.

use std::fs;
use std::time::Duration;

use threefold_tests::load::Load;
use threefold_tests::{Cluster, DatabaseKind, ports};

const WRITERS: usize = 4;
const ANSWERS: usize = 30;
const ANSWERS_TIMEOUT: Duration = Duration::from_secs(40);
const MOVED: u16 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_moves_while_the_others_serve() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    let load = Load::start(&cluster.clients(), WRITERS);
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;

    // Stopped in order, it is two things on disk: what is moved is all of it.
    let replica = cluster.replica(MOVED);
    replica.terminate().await;
    let elsewhere = cluster.file("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::rename(replica.data_folder(), elsewhere.join("data")).unwrap();
    let database = replica.database_url();
    let database = database.strip_prefix("sqlite://").unwrap();
    fs::rename(database, elsewhere.join("threefold.db")).unwrap();
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;

    let port = ports::reserve();
    let address = format!("127.0.0.1:{}", port.number());
    let peers: Vec<String> = cluster
        .replicas()
        .iter()
        .map(|replica| match replica.id() {
            MOVED => format!("{MOVED}=http://{address}"),
            id => format!("{id}={}", replica.peer_url()),
        })
        .collect();
    let path = |name: &str| elsewhere.join(name).display().to_string();
    replica.set_flag("--data", &path("data"));
    replica.set_flag("--database", &format!("sqlite://{}", path("threefold.db")));
    replica.set_flag("--peer-listen", &address);
    replica.set_flag("--peer", &peers.join(","));
    replica.start();
    replica.wait_until_ready().await;

    cluster.wait_until_in_sync().await;
    // The others know its new address without being told, also after a restart with the old flags.
    for other in cluster
        .replicas()
        .iter()
        .filter(|other| other.id() != MOVED)
    {
        other.terminate().await;
        load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
        other.start();
        other.wait_until_ready().await;
        cluster.wait_until_in_sync().await;
    }
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    let record = load.finish().await;
    assert!(record.in_doubt.is_empty(), "{:?}", record.in_doubt);

    let mut states = Vec::new();
    for client in cluster.clients() {
        let view = client.replica().await.unwrap();
        let count = client.expenses(1).await.unwrap().total_count;
        assert_eq!(count, record.answered.len() as u64);
        states.push((view.revision, view.state_hash));
    }
    assert!(states.iter().all(|state| *state == states[0]), "{states:?}");
}

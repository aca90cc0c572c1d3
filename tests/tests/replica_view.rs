//! Promise: whoever watches the replicas on one of them sees within a second that another has died, leads, or has caught up;
//! and nobody is called dead who lives.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use threefold_tests::client::{Client, NewExpense};
use threefold_tests::cluster::LEADER_TIMEOUT;
use threefold_tests::socket::Socket;
use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind};

const REPLICAS: &str = "subscription { replicas { id role inSync revision lag lastSeenAt url } }";
/// What is promised. It takes a tenth of this on an idle machine: a broken stream is followed anew after 25 ms, and a view
/// goes out 50 ms after the one before.
const SEEN_WITHIN: Duration = Duration::from_secs(1);
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(30);
/// Nothing happens for so long, and nothing is seen.
const QUIET: Duration = Duration::from_secs(3);

/// Every view that one replica sent, and when it came.
struct Watcher {
    views: Arc<Mutex<Vec<(Instant, Value)>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Watcher {
    async fn of(url: &str) -> Self {
        let mut socket = Socket::connect(url, json!({})).await.unwrap();
        socket.subscribe(REPLICAS, json!({})).await.unwrap();
        let views = Arc::<Mutex<Vec<(Instant, Value)>>>::default();
        let seen = views.clone();
        let task = tokio::spawn(async move {
            while let Ok(mut data) = socket.next().await {
                let view = data["replicas"].take();
                seen.lock().unwrap().push((Instant::now(), view));
            }
        });
        Self { views, task }
    }

    /// When a replica was first seen like that, after a moment.
    async fn sees(
        &self,
        what: &str,
        after: Instant,
        id: u16,
        is: impl Fn(&Value) -> bool,
    ) -> (Instant, Value) {
        until(what, LEADER_TIMEOUT, async || {
            let views = self.views.lock().unwrap();
            let mut later = views.iter().filter(|(at, _)| *at >= after);
            let found = later.find_map(|(at, view)| {
                let replica = view_of(view, id);
                is(replica).then(|| (*at, replica.clone()))
            });
            found.ok_or_else(|| format!("at last: {:?}", views.last()))
        })
        .await
    }

    /// The roles in which a replica was seen, after a moment.
    fn roles(&self, after: Instant, id: u16) -> Vec<String> {
        let views = self.views.lock().unwrap();
        let later = views.iter().filter(|(at, _)| *at >= after);
        later
            .map(|(_, view)| view_of(view, id)["role"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn view_of(view: &Value, id: u16) -> &Value {
    let mut replicas = view.as_array().unwrap().iter();
    let id = id.to_string();
    replicas.find(|replica| replica["id"] == *id).unwrap()
}

fn is_dead(replica: &Value) -> bool {
    replica["role"] == "UNREACHABLE"
}

async fn write(client: &Client, count: usize) {
    for number in 0..count {
        let new = NewExpense::described(format!("expense {number}"));
        client.quorum().add_expense(&new).await.unwrap().accepted();
    }
}

/// When the replica itself says first that it leads.
async fn elected(cluster: &Cluster, among: &[u16]) -> (u16, Instant) {
    until("a new leader", LEADER_TIMEOUT, async || {
        for id in among {
            let view = cluster.replica(*id).client().replica().await;
            if view.is_ok_and(|view| view.role == "LEADER") {
                return Ok((*id, Instant::now()));
            }
        }
        Err("none of the survivors leads".to_owned())
    })
    .await
}

async fn all_in_sync(watcher: &Watcher) {
    for id in 1..=3 {
        watcher
            .sees("all in sync", Instant::now() - QUIET, id, |replica| {
                replica["inSync"] == true
            })
            .await;
    }
}

async fn deaths_and_returns_are_seen(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let leader = cluster.leader().await;
    let followers = cluster.followers().await;
    let (dead, survivors) = (followers[0], [leader, followers[1]]);
    let mut watchers = Vec::new();
    for id in survivors {
        watchers.push(Watcher::of(cluster.replica(id).url()).await);
    }
    for watcher in &watchers {
        all_in_sync(watcher).await;
    }
    let begun = Instant::now();
    write(&cluster.replica(leader).client(), 3).await;

    // A follower dies.
    let killed = Instant::now();
    cluster.replica(dead).kill9();
    let mut last_seen = Vec::new();
    for watcher in &watchers {
        let (at, view) = watcher.sees("the death", killed, dead, is_dead).await;
        let took = at - killed;
        println!("{database:?}: a dead follower was seen after {took:?}");
        assert!(took < SEEN_WITHIN, "the death was seen after {took:?}");
        assert_eq!(view["inSync"], false, "{view}");
        assert_ne!(view["url"], "", "what was known of it stays known");
        last_seen.push(view["lastSeenAt"].clone());
    }
    // Writes do not wait for it: who has it is told, and who has not.
    let writing = Instant::now();
    let new = NewExpense::described("without the dead");
    let client = cluster.replica(leader).client();
    let (_, receipt) = client.add_expense(&new).await.unwrap().accepted();
    assert_eq!(receipt.pending, [dead.to_string()]);
    let took = writing.elapsed();
    println!("{database:?}: a write without it took {took:?}");
    assert!(
        took < SEEN_WITHIN,
        "the write waited for the dead: {took:?}"
    );
    write(&client, 5).await;

    // It stays dead, and was last seen before.
    for (watcher, last_seen) in watchers.iter().zip(&last_seen) {
        let (_, view) = watcher.sees("a later view", writing, dead, is_dead).await;
        assert_eq!(view["lastSeenAt"], *last_seen);
        let roles = watcher.roles(killed + SEEN_WITHIN, dead);
        assert!(roles.iter().all(|role| role == "UNREACHABLE"), "{roles:?}");
    }

    // It comes back, and has what it missed.
    let target = cluster.replica(leader).client().replica().await.unwrap();
    let restarted = Instant::now();
    cluster.replica(dead).start();
    let client = cluster.replica(dead).client();
    let caught_up = until("it to catch up", CATCH_UP_TIMEOUT, async || {
        let view = client.replica().await.map_err(|error| error.to_string())?;
        if view.revision >= target.revision {
            Ok(Instant::now())
        } else {
            Err(format!("{view:?}"))
        }
    })
    .await;
    for (watcher, last_seen) in watchers.iter().zip(&last_seen) {
        let back = |replica: &Value| {
            replica["role"] == "FOLLOWER" && replica["inSync"] == true && replica["lag"] == 0
        };
        let (at, view) = watcher.sees("the return", restarted, dead, back).await;
        let took = at.saturating_duration_since(caught_up);
        println!("{database:?}: the return was seen after {took:?}");
        assert!(took < SEEN_WITHIN, "the return was seen after {took:?}");
        assert_ne!(view["lastSeenAt"], *last_seen);
    }

    // Nobody else was ever taken for dead, and nobody is while nothing happens.
    tokio::time::sleep(QUIET).await;
    for watcher in &watchers {
        for id in survivors {
            let roles = watcher.roles(begun, id);
            assert!(roles.iter().all(|role| role != "UNREACHABLE"), "{roles:?}");
        }
        let roles = watcher.roles(caught_up + SEEN_WITHIN, dead);
        assert!(roles.iter().all(|role| role != "UNREACHABLE"), "{roles:?}");
    }
}

async fn a_dead_leader_and_a_new_one_are_seen(database: DatabaseKind) {
    let cluster = Cluster::start(database).await;
    let leader = cluster.leader().await;
    let survivors = cluster.followers().await;
    let mut watchers = Vec::new();
    for id in &survivors {
        watchers.push(Watcher::of(cluster.replica(*id).url()).await);
    }
    for watcher in &watchers {
        all_in_sync(watcher).await;
    }

    let killed = Instant::now();
    cluster.replica(leader).kill9();
    let (successor, elected) = elected(&cluster, &survivors).await;
    println!("{database:?}: a new leader after {:?}", elected - killed);
    for watcher in &watchers {
        let (at, _) = watcher.sees("the death", killed, leader, is_dead).await;
        let took = at - killed;
        println!("{database:?}: a dead leader was seen after {took:?}");
        assert!(took < SEEN_WITHIN, "the death was seen after {took:?}");

        let leads = |replica: &Value| replica["role"] == "LEADER";
        let (at, _) = watcher.sees("the election", killed, successor, leads).await;
        let took = at.saturating_duration_since(elected);
        println!("{database:?}: the election was seen after {took:?}");
        assert!(took < SEEN_WITHIN, "the election was seen after {took:?}");
        for id in &survivors {
            let roles = watcher.roles(killed, *id);
            assert!(roles.iter().all(|role| role != "UNREACHABLE"), "{roles:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deaths_and_returns_are_seen_on_postgres() {
    deaths_and_returns_are_seen(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deaths_and_returns_are_seen_on_sqlite() {
    deaths_and_returns_are_seen(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_leader_and_a_new_one_are_seen_on_postgres() {
    a_dead_leader_and_a_new_one_are_seen(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_leader_and_a_new_one_are_seen_on_sqlite() {
    a_dead_leader_and_a_new_one_are_seen(DatabaseKind::Sqlite).await;
}

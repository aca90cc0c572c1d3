//! A subscriber of `changes` that carries on from its last revision, on another replica if need be.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::socket::{CHANGES, Socket, SocketError};
use crate::wait::until;

const RECONNECT_DELAY: Duration = Duration::from_millis(100);

/// All changes of one revision, as they came.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The revision.
    pub revision: u64,
    /// The changes, one or more.
    pub changes: Vec<Value>,
}

impl Batch {
    /// The descriptions of the expenses that were added.
    pub fn added(&self) -> impl Iterator<Item = &str> {
        self.changes
            .iter()
            .filter(|change| change["__typename"] == "ExpenseAdded")
            .filter_map(|change| change["expense"]["description"].as_str())
    }
}

/// A subscriber at work in the background until it is dropped.
#[derive(Debug)]
pub struct Subscriber {
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Seen {
    /// Exactly what came, in the order in which it came: what is wrong shows.
    batches: Vec<Batch>,
    /// The last revision or bookmark: what a reconnect asks to follow.
    position: u64,
    connections: usize,
    /// Whether the position was told once: the subscription is live from then on.
    caught_up: bool,
    last_error: Option<String>,
    resync_required: bool,
}

impl Subscriber {
    /// Follows one replica from after a revision.
    pub fn of(url: &str, after: u64) -> Self {
        Self::of_any(&[url.to_owned()], after)
    }

    /// Follows the first of these replicas, and the next one whenever the connection is lost.
    pub fn of_any(urls: &[String], after: u64) -> Self {
        let seen = Arc::new(Mutex::new(Seen {
            batches: Vec::new(),
            position: after,
            connections: 0,
            caught_up: false,
            last_error: None,
            resync_required: false,
        }));
        let task = tokio::spawn(follow(urls.to_vec(), Arc::clone(&seen)));
        Self { seen, task }
    }

    /// Everything that came, in order.
    pub fn batches(&self) -> Vec<Batch> {
        self.seen().batches.clone()
    }

    /// The revisions of everything that came, in order.
    pub fn revisions(&self) -> Vec<u64> {
        self.seen()
            .batches
            .iter()
            .map(|batch| batch.revision)
            .collect()
    }

    /// The last revision it knows of.
    pub fn position(&self) -> u64 {
        self.seen().position
    }

    /// How often it has connected.
    pub fn connections(&self) -> usize {
        self.seen().connections
    }

    /// Waits until the replica has told where it is: nothing that follows is missed.
    pub async fn wait_until_live(&self) {
        until(
            "a subscription to be live",
            Duration::from_secs(20),
            async || {
                let seen = self.seen();
                if seen.caught_up {
                    Ok(())
                } else {
                    Err(format!("{:?}", seen.last_error))
                }
            },
        )
        .await;
    }

    /// Waits until that revision has come.
    pub async fn wait_for(&self, revision: u64, timeout: Duration) {
        until(
            &format!("revision {revision} on a subscription"),
            timeout,
            async || {
                let seen = self.seen();
                assert!(
                    !seen.resync_required,
                    "the subscriber was told to read again after revision {}",
                    seen.position
                );
                match seen.batches.last() {
                    Some(batch) if batch.revision >= revision => Ok(()),
                    last => Err(format!(
                        "the last is {:?}, {:?}",
                        last.map(|batch| batch.revision),
                        seen.last_error
                    )),
                }
            },
        )
        .await;
    }

    /// Ends the subscription and returns everything that came.
    pub fn finish(self) -> Vec<Batch> {
        self.task.abort();
        self.batches()
    }

    /// Fails the test unless exactly the revisions from `first` to `last` came, each once and in order.
    #[track_caller]
    pub fn assert_complete(&self, first: u64, last: u64) {
        let revisions = self.revisions();
        let expected: Vec<u64> = (first..=last).collect();
        let difference = revisions
            .iter()
            .zip(&expected)
            .find(|(seen, wanted)| seen != wanted);
        assert_eq!(
            difference, None,
            "first revision (seen, wanted) out of order on a subscription"
        );
        assert_eq!(
            revisions.len(),
            expected.len(),
            "revisions {first} to {last} on a subscription"
        );
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().expect("what was seen")
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(urls: Vec<String>, seen: Arc<Mutex<Seen>>) {
    for url in urls.iter().cycle() {
        let error = follow_once(url, &seen).await;
        {
            let mut seen = seen.lock().expect("what was seen");
            seen.last_error = Some(error.to_string());
            if seen.resync_required {
                return;
            }
        }
        tokio::time::sleep(RECONNECT_DELAY).await;
    }
}

async fn follow_once(url: &str, seen: &Mutex<Seen>) -> SocketError {
    match try_follow(url, seen).await {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

async fn try_follow(
    url: &str,
    seen: &Mutex<Seen>,
) -> Result<std::convert::Infallible, SocketError> {
    let mut socket = Socket::connect(url, json!({})).await?;
    let after = {
        let mut seen = seen.lock().expect("what was seen");
        seen.connections += 1;
        seen.position
    };
    socket
        .subscribe(CHANGES, json!({ "after": after.to_string() }))
        .await?;
    loop {
        let mut data = socket.next().await?;
        take_in(
            data["changes"].take(),
            &mut seen.lock().expect("what was seen"),
        )?;
    }
}

fn take_in(mut event: Value, seen: &mut Seen) -> Result<(), SocketError> {
    let out_of_shape = |event: &Value| SocketError::Protocol(event.to_string());
    match event["__typename"].as_str() {
        Some("ChangeBatch") => {
            let revision = revision(&event).ok_or_else(|| out_of_shape(&event))?;
            let Value::Array(changes) = event["changes"].take() else {
                return Err(out_of_shape(&event));
            };
            seen.position = revision;
            seen.batches.push(Batch { revision, changes });
            Ok(())
        }
        Some("Bookmark") => {
            seen.position = revision(&event).ok_or_else(|| out_of_shape(&event))?;
            seen.caught_up = true;
            Ok(())
        }
        Some("ResyncRequired") => {
            seen.resync_required = true;
            Ok(())
        }
        _ => Err(out_of_shape(&event)),
    }
}

fn revision(event: &Value) -> Option<u64> {
    event["revision"].as_str()?.parse().ok()
}

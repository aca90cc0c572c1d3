//! Waiting for the digests of all.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use threefold_entity::Revision;

use super::hold::Held;
use super::{Digests, PAUSE, Round, TIMEOUT};
use crate::verify::TablesState;
use crate::verify::ask::Unanswered;
use crate::verify::digest::{Digest, schema};
use crate::verify::message::{Answer, Asked};

/// A replica that cannot be reached for so long is not waited for.
const REACH_PATIENCE: Duration = Duration::from_secs(5);
/// A replica that has applied the checkpoint has looked at it within this.
const SEEN_WITHIN: Duration = Duration::from_secs(3);
/// A replica that comes no further for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(60);

impl Round {
    /// Waits for the digests of all. Those that have told theirs are held until the slowest has.
    pub(super) async fn collect(&mut self, index: u64, held: &Held) -> Digests {
        self.verification.log_index = Some(index);
        self.publish();
        let replicas = self.verification.replicas.iter();
        let mut waiting: BTreeMap<u64, Instant> = replicas
            .map(|replica| (replica.id, Instant::now()))
            .collect();
        let mut digests = Digests::new();
        while !waiting.is_empty() {
            let checkpoint = self.verification.id;
            let ask = async |id: u64| {
                let asked = Asked::Progress { checkpoint };
                (id, self.ask(id, &asked, TIMEOUT).await)
            };
            let answers = join_all(waiting.keys().copied().map(ask)).await;
            for (id, answer) in answers {
                let heard = waiting.get(&id).map_or(Duration::ZERO, Instant::elapsed);
                match self.take(id, index, answer, heard) {
                    Step::Wait => {}
                    Step::Further => {
                        waiting.insert(id, Instant::now());
                    }
                    Step::Digest(digest) => {
                        waiting.remove(&id);
                        held.add(id);
                        digests.insert(id, *digest);
                    }
                    Step::GiveUp(reason) => {
                        waiting.remove(&id);
                        if let Some(replica) = self.verification.replica_mut(id) {
                            replica.state = TablesState::Unanswered;
                            replica.reason = Some(reason);
                        }
                    }
                }
            }
            self.publish();
            if !waiting.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        digests
    }

    /// Takes one answer. `silence` is how long the replica has come no further.
    fn take(
        &mut self,
        id: u64,
        index: u64,
        answer: Result<Answer, Unanswered>,
        silence: Duration,
    ) -> Step {
        match answer {
            Ok(Answer::Examining { rows }) => match self.verification.replica_mut(id) {
                Some(replica) if replica.rows != rows => {
                    replica.rows = rows;
                    Step::Further
                }
                _ if silence > PATIENCE => Step::GiveUp("it reads its tables too slowly".into()),
                _ => Step::Wait,
            },
            Ok(Answer::Examined(digest)) if digest.schema != schema() => Step::GiveUp(
                "it is of another version than this replica; upgrade the older one first"
                    .to_owned(),
            ),
            Ok(Answer::Examined(digest)) if digest.index != index => {
                Step::GiveUp("it has looked at another state".to_owned())
            }
            Ok(Answer::Examined(digest)) => {
                self.verification.revision = Some(Revision::from(digest.revision));
                if let Some(replica) = self.verification.replica_mut(id) {
                    replica.rows = digest.rows();
                    replica.took = Some(Duration::from_millis(digest.took_ms));
                    let root = blake3::Hash::from_bytes(digest.root());
                    replica.digest = Some(root.to_hex().to_string());
                }
                Step::Digest(digest)
            }
            // Applied, and not seen: a moment later than the position is told, the checkpoint is there.
            Ok(Answer::NotReached { applied_index })
                if applied_index >= Some(index) && silence > SEEN_WITHIN =>
            {
                Step::GiveUp(
                    "it has passed the checkpoint without looking: it was started again, came by a snapshot, or runs an \
                     earlier version; try again"
                        .to_owned(),
                )
            }
            Ok(Answer::NotReached { applied_index }) if silence > PATIENCE => {
                let applied = applied_index.unwrap_or_default();
                Step::GiveUp(format!("it is at log position {applied} and the checkpoint at {index}"))
            }
            Ok(Answer::NotReached { .. }) => Step::Wait,
            Ok(_) => Step::GiveUp("its answer cannot be read".to_owned()),
            Err(Unanswered::Refused(reason)) => Step::GiveUp(reason),
            Err(Unanswered::Unreachable(reason)) if silence > REACH_PATIENCE => {
                Step::GiveUp(reason)
            }
            Err(_) => Step::Wait,
        }
    }
}

/// What an answer means for the wait.
enum Step {
    Wait,
    Further,
    Digest(Box<Digest>),
    GiveUp(String),
}

//! One comparison, by the replica that was asked for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use futures_util::future::join_all;
use threefold_entity::Revision;

use super::digest::{Digest, KeyHash, schema};
use super::judgement::{Evidence, Judgement, Spot, judge};
use super::message::{Answer, Asked, Conclusion};
use super::table::Table;
use super::{RowDifference, RowVersion, TablesState, Verification, VerificationState, serve};
use crate::consensus;
use crate::peer::{PeerError, PeerFault, PeerMethod, decode, encode};
use crate::running::Running;

/// Longest wait for a leader that takes the checkpoint.
const LEADER_PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two questions to the same replica.
const PAUSE: Duration = Duration::from_millis(200);
/// A replica that cannot be reached for so long is not waited for.
const REACH_PATIENCE: Duration = Duration::from_secs(5);
/// A replica that comes no further for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for a look at rows: the whole table is read for it.
const LOOK_TIMEOUT: Duration = Duration::from_secs(600);
/// Buckets of a table that are looked into, and rows of it that are named.
const MAX_BUCKETS: usize = 3;
const MAX_DIFFERENCES: usize = 10;

type Digests = BTreeMap<u64, Digest>;

/// Carries it out, and publishes how far it is.
pub(super) async fn run(running: Arc<Running>, verification: Verification) {
    let mut round = Round {
        running,
        verification,
    };
    let digests = match round.checkpoint().await {
        Ok(index) => round.collect(index).await,
        Err(reason) => {
            round.verification.reason = Some(reason);
            Digests::new()
        }
    };
    let leader = consensus::view(&round.running.raft).leader;
    let judgement = {
        let digests: BTreeMap<u64, &Digest> = digests.iter().map(|(id, d)| (*id, d)).collect();
        let judgement = judge(&digests, leader);
        round.accuse(&digests, &judgement, leader).await;
        judgement
    };
    round.name_rows(&digests, &judgement).await;
    round.conclude(&judgement).await;
}

struct Round {
    running: Arc<Running>,
    verification: Verification,
}

/// Why a replica did not answer.
enum Unanswered {
    /// It could not be reached.
    Unreachable(String),
    /// It is not the leader.
    NotLeader,
    /// It will not, or cannot.
    Refused(String),
}

impl Round {
    fn publish(&self) {
        let verification = Some(self.verification.clone());
        self.running.verifier.last.send_replace(verification);
    }

    async fn ask(&self, to: u64, asked: &Asked, timeout: Duration) -> Result<Answer, Unanswered> {
        let answer = if to == self.running.config.id {
            match tokio::time::timeout(timeout, serve(&self.running, asked.clone())).await {
                Ok(answer) => answer.map_err(of_fault)?,
                Err(_elapsed) => return Err(Unanswered::Unreachable("no answer in time".into())),
            }
        } else {
            let call = self
                .running
                .wire
                .call(to, None, PeerMethod::Verify, encode(asked), timeout);
            let bytes = call.await.map_err(of_peer)?;
            decode(&bytes).map_err(of_fault)?
        };
        match answer {
            Answer::Refused(reason) => Err(Unanswered::Refused(reason)),
            answer => Ok(answer),
        }
    }

    /// Has the leader put the checkpoint into the log.
    async fn checkpoint(&self) -> Result<u64, String> {
        let begun = Instant::now();
        let checkpoint = self.verification.id;
        let asked = Asked::Begin { checkpoint };
        let mut last = "there is no leader at the moment; try again".to_owned();
        while begun.elapsed() < LEADER_PATIENCE {
            if let Some(leader) = consensus::view(&self.running.raft).leader {
                match self.ask(leader, &asked, TIMEOUT * 2).await {
                    Ok(Answer::Begun { index }) => return Ok(index),
                    Ok(_) => return Err("the leader's answer cannot be read".to_owned()),
                    Err(Unanswered::Refused(reason)) => return Err(reason),
                    Err(Unanswered::Unreachable(reason)) => last = reason,
                    Err(Unanswered::NotLeader) => {}
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(last)
    }

    /// Waits for the digests of all.
    async fn collect(&mut self, index: u64) -> Digests {
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
                "it compares other columns than this replica: they are of different versions; upgrade the older one"
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
                if applied_index >= Some(index) && silence > PAUSE * 5 =>
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

    /// Shows each replica that is wrong that it is.
    async fn accuse(
        &mut self,
        digests: &BTreeMap<u64, &Digest>,
        judgement: &Judgement,
        leader: Option<u64>,
    ) {
        for (id, digest) in digests {
            let Some(replica) = self.verification.replica_mut(*id) else {
                continue;
            };
            let wrong = judgement
                .wrong
                .get(id)
                .map(Vec::as_slice)
                .unwrap_or_default();
            let unclear = judgement.undecided.as_slice();
            replica.state = if wrong.is_empty() && unclear.is_empty() {
                TablesState::Equal
            } else {
                TablesState::Differs
            };
            let spots = if wrong.is_empty() { unclear } else { wrong };
            replica.reason = tables_of(spots, digest);
        }
        for (id, spots) in &judgement.wrong {
            let Some(spot) = spots.first() else { continue };
            tracing::error!(
                differing = id,
                table = spot.table,
                buckets = spots.len(),
                "replica {id} holds other rows than the others; threefold verify names them"
            );
            let evidence = Evidence::of(self.verification.id, digests, spot, leader);
            match self.ask(*id, &Asked::Accuse(evidence), TIMEOUT).await {
                Ok(_) => {
                    if let Some(replica) = self.verification.replica_mut(*id) {
                        replica.quarantined = true;
                    }
                }
                Err(Unanswered::Refused(reason) | Unanswered::Unreachable(reason)) => {
                    tracing::error!(reason, "replica {id} was not quarantined");
                }
                Err(Unanswered::NotLeader) => {}
            }
        }
        if let Some(spot) = judgement.undecided.first() {
            tracing::error!(
                table = spot.table,
                buckets = judgement.undecided.len(),
                "replicas hold different rows and it cannot be told whose are right, so none is quarantined; threefold \
                 verify names them"
            );
        }
        self.verification.undecided = !judgement.undecided.is_empty();
        self.publish();
    }

    /// Finds the first rows that differ.
    async fn name_rows(&mut self, digests: &Digests, judgement: &Judgement) {
        let spots = judgement.spots();
        for table in Table::ALL {
            let mut found = Vec::new();
            let here = spots.iter().filter(|spot| spot.table == table.name());
            for spot in here.take(MAX_BUCKETS) {
                found.extend(self.rows_of(table, spot, digests).await);
            }
            found.sort_by(|a: &RowDifference, b| a.key.cmp(&b.key));
            found.truncate(MAX_DIFFERENCES);
            self.verification.differences.append(&mut found);
        }
    }

    async fn rows_of(&self, table: Table, spot: &Spot, digests: &Digests) -> Vec<RowDifference> {
        let (checkpoint, bucket) = (self.verification.id, spot.bucket);
        let asked = Asked::Rows {
            checkpoint,
            table: spot.table.clone(),
            bucket,
        };
        let hashes = self.ask_all(digests, &asked).await;
        let hashes: BTreeMap<u64, BTreeMap<KeyHash, [u8; 32]>> = hashes
            .into_iter()
            .filter_map(|(id, answer)| match answer {
                Answer::Rows(rows) => Some((id, rows.into_iter().collect())),
                _ => None,
            })
            .collect();
        let known: BTreeSet<KeyHash> = hashes
            .values()
            .flat_map(|rows| rows.keys().copied())
            .collect();
        let differs = |key: &KeyHash| {
            let mut versions = hashes.values().map(|rows| rows.get(key));
            let first = versions.next();
            versions.any(|version| Some(version) != first)
        };
        let keys: Vec<KeyHash> = known
            .into_iter()
            .filter(differs)
            .take(MAX_DIFFERENCES)
            .collect();
        if keys.is_empty() {
            return Vec::new();
        }
        let asked = Asked::Versions {
            checkpoint,
            table: spot.table.clone(),
            bucket,
            keys: keys.clone(),
        };
        let versions: BTreeMap<u64, BTreeMap<KeyHash, Vec<Option<String>>>> = self
            .ask_all(digests, &asked)
            .await
            .into_iter()
            .filter_map(|(id, answer)| match answer {
                Answer::Versions(rows) => Some((id, rows.into_iter().collect())),
                _ => None,
            })
            .collect();
        keys.iter()
            .filter_map(|key| {
                let rows = versions.iter().map(|(id, rows)| (*id, rows.get(key)));
                difference(table, rows.collect())
            })
            .collect()
    }

    async fn ask_all(&self, digests: &Digests, asked: &Asked) -> Vec<(u64, Answer)> {
        let ask = async |id: u64| Some((id, self.ask(id, asked, LOOK_TIMEOUT).await.ok()?));
        let answers = join_all(digests.keys().copied().map(ask)).await;
        answers.into_iter().flatten().collect()
    }

    /// Says what it came to: to whoever asked, and to all replicas.
    async fn conclude(&mut self, judgement: &Judgement) {
        let replicas = &mut self.verification.replicas;
        for replica in replicas.iter_mut() {
            if replica.state == TablesState::Pending {
                replica.state = TablesState::Unanswered;
            }
        }
        let unanswered =
            |replica: &&super::VerifiedReplica| replica.state == TablesState::Unanswered;
        let conclusion = Conclusion {
            revision: self.verification.revision.map_or(0, Revision::get),
            differing: judgement.wrong.len() as u64,
            undecided: !judgement.undecided.is_empty(),
            unanswered: replicas.iter().filter(unanswered).count() as u64,
        };
        self.verification.state = if conclusion.differing > 0 || conclusion.undecided {
            VerificationState::Differs
        } else if conclusion.is_equal() {
            VerificationState::Equal
        } else {
            VerificationState::Incomplete
        };
        self.verification.ended_at = Some(Utc::now());
        tracing::info!(
            revision = conclusion.revision,
            differing = conclusion.differing,
            undecided = conclusion.undecided,
            unanswered = conclusion.unanswered,
            "the tables of the replicas have been compared"
        );
        self.publish();
        if self.verification.log_index.is_some() {
            let asked = Asked::Release {
                checkpoint: self.verification.id,
                conclusion,
            };
            let ids: Vec<u64> = self
                .verification
                .replicas
                .iter()
                .map(|replica| replica.id)
                .collect();
            let tell = async |id: u64| {
                if self.ask(id, &asked, TIMEOUT).await.is_err() {
                    tracing::debug!(id, "a replica was not told how the comparison ended");
                }
            };
            join_all(ids.into_iter().map(tell)).await;
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

fn of_peer(error: PeerError) -> Unanswered {
    match error {
        PeerError::Refused { fault, .. } => of_fault(fault),
        // A replica of a version that knows nothing of this.
        PeerError::Unreachable { peer, reason } if reason.contains("Unknown field") => {
            Unanswered::Refused(format!(
                "replica {peer} runs an earlier version that cannot compare its tables; upgrade it first"
            ))
        }
        other => Unanswered::Unreachable(other.to_string()),
    }
}

fn of_fault(fault: PeerFault) -> Unanswered {
    match fault {
        PeerFault::NotLeader(..) => Unanswered::NotLeader,
        other => Unanswered::Refused(other.to_string()),
    }
}

/// The tables in which a replica differs, for people.
fn tables_of(spots: &[Spot], digest: &Digest) -> Option<String> {
    let tables: BTreeSet<&str> = spots.iter().map(|spot| spot.table.as_str()).collect();
    let told: Vec<String> = tables
        .into_iter()
        .map(|name| {
            let table = digest.tables.iter().find(|table| table.name == name);
            match table.and_then(|table| table.unreadable.as_ref()) {
                Some(reason) => format!("table {name}: {reason}"),
                None => format!("table {name}"),
            }
        })
        .collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// One row as the replicas have it.
fn difference(
    table: Table,
    rows: Vec<(u64, Option<&Vec<Option<String>>>)>,
) -> Option<RowDifference> {
    let names = table.columns();
    let some = rows.iter().find_map(|(_, row)| *row)?;
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
    let key: Vec<String> = names
        .iter()
        .zip(some)
        .take(table.key())
        .map(|(name, value)| format!("{name}={}", shown(value)))
        .collect();
    let everywhere = rows.iter().all(|(_, row)| row.is_some());
    let differs = |column: &usize| {
        !everywhere
            || rows
                .iter()
                .any(|(_, row)| row.and_then(|row| row.get(*column)) != some.get(*column))
    };
    let columns: Vec<usize> = (0..names.len()).filter(differs).collect();
    let version = |(replica_id, row): &(u64, Option<&Vec<Option<String>>>)| RowVersion {
        replica_id: *replica_id,
        present: row.is_some(),
        values: row.map_or_else(Vec::new, |row| {
            columns
                .iter()
                .map(|column| row.get(*column).cloned().flatten())
                .collect()
        }),
    };
    Some(RowDifference {
        table: table.name().to_owned(),
        key: key.join(" "),
        columns: columns
            .iter()
            .filter_map(|column| names.get(*column))
            .map(|name| (*name).to_owned())
            .collect(),
        versions: rows.iter().map(version).collect(),
    })
}

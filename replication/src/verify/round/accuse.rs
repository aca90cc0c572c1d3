//! Telling those who are wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Round, TIMEOUT};
use crate::verify::TablesState;
use crate::verify::ask::Unanswered;
use crate::verify::digest::Digest;
use crate::verify::judgement::{Evidence, Judgement, Jury, Spot};
use crate::verify::message::Asked;

/// How often a replica is told that it is wrong.
const ATTEMPTS: u32 = 6;
/// Pause between two.
const PAUSE: Duration = Duration::from_secs(1);

impl Round {
    /// Shows each replica that is wrong that it is.
    pub(super) async fn accuse(
        &mut self,
        digests: &BTreeMap<u64, &Digest>,
        judgement: &Judgement,
        jury: &Jury,
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
            replica.state = match (wrong, unclear) {
                ([], []) => TablesState::Equal,
                ([], _) => TablesState::Undecided,
                _ => TablesState::Differs,
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
            if jury.quarantined.contains(id) {
                if let Some(replica) = self.verification.replica_mut(*id) {
                    replica.quarantined = true;
                }
                continue;
            }
            let evidence = Evidence::of(self.verification.id, digests, spot, jury.leader);
            match self.tell(*id, &Asked::Accuse(evidence)).await {
                Ok(()) => {
                    if let Some(replica) = self.verification.replica_mut(*id) {
                        replica.quarantined = true;
                    }
                }
                Err(Unanswered::Refused(reason) | Unanswered::Unreachable(reason)) => {
                    tracing::error!(
                        reason,
                        "replica {id} holds other rows and was not quarantined; it is compared again soon"
                    );
                }
                Err(Unanswered::NotLeader) => {}
            }
        }
        if let Some(spot) = judgement.undecided.first() {
            let silent: Vec<u64> = jury
                .members
                .iter()
                .copied()
                .filter(|id| !digests.contains_key(id))
                .collect();
            tracing::error!(
                table = spot.table,
                buckets = judgement.undecided.len(),
                members = jury.members.len(),
                ?silent,
                "replicas hold different rows and it cannot be told whose are right, so none is quarantined; threefold \
                 verify names them. Those that are silent may decide it: start them"
            );
        }
        self.verification.undecided = !judgement.undecided.is_empty();
        self.publish();
    }
}

impl Round {
    /// Tells a replica that it is wrong, again where it does not answer: it serves until it knows.
    async fn tell(&self, id: u64, accusation: &Asked) -> Result<(), Unanswered> {
        let mut attempts = 1;
        loop {
            match self.ask(id, accusation, TIMEOUT).await {
                Err(Unanswered::Unreachable(_)) if attempts < ATTEMPTS => {
                    attempts += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                answer => return answer.map(drop),
            }
        }
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

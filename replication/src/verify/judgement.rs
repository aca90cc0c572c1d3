//! Who is wrong, told from the digests alone.
//!
//! Judged bucket by bucket: where most of the replicas agree, the others are wrong. So two replicas that are wrong in
//! different rows are both found, though no two digests are equal as a whole. Where only two can be compared, the leader's
//! is taken to be right. Where neither tells, nobody is accused: an alarm that names the rows is better than a replica that
//! is right and serves no more.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::digest::{BUCKETS, BucketDigest, Digest};

/// A place where digests differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) table: String,
    pub(super) bucket: usize,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Judgement {
    /// Where each replica that is wrong is so.
    pub(super) wrong: BTreeMap<u64, Vec<Spot>>,
    /// Where it cannot be told who is wrong.
    pub(super) undecided: Vec<Spot>,
}

impl Judgement {
    /// All places, in the order of the tables.
    pub(super) fn spots(&self) -> Vec<Spot> {
        let wrong = self.wrong.values().flatten();
        let all: BTreeSet<Spot> = wrong.chain(&self.undecided).cloned().collect();
        all.into_iter().collect()
    }
}

/// One replica's digest of a bucket; none: it cannot read the table, which no other digest is equal to.
type Vote = (u64, Option<BucketDigest>);

/// Compares digests that are of one schema and one log position.
pub(super) fn judge(digests: &BTreeMap<u64, &Digest>, leader: Option<u64>) -> Judgement {
    let mut judgement = Judgement::default();
    let tables = digests.values().flat_map(|digest| &digest.tables);
    let tables: BTreeSet<&str> = tables.map(|table| table.name.as_str()).collect();
    for table in tables {
        for bucket in 0..BUCKETS {
            let votes: Vec<Vote> = digests
                .iter()
                .map(|(id, digest)| (*id, digest.bucket(table, bucket)))
                .collect();
            let spot = || Spot {
                table: table.to_owned(),
                bucket,
            };
            match wrong(&votes, leader) {
                Some(wrong) => {
                    for id in wrong {
                        judgement.wrong.entry(id).or_default().push(spot());
                    }
                }
                None => judgement.undecided.push(spot()),
            }
        }
    }
    judgement
}

/// Those whose digest of one bucket is wrong; none where that cannot be told.
fn wrong(votes: &[Vote], leader: Option<u64>) -> Option<Vec<u64>> {
    let differ_from = |right: Option<BucketDigest>| {
        let differ = |(id, vote): &Vote| (vote.is_none() || *vote != right).then_some(*id);
        votes.iter().filter_map(differ).collect::<Vec<u64>>()
    };
    let most = votes.iter().find(|(_, vote)| {
        let agreeing = votes
            .iter()
            .filter(|(_, other)| vote.is_some() && other == vote);
        agreeing.count() * 2 > votes.len()
    });
    if let Some((_, right)) = most {
        return Some(differ_from(*right));
    }
    match (votes, leader) {
        ([_, _], Some(leader)) => {
            let (_, right) = votes.iter().find(|(id, _)| *id == leader)?;
            right.is_some().then(|| differ_from(*right))
        }
        _ => None,
    }
}

/// Why a replica is said to be wrong: one bucket that it differs in, and what the replicas have there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Evidence {
    pub(super) checkpoint: Uuid,
    pub(super) table: String,
    pub(super) bucket: usize,
    pub(super) votes: Vec<Vote>,
    /// Who led when it was judged.
    pub(super) leader: Option<u64>,
}

impl Evidence {
    /// What speaks against a replica.
    pub(super) fn of(
        checkpoint: Uuid,
        digests: &BTreeMap<u64, &Digest>,
        spot: &Spot,
        leader: Option<u64>,
    ) -> Self {
        let vote = |(id, digest): (&u64, &&Digest)| (*id, digest.bucket(&spot.table, spot.bucket));
        Self {
            checkpoint,
            table: spot.table.clone(),
            bucket: spot.bucket,
            votes: digests.iter().map(vote).collect(),
            leader,
        }
    }

    /// Looks at it as the accused, who knows its own digest: why it has to serve no more, or why it goes on.
    pub(super) fn weigh(&self, accused: u64, own: &Digest) -> Result<String, String> {
        let said = self.votes.iter().find(|(id, _)| *id == accused);
        let known = own.bucket(&self.table, self.bucket);
        if said.is_none_or(|(_, said)| *said != known) {
            return Err("it is not what this replica has found itself".to_owned());
        }
        if !own.tables.iter().any(|table| table.name == self.table) || self.bucket >= BUCKETS {
            return Err("there is no such table".to_owned());
        }
        let wrong = wrong(&self.votes, self.leader).unwrap_or_default();
        if !wrong.contains(&accused) {
            return Err("it does not show that this replica is wrong".to_owned());
        }
        let right: Vec<String> = self
            .votes
            .iter()
            .filter(|(id, _)| !wrong.contains(id))
            .map(|(id, _)| id.to_string())
            .collect();
        let (whom, table) = (right.join(" and "), &self.table);
        let plural = if right.len() == 1 { "" } else { "s" };
        Ok(format!(
            "its table {table} differs from that of replica{plural} {whom} at revision {}; replace it: threefold cluster \
             replace {accused}",
            own.revision
        ))
    }
}

#[cfg(test)]
mod tests;

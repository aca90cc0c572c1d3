//! Who is wrong, told from the digests alone.
//!
//! Judged bucket by bucket: where most of the members agree, the others are wrong. So two replicas that are wrong in
//! different rows are both found, though no two digests are equal as a whole. Most of the *members*: one that was not
//! compared may agree with either side, so that one against one, while a third is down, decides nothing. Neither do three
//! that all differ. Then nobody is accused: whoever was taken out might be the one that is right, and the cluster would go
//! on with what is wrong, or not at all. Both serve what they have until a majority tells; what is acknowledged meanwhile is
//! in the log, which does not differ. Only a cluster of two has nobody else to ask, ever: there the leader is right.

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

/// Whose digests count, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Jury {
    /// All members, whether they were compared or not.
    pub(super) members: BTreeSet<u64>,
    /// Those of them that are quarantined already.
    pub(super) quarantined: BTreeSet<u64>,
    pub(super) leader: Option<u64>,
}

/// Compares digests that are of one schema and one log position.
pub(super) fn judge(digests: &BTreeMap<u64, &Digest>, jury: &Jury) -> Judgement {
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
            let wrong = wrong(&votes, jury.members.len(), jury.leader);
            match wrong.or_else(|| known_already(&votes, &jury.quarantined)) {
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
fn wrong(votes: &[Vote], members: usize, leader: Option<u64>) -> Option<Vec<u64>> {
    if let Some(one) = agreed(votes.iter()) {
        return Some(differing(votes, one));
    }
    let most = votes.iter().find_map(|(_, vote)| {
        let agreeing = votes.iter().filter(|(_, other)| other == vote).count();
        vote.filter(|_| agreeing * 2 > members)
    });
    if let Some(right) = most {
        return Some(differing(votes, right));
    }
    // Nobody else could ever be asked.
    let leader = leader.filter(|_| members == 2 && votes.len() == 2)?;
    let (_, right) = votes.iter().find(|(id, _)| *id == leader)?;
    right.map(|right| differing(votes, right))
}

/// Where those that are trusted agree, whoever is quarantined is found to differ once more.
fn known_already(votes: &[Vote], quarantined: &BTreeSet<u64>) -> Option<Vec<u64>> {
    let trusted = votes.iter().filter(|(id, _)| !quarantined.contains(id));
    agreed(trusted).map(|right| differing(votes, right))
}

/// What all of them have.
fn agreed<'v>(mut votes: impl Iterator<Item = &'v Vote>) -> Option<BucketDigest> {
    let (_, first) = votes.next()?;
    first.filter(|_| votes.all(|(_, vote)| vote == first))
}

fn differing(votes: &[Vote], right: BucketDigest) -> Vec<u64> {
    let differ = votes.iter().filter(|(_, vote)| *vote != Some(right));
    differ.map(|(id, _)| *id).collect()
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

    /// Looks at it as the accused, who knows its own digest and who the members are: why it has to serve no more, or why it
    /// goes on.
    pub(super) fn weigh(
        &self,
        accused: u64,
        own: &Digest,
        members: &[u64],
    ) -> Result<String, String> {
        let said = self.votes.iter().find(|(id, _)| *id == accused);
        let known = own.bucket(&self.table, self.bucket);
        if said.is_none_or(|(_, said)| *said != known) {
            return Err("it is not what this replica has found itself".to_owned());
        }
        if !own.tables.iter().any(|table| table.name == self.table) || self.bucket >= BUCKETS {
            return Err("there is no such table".to_owned());
        }
        let votes: BTreeMap<u64, Option<BucketDigest>> = self.votes.iter().copied().collect();
        let of_members = votes.into_iter().filter(|(id, _)| members.contains(id));
        let votes: Vec<Vote> = of_members.collect();
        let wrong = wrong(&votes, members.len(), self.leader).unwrap_or_default();
        if !wrong.contains(&accused) {
            return Err("it does not show that this replica is wrong".to_owned());
        }
        let right: Vec<String> = votes
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

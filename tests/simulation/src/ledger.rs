//! What is in the replicas' logs, gathered as it is written, and the promises that can be judged by it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use threefold_replication::simulation::disk::{Contents, Write};
use threefold_replication::simulation::{Leader, entry, purged};
use uuid::Uuid;

/// An entry as some leader made it: there is one for each leader and index.
struct Made {
    hash: blake3::Hash,
    /// Who made the entry before it; none where that was cut off already.
    previous: Option<Leader>,
}

/// See the module.
#[derive(Default)]
pub struct Ledger {
    made: HashMap<(Leader, u64), Made>,
    /// The places at which a key stands.
    keys: HashMap<Uuid, Vec<(Leader, u64)>>,
    /// Who made each committed entry.
    committed: BTreeMap<u64, Leader>,
    leaders: BTreeSet<Leader>,
    violations: Vec<(&'static str, String)>,
    hasher: blake3::Hasher,
}

fn maker_at(contents: &Contents, index: u64) -> Option<Leader> {
    entry(contents.entries.get(&index)?).map(|(maker, ..)| maker)
}

impl Ledger {
    /// A replica writes to its disk.
    pub fn wrote(&mut self, replica: u64, before: &Contents, writes: &[Write]) {
        let mut last: Option<(u64, Leader)> = None;
        for write in writes {
            match write {
                Write::Entry(index, bytes) => {
                    let Some((maker, named, keys)) = entry(bytes) else {
                        let unreadable = format!("replica {replica} wrote one at {index}");
                        self.violations.push(("entries can be read", unreadable));
                        continue;
                    };
                    if named != *index {
                        let detail = format!("replica {replica} has entry {named} at {index}");
                        self.violations.push(("log matching", detail));
                    }
                    let previous = match last {
                        Some((before, maker)) if before + 1 == *index => Some(maker),
                        _ => index
                            .checked_sub(1)
                            .and_then(|before_it| maker_at(before, before_it)),
                    };
                    last = Some((*index, maker));
                    let hash = blake3::hash(bytes);
                    self.hasher.update(hash.as_bytes());
                    self.made_alike(replica, (maker, *index), hash, previous);
                    for key in keys {
                        let places = self.keys.entry(key).or_default();
                        if !places.contains(&(maker, *index)) {
                            places.push((maker, *index));
                        }
                    }
                }
                Write::Remove(index) => {
                    let cut = purged(before).is_some_and(|purged| *index <= purged);
                    let committed = self.committed.get(index);
                    if !cut && committed.is_some() && committed == maker_at(before, *index).as_ref()
                    {
                        let detail = format!("replica {replica} removes committed entry {index}");
                        self.violations.push(("committed entries stay", detail));
                    }
                }
                Write::Mark(_, bytes) => {
                    self.hasher.update(bytes);
                }
            }
        }
    }

    /// Log Matching: what the same leader made at the same index is the same, and so is all before it.
    fn made_alike(
        &mut self,
        replica: u64,
        place: (Leader, u64),
        hash: blake3::Hash,
        previous: Option<Leader>,
    ) {
        let made = self.made.entry(place).or_insert(Made { hash, previous });
        let (maker, index) = place;
        if made.hash != hash {
            let detail = format!("entry {index} of leader {maker:?} differs on replica {replica}");
            self.violations.push(("log matching", detail));
        }
        match (made.previous, previous) {
            (None, known) => made.previous = known,
            (Some(one), Some(other)) if one != other => {
                let detail = format!(
                    "before entry {index} of leader {maker:?}, replica {replica} has one of {other:?}, others of {one:?}"
                );
                self.violations.push(("log matching", detail));
            }
            _ => {}
        }
    }

    /// A replica has applied an entry: it is committed, for good.
    pub fn applied(&mut self, replica: u64, index: u64, contents: &Contents) {
        let Some(maker) = maker_at(contents, index) else {
            return;
        };
        let known = *self.committed.entry(index).or_insert(maker);
        if known != maker {
            let detail = format!(
                "replica {replica} applied entry {index} of leader {maker:?}, others that of {known:?}"
            );
            self.violations.push(("committed entries stay", detail));
        }
    }

    /// A replica leads: it has all that is committed.
    pub fn leads(&mut self, leader: Leader, applied: Option<u64>, contents: &Contents) {
        self.leaders.insert(leader);
        let Some((last, committed_by)) = self.committed.last_key_value() else {
            return;
        };
        // A deposed leader that does not know it yet may lack what was committed since.
        if *committed_by > leader || applied >= Some(*last) || purged(contents) >= Some(*last) {
            return;
        }
        if maker_at(contents, *last) != Some(*committed_by) {
            let (term, replica) = leader;
            let detail =
                format!("replica {replica} leads term {term} and lacks committed entry {last}");
            self.violations.push(("leader completeness", detail));
        }
    }

    /// How many of the disks have a key in one and the same entry, flushed.
    pub fn flushed_on(&self, key: Uuid, disks: &[Contents]) -> usize {
        let places = self.keys.get(&key).into_iter().flatten();
        let holds = |disk: &Contents, (maker, index): (Leader, u64)| {
            purged(disk) >= Some(index) || maker_at(disk, index) == Some(maker)
        };
        places
            .map(|place| disks.iter().filter(|disk| holds(disk, *place)).count())
            .max()
            .unwrap_or(0)
    }

    /// True if a committed entry holds the key.
    pub fn is_committed(&self, key: Uuid) -> bool {
        let mut places = self.keys.get(&key).into_iter().flatten();
        places.any(|(maker, index)| self.committed.get(index) == Some(maker))
    }

    /// How often somebody became leader, and how many entries are committed.
    pub fn summary(&self) -> (usize, usize) {
        (self.leaders.len(), self.committed.len())
    }

    /// The hash of all that was written.
    pub fn digest(&self) -> [u8; 32] {
        *self.hasher.finalize().as_bytes()
    }

    /// What was found since the last time.
    pub fn take_violations(&mut self) -> Vec<(&'static str, String)> {
        std::mem::take(&mut self.violations)
    }
}

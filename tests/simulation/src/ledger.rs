//! What is in the replicas' logs, gathered as it is written, and the promises that can be judged by it.

use std::collections::{BTreeMap, HashMap};

use threefold_replication::simulation::disk::{Contents, Write};
use threefold_replication::simulation::{entry, purged};
use uuid::Uuid;

use crate::world::Violation;

/// An entry as some leader made it: there is one for each term and index.
struct Made {
    hash: blake3::Hash,
    /// Term of the entry before it; none where that was cut off already.
    previous: Option<u64>,
}

/// See the module.
#[derive(Default)]
pub struct Ledger {
    made: HashMap<(u64, u64), Made>,
    /// The places at which a key stands.
    keys: HashMap<Uuid, Vec<(u64, u64)>>,
    /// Term of each committed entry.
    committed: BTreeMap<u64, u64>,
    leaders: BTreeMap<u64, u64>,
    violations: Vec<(&'static str, String)>,
    hasher: blake3::Hasher,
}

fn term_at(contents: &Contents, index: u64) -> Option<u64> {
    entry(contents.entries.get(&index)?).map(|(term, ..)| term)
}

impl Ledger {
    /// A replica writes to its disk.
    pub fn wrote(&mut self, replica: u64, before: &Contents, writes: &[Write]) {
        let mut last: Option<(u64, u64)> = None;
        for write in writes {
            match write {
                Write::Entry(index, bytes) => {
                    let Some((term, named, keys)) = entry(bytes) else {
                        let unreadable = format!("replica {replica} wrote one at {index}");
                        self.violations.push(("entries can be read", unreadable));
                        continue;
                    };
                    if named != *index {
                        let detail = format!("replica {replica} has entry {named} at {index}");
                        self.violations.push(("log matching", detail));
                    }
                    let previous = match last {
                        Some((before, term)) if before + 1 == *index => Some(term),
                        _ => index
                            .checked_sub(1)
                            .and_then(|before_it| term_at(before, before_it)),
                    };
                    last = Some((*index, term));
                    let hash = blake3::hash(bytes);
                    self.hasher.update(hash.as_bytes());
                    self.made_alike(replica, (term, *index), hash, previous);
                    for key in keys {
                        let places = self.keys.entry(key).or_default();
                        if !places.contains(&(term, *index)) {
                            places.push((term, *index));
                        }
                    }
                }
                Write::Remove(index) => {
                    let cut = purged(before).is_some_and(|purged| *index <= purged);
                    let committed = self.committed.get(index);
                    if !cut && committed.is_some() && committed == term_at(before, *index).as_ref()
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

    /// Log Matching: what has the same term and index is the same, and so is all before it.
    fn made_alike(
        &mut self,
        replica: u64,
        place: (u64, u64),
        hash: blake3::Hash,
        previous: Option<u64>,
    ) {
        let made = self.made.entry(place).or_insert(Made { hash, previous });
        let (term, index) = place;
        if made.hash != hash {
            let detail = format!("entry {index} of term {term} differs on replica {replica}");
            self.violations.push(("log matching", detail));
        }
        match (made.previous, previous) {
            (None, known) => made.previous = known,
            (Some(one), Some(other)) if one != other => {
                let detail = format!(
                    "before entry {index} of term {term}, replica {replica} has one of term {other}, others of {one}"
                );
                self.violations.push(("log matching", detail));
            }
            _ => {}
        }
    }

    /// A replica has applied an entry: it is committed, for good.
    pub fn applied(&mut self, replica: u64, index: u64, contents: &Contents) {
        let Some(term) = term_at(contents, index) else {
            return;
        };
        let known = *self.committed.entry(index).or_insert(term);
        if known != term {
            let detail = format!(
                "replica {replica} applied entry {index} of term {term}, others that of term {known}"
            );
            self.violations.push(("committed entries stay", detail));
        }
    }

    /// A replica leads a term: nobody else does, and it has all that is committed.
    pub fn leads(&mut self, replica: u64, term: u64, applied: Option<u64>, contents: &Contents) {
        let known = *self.leaders.entry(term).or_insert(replica);
        if known != replica {
            let detail = format!("replicas {known} and {replica} both lead term {term}");
            self.violations.push(("one leader a term", detail));
        }
        let Some((last, committed_in)) = self.committed.last_key_value() else {
            return;
        };
        // A deposed leader that does not know it yet may lack what was committed since.
        if *committed_in > term || applied >= Some(*last) || purged(contents) >= Some(*last) {
            return;
        }
        if term_at(contents, *last) != Some(*committed_in) {
            let detail =
                format!("replica {replica} leads term {term} and lacks committed entry {last}");
            self.violations.push(("leader completeness", detail));
        }
    }

    /// How many of the disks have a key in one and the same entry, flushed.
    pub fn flushed_on(&self, key: Uuid, disks: &[Contents]) -> usize {
        let places = self.keys.get(&key).into_iter().flatten();
        let holds = |disk: &Contents, (term, index): (u64, u64)| {
            purged(disk) >= Some(index) || term_at(disk, index) == Some(term)
        };
        places
            .map(|place| disks.iter().filter(|disk| holds(disk, *place)).count())
            .max()
            .unwrap_or(0)
    }

    /// True if a committed entry holds the key.
    pub fn is_committed(&self, key: Uuid) -> bool {
        let mut places = self.keys.get(&key).into_iter().flatten();
        places.any(|(term, index)| self.committed.get(index) == Some(term))
    }

    /// Who led last, and how many entries are committed.
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

impl From<(&'static str, String)> for Violation {
    fn from((invariant, detail): (&'static str, String)) -> Self {
        Self {
            invariant,
            detail,
            at: std::time::Duration::ZERO,
        }
    }
}

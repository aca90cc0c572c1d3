//! Every failpoint, and what it is for.

/// What can be asked of a failpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Can crash and sleep.
    Place,
    /// Can fail as well, as the call there may in reality.
    Fallible,
    /// A broken behaviour: on or off.
    Sabotage,
}

/// One failpoint.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Its name.
    pub name: &'static str,
    /// What can be asked of it.
    pub kind: Kind,
    /// Where it is, or what is broken while it is on.
    pub meaning: &'static str,
}

const fn place(name: &'static str, meaning: &'static str) -> Point {
    Point {
        name,
        kind: Kind::Place,
        meaning,
    }
}

const fn fallible(name: &'static str, meaning: &'static str) -> Point {
    Point {
        name,
        kind: Kind::Fallible,
        meaning,
    }
}

const fn sabotage(name: &'static str, meaning: &'static str) -> Point {
    Point {
        name,
        kind: Kind::Sabotage,
        meaning,
    }
}

/// All of them: places in the order in which a mutation passes them, then snapshots and membership, then what is broken on purpose.
pub const LIST: [Point; 50] = [
    // A mutation on its way.
    place(
        "mutation.begin",
        "a client's mutation was read, nothing was proposed",
    ),
    place(
        "mutation.answer",
        "a mutation is settled, its client is not answered",
    ),
    place(
        "forward.sent",
        "a follower has the leader's answers, its proposers do not",
    ),
    place(
        "batch.begin",
        "a leader has made a batch, and not given it to the log",
    ),
    place(
        "batch.settled",
        "a batch is committed and applied here, its proposers are not answered",
    ),
    // The log.
    fallible("append.before", "entries came, none is written"),
    place(
        "append.flushed",
        "entries are on the disk, nobody was told: between flush and ACK",
    ),
    place(
        "append.acknowledged",
        "the engine was told that entries are on the disk",
    ),
    place(
        "truncate.before",
        "entries of a deposed leader are to be cut off",
    ),
    place("truncate.after", "they are cut off"),
    fallible("vote.before", "a vote is to be saved"),
    place("vote.saved", "a vote is on the disk, nobody was told"),
    fallible(
        "purge.before",
        "the log is to be cut, the database is not flushed for it yet",
    ),
    place(
        "purge.flushed",
        "the database is flushed, the log is not cut",
    ),
    place(
        "purge.marked",
        "the log says that it is cut, the entries are there",
    ),
    place("purge.after", "the log is cut"),
    // Apply.
    fallible(
        "apply.begin",
        "committed entries are at hand, no transaction has begun",
    ),
    fallible(
        "apply.commit",
        "their rows are written, the transaction is not committed",
    ),
    fallible(
        "apply.committed",
        "the transaction is committed, memory does not know: an error is a lost confirmation",
    ),
    place(
        "apply.published",
        "subscribers have the changes, the engine does not know",
    ),
    fallible("flush.before", "the database is to be made durable"),
    // Snapshots.
    fallible(
        "snapshot.write",
        "a page of a snapshot is written; passed at every page",
    ),
    place("snapshot.written", "a snapshot's file is whole"),
    fallible(
        "snapshot.send",
        "a chunk is to be sent; passed at every chunk",
    ),
    fallible("snapshot.receive", "a chunk came; passed at every chunk"),
    place(
        "snapshot.received",
        "all chunks are there, the engine does not know",
    ),
    fallible(
        "snapshot.install",
        "a snapshot is to be installed, nothing is removed yet",
    ),
    place(
        "snapshot.cleared",
        "within the transaction, all tables are empty",
    ),
    fallible(
        "snapshot.commit",
        "all rows are in place, the transaction is not committed",
    ),
    place(
        "snapshot.committed",
        "they are committed, the database is not flushed",
    ),
    place(
        "snapshot.installed",
        "a snapshot is installed, the engine does not know",
    ),
    // Membership.
    place("membership.begin", "a leader is to change the membership"),
    place(
        "membership.joint",
        "the first of the two entries, with both sets of voters, is on the disk",
    ),
    place(
        "membership.uniform",
        "the second, with one set of voters, is on the disk",
    ),
    place(
        "membership.done",
        "the membership is changed, who asked for it does not know",
    ),
    // Broken on purpose.
    sabotage(
        "sabotage.lose-append",
        "entries are acknowledged without being written, nor how far they are committed: a crash loses them",
    ),
    sabotage(
        "sabotage.answer-before-commit",
        "a leader answers what it expects to come of a batch, before anybody else has it",
    ),
    sabotage(
        "sabotage.receipt-lies",
        "a leader answers without waiting for anybody, with a receipt that says that all have applied it",
    ),
    sabotage(
        "sabotage.refuse-after-write",
        "an accepted mutation is answered NOT_ENOUGH_REPLICAS, which says that nothing was written",
    ),
    sabotage(
        "sabotage.apply-twice",
        "idempotency keys are not looked at; set it on every replica",
    ),
    sabotage(
        "sabotage.version-ignored",
        "expectedVersion is not looked at; set it on every replica",
    ),
    sabotage(
        "sabotage.skip-entry",
        "an entry counts as applied, its proposals are not looked at",
    ),
    sabotage(
        "sabotage.lose-row",
        "an expense that changed is not stored, all else of its proposal is",
    ),
    sabotage(
        "sabotage.stale-read",
        "linearizable reads do not ask the leader",
    ),
    sabotage(
        "sabotage.min-revision-ignored",
        "reads do not wait for Min-Revision",
    ),
    sabotage(
        "sabotage.revision-slips",
        "a read says half the revision that it was read at; `30%on` does so at times",
    ),
    sabotage(
        "sabotage.wrong-outcome",
        "outcome says of every key that nothing came of it",
    ),
    sabotage(
        "sabotage.feed-drop",
        "subscribers do not get a revision; `5%on` leaves out one in twenty",
    ),
    sabotage("sabotage.feed-repeat", "subscribers get a revision twice"),
    sabotage(
        "sabotage.feed-reorder",
        "subscribers get a revision after the one that follows it",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// Every name that a macro or call in the sources gives.
    fn used(folder: &Path, names: &mut BTreeSet<String>) {
        let mut entries: Vec<PathBuf> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.retain(|path| !path.ends_with("failpoint") && !path.ends_with("failpoint.rs"));
        for path in entries {
            if path.is_dir() {
                used(&path, names);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            let begins = [
                "failpoint!(",
                "failpoint_blocking!(",
                "sabotaged!(",
                "failpoint::at(",
            ];
            for after in begins.iter().flat_map(|begin| text.split(*begin).skip(1)) {
                let name = after.trim_start().trim_start_matches('"');
                names.insert(name.split('"').next().unwrap().to_owned());
            }
        }
    }

    #[test]
    fn the_list_names_what_is_there() {
        let mut names = BTreeSet::new();
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        used(&here.join("src"), &mut names);
        used(&here.join("../api/src"), &mut names);
        let listed: BTreeSet<String> = LIST.iter().map(|point| point.name.to_owned()).collect();
        assert_eq!(listed.len(), LIST.len(), "a name is listed twice");
        assert_eq!(names, listed);
        for point in LIST {
            let broken = point.name.starts_with("sabotage.");
            assert_eq!(broken, point.kind == Kind::Sabotage, "{}", point.name);
            assert!(!point.meaning.is_empty(), "{}", point.name);
        }
    }
}

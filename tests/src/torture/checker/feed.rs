//! The feed: no revision left out, repeated or out of order, on whichever replica a subscriber goes on; the same changes for
//! everybody, those that the answers told of; and all of them together are the table.

use std::collections::HashMap;

use uuid::Uuid;

use super::Verdict;
use crate::torture::history::{
    Answer, Change, ChangeKind, FinalState, History, Row, Watched, WatchedEvent,
};

pub(super) fn judge(history: &History, finals: &[FinalState]) -> Verdict {
    let mut verdict = Verdict::new(
        "feed",
        "a subscriber sees every revision once and in order, wherever it reconnects, and all changes together are the table",
    );
    let mut feed = Feed::default();
    for watched in &history.watched {
        feed.take(&mut verdict, watched);
    }
    for (number, watcher) in &feed.watchers {
        if !watcher.finished {
            verdict.violated(|| format!("subscriber {number} never came to the end of the feed"));
        }
    }
    feed.compare_with_answers(&mut verdict, history);
    if let Some(state) = finals.first() {
        feed.compare_with_table(&mut verdict, state);
    }
    verdict
}

#[derive(Default)]
struct Feed {
    watchers: HashMap<u16, Watcher>,
    /// By revision: the digest that came first.
    digests: HashMap<u64, u64>,
    /// By revision: what the changes left, of the subscriber that keeps them.
    rows: HashMap<u64, Vec<Row>>,
    /// What the changes add up to.
    table: HashMap<Uuid, Row>,
    /// Something came that was not to be followed: the sum means nothing.
    interrupted: bool,
}

#[derive(Default)]
struct Watcher {
    position: u64,
    finished: bool,
}

impl Feed {
    fn take(&mut self, verdict: &mut Verdict, watched: &Watched) {
        let Watched {
            watcher: number,
            replica,
            at,
            event,
        } = watched;
        let moment = *at as f64 / 1e9;
        let who = || format!("subscriber {number} on replica {replica} at {moment:.3} s");
        let watcher = self.watchers.entry(*number).or_default();
        let position = watcher.position;
        match event {
            WatchedEvent::Subscribed(_) => {}
            WatchedEvent::Batch {
                revision,
                digest,
                changes,
            } => {
                verdict.checked += 1;
                if *revision <= position {
                    verdict.violated(|| {
                        format!("{}: revision {revision} came after {position}", who())
                    });
                    return;
                }
                if *revision > position + 1 {
                    verdict.violated(|| {
                        format!("{}: revision {revision} follows {position}, what is between is left out", who())
                    });
                }
                watcher.position = *revision;
                let known = *self.digests.entry(*revision).or_insert(*digest);
                if known != *digest {
                    verdict.violated(|| {
                        format!("{}: revision {revision} has other changes than it had for someone else", who())
                    });
                }
                if !changes.is_empty() {
                    for change in changes {
                        self.apply(verdict, *revision, change);
                    }
                    self.rows
                        .insert(*revision, changes.iter().map(|change| change.row).collect());
                }
            }
            WatchedEvent::Bookmark(revision) => {
                if *revision != position {
                    verdict.violated(|| {
                        format!("{}: a bookmark says that all up to {revision} was sent, it was all up to {position}", who())
                    });
                }
                watcher.position = position.max(*revision);
            }
            WatchedEvent::ResyncRequired { oldest, head } => {
                if *oldest <= position + 1 || oldest > head {
                    verdict.violated(|| {
                        format!("{}: told to read again at {position}, though {oldest} to {head} are kept", who())
                    });
                }
                watcher.position = position.max(*head);
                self.interrupted = true;
            }
            WatchedEvent::Finished(head) => {
                watcher.finished = true;
                if position < *head {
                    verdict.violated(|| {
                        format!(
                            "{}: what follows {position} never came, up to {head}",
                            who()
                        )
                    });
                }
            }
        }
    }

    fn apply(&mut self, verdict: &mut Verdict, revision: u64, change: &Change) {
        let row = change.row;
        let before = self.table.insert(row.id, row);
        let follows = match (change.kind, before) {
            (ChangeKind::Added, None) => row.version == 1 && !row.deleted,
            (ChangeKind::Updated, Some(before)) => {
                row.version == before.version + 1 && !before.deleted && !row.deleted
            }
            (ChangeKind::Deleted, Some(before)) => {
                row.version == before.version + 1 && !before.deleted && row.deleted
            }
            (ChangeKind::Restored, Some(before)) => {
                row.version == before.version + 1 && before.deleted && !row.deleted
            }
            _ => false,
        };
        if (!follows && !self.interrupted) || row.revision != revision {
            verdict
                .violated(|| format!("revision {revision}: {change:?} cannot follow {before:?}"));
        }
    }

    fn compare_with_answers(&self, verdict: &mut Verdict, history: &History) {
        for operation in &history.operations {
            let Answer::Accepted { receipt, rows } = &operation.answer else {
                continue;
            };
            let told = self.rows.get(&receipt.revision);
            if told.is_none() && (self.interrupted || self.rows.is_empty()) {
                continue;
            }
            verdict.checked += 1;
            if told != Some(rows) {
                verdict.violated(|| {
                    format!(
                        "operation {} was answered with revision {} and {rows:?}; the feed has {told:?} there",
                        operation.number, receipt.revision
                    )
                });
            }
        }
    }

    fn compare_with_table(&self, verdict: &mut Verdict, state: &FinalState) {
        if self.interrupted || self.table.is_empty() {
            return;
        }
        verdict.checked += state.rows.len() as u64;
        for row in state.rows.iter() {
            let told = self.table.get(&row.id);
            if told != Some(row) {
                verdict.violated(|| {
                    format!("the changes make {told:?} of what is {row:?} in the database of replica {}", state.replica)
                });
            }
        }
        let missing = self
            .table
            .keys()
            .filter(|id| state.rows.binary_search_by_key(*id, |row| row.id).is_err());
        for id in missing {
            verdict.violated(|| {
                format!(
                    "the feed told of expense {id}, which replica {} does not have",
                    state.replica
                )
            });
        }
    }
}

#[cfg(test)]
mod tests;

//! Who has a log entry, and when its proposers are answered.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use crate::board::Board;
use crate::consensus::state_machine::Applied;
use crate::consensus::{self, Raft, RaftView};
use crate::format::Formats;
use crate::group_commit::{ProposeFault, send};
use crate::outcome::{Acknowledgement, Outcome, Receipt, Settled, Stage, Verdict};
use crate::status::Role;

/// How often a wait looks at the clock, for replicas that fall silent and so send no report.
const TICK: Duration = Duration::from_millis(25);

/// The leader's judgement of who is in sync. One per replica; only the leader's counts.
pub(crate) struct Acknowledger {
    pub(crate) own_id: u64,
    pub(crate) raft: Raft,
    pub(crate) board: Arc<Board>,
    pub(crate) applied: watch::Receiver<Applied>,
    pub(crate) min_in_sync: Option<usize>,
    pub(crate) in_sync_timeout: Duration,
    /// The term this replica leads, and since when it knows.
    pub(crate) tenure: Mutex<Option<(u64, Instant)>>,
    /// Foretells outcomes, for a broken behaviour.
    #[cfg(feature = "failpoints")]
    pub(crate) machine: consensus::StateMachine,
}

type Seat = (
    Acknowledgement,
    Outcome,
    oneshot::Sender<Result<Settled, ProposeFault>>,
);

impl Acknowledger {
    /// Lets a batch pass if enough replicas are in sync. A new leader has heard of nobody's progress yet, and waits
    /// for it as long as a replica may be silent.
    pub(crate) async fn admit(&self) -> Result<(), ProposeFault> {
        let mut reports = self.board.subscribe();
        loop {
            reports.borrow_and_update();
            let view = consensus::view(&self.raft);
            if view.role != Role::Leader {
                return Err(ProposeFault::NotLeader);
            }
            let required = self.min_in_sync.unwrap_or(view.voters.len() / 2 + 1);
            let in_sync = view.voters.iter().filter(|id| self.in_sync(**id)).count();
            if in_sync >= required {
                return Ok(());
            }
            if !self.is_new(view.term) {
                return Err(ProposeFault::NotEnough { in_sync, required });
            }
            let _woken = tokio::time::timeout(TICK, reports.changed()).await;
        }
    }

    /// What everybody reads who has to read this replica's log.
    pub(crate) fn formats(&self) -> Formats {
        let view = consensus::view(&self.raft);
        let others = view.members.into_iter().filter(|id| *id != self.own_id);
        self.board.common_formats(others)
    }

    /// Answers the proposers of one log entry, each as it asked for, without holding up the next entry.
    pub(crate) fn settle(self: Arc<Self>, index: u64, seats: Vec<Seat>) {
        #[cfg(feature = "failpoints")]
        if sabotaged!("sabotage.receipt-lies") {
            return answer(seats, &self.lie());
        }
        let (at_once, when_all): (Vec<Seat>, Vec<Seat>) =
            seats
                .into_iter()
                .partition(|(acknowledgement, outcome, _)| {
                    *acknowledgement == Acknowledgement::Quorum
                        || matches!(outcome.verdict, Verdict::Refused(_))
                });
        if !at_once.is_empty() {
            answer(at_once, &self.receipt(index));
        }
        if !when_all.is_empty() {
            tokio::spawn(async move {
                self.wait_for_all(index).await;
                answer(when_all, &self.receipt(index));
            });
        }
    }

    /// Waits until every replica in sync has applied the entry, with a vote or without. One that falls silent leaves the set after the
    /// in-sync timeout, and one that dies at once, so this ends.
    async fn wait_for_all(&self, index: u64) {
        let started = Instant::now();
        let mut reports = self.board.subscribe();
        loop {
            reports.borrow_and_update();
            let view = consensus::view(&self.raft);
            let new = self.is_new(view.term);
            let missing = view.members.iter().any(|id| {
                let counts = view.voters.contains(id) && *id != self.own_id;
                let unheard = new && counts && !self.board.is_gone(*id);
                let owed = self.in_sync(*id) || unheard;
                owed && self.applied_index(*id) < Some(index)
            });
            // Twice the timeout: reached only by a replica that keeps reporting and does not get there.
            if !missing || started.elapsed() > self.in_sync_timeout * 2 {
                return;
            }
            let _woken = tokio::time::timeout(TICK, reports.changed()).await;
        }
    }

    /// Answers before anybody has the batch; what is left has nobody who waits.
    #[cfg(feature = "failpoints")]
    pub(crate) async fn answer_early(
        &self,
        batch: Vec<crate::group_commit::Seat>,
    ) -> Vec<crate::group_commit::Seat> {
        let proposals = batch.iter().map(|(waiting, _)| waiting.proposal.clone());
        let term = consensus::view(&self.raft).term;
        let expected = self.machine.foretell(proposals.collect(), term).await;
        let mut left = Vec::new();
        for ((waiting, seat), expected) in batch.into_iter().zip(expected) {
            match expected {
                Some(outcome) => {
                    answer(vec![(waiting.acknowledgement, outcome, seat)], &self.lie());
                    left.push((waiting, oneshot::channel().0));
                }
                None => left.push((waiting, seat)),
            }
        }
        left
    }

    /// A receipt that says that everybody has everything.
    #[cfg(feature = "failpoints")]
    fn lie(&self) -> Receipt {
        let voters = consensus::view(&self.raft).voters;
        Receipt {
            acknowledged_by: voters.iter().map(|id| (*id, Stage::Applied)).collect(),
            ..Receipt::default()
        }
    }

    fn receipt(&self, index: u64) -> Receipt {
        let view = consensus::view(&self.raft);
        let mut receipt = Receipt::default();
        for id in &view.members {
            match self.stage(&view, *id, index) {
                Some(stage) => receipt.acknowledged_by.push((*id, stage)),
                // Nobody counts on a replica that is still receiving what there is.
                None if view.voters.contains(id) || self.in_sync(*id) => receipt.pending.push(*id),
                None => {}
            }
        }
        receipt
    }

    fn stage(&self, view: &RaftView, id: u64, index: u64) -> Option<Stage> {
        // What a quarantined replica has in its log, it has; what it has in its database is not to be trusted.
        let peer = self.board.peer(id);
        let trusted = peer.is_none_or(|peer| peer.report.quarantine.is_none());
        if trusted && self.applied_index(id) >= Some(index) {
            Some(Stage::Applied)
        } else {
            (view.matched.get(&id) >= Some(&index)).then_some(Stage::Durable)
        }
    }

    /// True if the replica has been heard from in time and has caught up.
    pub(crate) fn in_sync(&self, id: u64) -> bool {
        id == self.own_id || self.board.peer(id).is_some_and(|peer| peer.in_sync)
    }

    fn applied_index(&self, id: u64) -> Option<u64> {
        if id == self.own_id {
            return self.applied.borrow().index;
        }
        self.board
            .peer(id)
            .and_then(|peer| peer.report.applied_index)
    }

    /// How long this replica has led the term, as far as it was asked before: never longer than in truth.
    pub(crate) fn led_for(&self, term: u64) -> Duration {
        let mut tenure = self.tenure.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match *tenure {
            Some((known, since)) if known == term => since,
            _ => {
                let now = Instant::now();
                *tenure = Some((term, now));
                now
            }
        };
        since.elapsed()
    }

    /// True while this replica has led the term for less than the in-sync timeout.
    fn is_new(&self, term: u64) -> bool {
        self.led_for(term) < self.in_sync_timeout
    }
}

fn answer(seats: Vec<Seat>, receipt: &Receipt) {
    for (_, outcome, answer) in seats {
        let receipt = match outcome.verdict {
            Verdict::Accepted { .. } => receipt.clone(),
            Verdict::Refused(_) => Receipt::default(),
        };
        send(answer, Ok(Settled { outcome, receipt }));
    }
}

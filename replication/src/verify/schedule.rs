//! The leader compares the tables by itself, from time to time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Conclusion, VerificationState, Verifier};
use crate::consensus;
use crate::members;
use crate::running::Running;
use crate::status::Role;

/// The first comparison after the start of a replica that leads, unless the interval is shorter: late enough for a
/// cluster that was just started to have calmed down, early enough to find what happened while it was down.
const FIRST: Duration = Duration::from_secs(300);
/// A comparison that did not reach every replica is repeated after this, unless the interval is shorter.
const AFTER_INCOMPLETE: Duration = Duration::from_secs(3_600);
/// One that could not tell whose rows are right is repeated after this, then after twice this and so on, up to
/// [`AFTER_INCOMPLETE`], unless the interval is shorter: nobody serves less for it, so it is not to stay so.
const AFTER_UNDECIDED: Duration = Duration::from_secs(60);
/// It is repeated after no more than this where a replica has come back since, which may decide it.
const AFTER_RETURN: Duration = Duration::from_secs(10);
/// Longest pause between two looks at the clock.
const TICK: Duration = Duration::from_secs(10);

/// Compares whenever this replica leads and so much time has passed since the last comparison that it took part in,
/// whoever began that: a change of leaders neither skips a comparison nor adds one. Never ends.
pub(crate) async fn keep_comparing(running: Arc<Running>, interval: Duration) {
    // Replicas that were started together do not all come at the same moment, nor do clusters on one machine.
    let jitter = f64::from(fresh_number()) / f64::from(u16::MAX);
    let spread = |due: Duration| due.mul_f64(0.9 + 0.2 * jitter);
    let started = Instant::now();
    let mut retry_at: Option<Instant> = None;
    let mut doubt = Doubt::default();
    loop {
        tokio::time::sleep(TICK.min(interval / 10)).await;
        let concluded = running.verifier.concluded();
        doubt.look(concluded, in_sync(&running));
        let view = consensus::view(&running.raft);
        let leads = view.role == Role::Leader;
        // What a majority does not take has to wait in the log, with all that would follow it.
        let is_followed = view.majority_heard.is_some_and(|ago| ago < TICK);
        if !leads || !is_followed || running.alarm.quarantine().is_some() {
            continue;
        }
        let retries = retry_at.is_none_or(|at| Instant::now() >= at);
        let due = match (doubt.pause(), retry_at, concluded) {
            (Some(pause), _, Some((at, _))) => {
                retries && at.elapsed() >= spread(interval.min(pause))
            }
            (_, Some(at), _) => Instant::now() >= at,
            (_, None, Some((at, _))) => at.elapsed() >= spread(interval),
            (_, None, None) => started.elapsed() >= spread(interval.min(FIRST)),
        };
        if !due {
            continue;
        }
        let begun = Verifier::begin(&running);
        let ended = running.verifier.ended(begun.id).await;
        let state = ended.map_or(VerificationState::Incomplete, |ended| ended.state);
        let after_incomplete = match doubt.pause() {
            Some(_) => AFTER_UNDECIDED,
            None => AFTER_INCOMPLETE,
        };
        retry_at = (state == VerificationState::Incomplete)
            .then(|| Instant::now() + spread(interval.min(after_incomplete)));
    }
}

/// The others that have everything.
fn in_sync(running: &Running) -> BTreeSet<u64> {
    let members = members::ids(running).into_iter();
    members
        .filter(|id| running.board.peer(*id).is_some_and(|peer| peer.in_sync))
        .collect()
}

/// What could not be decided, and who has come back since. Every replica keeps an eye on it: another may lead by the time that
/// it can be decided.
#[derive(Debug, Default)]
struct Doubt {
    /// When the last comparison ended that could not tell.
    since: Option<Instant>,
    /// How many in a row could not.
    times: u32,
    in_sync: BTreeSet<u64>,
    returned: bool,
}

impl Doubt {
    fn look(&mut self, concluded: Option<(Instant, Conclusion)>, in_sync: BTreeSet<u64>) {
        // One that did not reach those in question ends no doubt, and one that is wrong and could not be told is one.
        let stays = self.since.is_some();
        let undecided = concluded.filter(|(_, conclusion)| {
            conclusion.undecided
                || conclusion.at_large > 0
                || (stays && !conclusion.is_equal() && conclusion.differing == 0)
        });
        let since = undecided.map(|(at, _)| at);
        let somebody_was_missing =
            undecided.is_some_and(|(_, it)| it.unanswered > 0 || it.at_large > 0);
        let returned = somebody_was_missing && !in_sync.is_subset(&self.in_sync);
        if since.is_none() {
            *self = Self::default();
        } else if since != self.since {
            self.times += 1;
            self.since = since;
            self.returned = returned;
        } else {
            self.returned |= returned;
        }
        self.in_sync = in_sync;
    }

    /// After which time since the last comparison there is to be another; none where there is no doubt.
    fn pause(&self) -> Option<Duration> {
        self.since?;
        if self.returned {
            return Some(AFTER_RETURN);
        }
        let doublings = self.times.saturating_sub(1).min(16);
        Some(AFTER_INCOMPLETE.min(AFTER_UNDECIDED * 2_u32.pow(doublings)))
    }
}

fn fresh_number() -> u16 {
    let [a, b, ..] = *uuid::Uuid::new_v4().as_bytes();
    u16::from_be_bytes([a, b])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One replica gave no digest.
    fn concluded(at: Instant, differing: u64, undecided: bool) -> Option<(Instant, Conclusion)> {
        let conclusion = Conclusion {
            revision: 1,
            differing,
            undecided,
            unanswered: 1,
            at_large: 0,
        };
        Some((at, conclusion))
    }

    #[test]
    fn what_is_undecided_is_compared_again_soon_and_ever_less_often() {
        let mut doubt = Doubt::default();
        doubt.look(None, [2].into());
        assert_eq!(doubt.pause(), None);
        let begin = Instant::now();
        let minutes: Vec<u64> = (0..9)
            .map(|round| {
                let ended = concluded(begin + TICK * round, 0, true);
                for _ in 0..3 {
                    doubt.look(ended, [2].into());
                }
                doubt.pause().unwrap().as_secs() / 60
            })
            .collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        // One that found no difference among those that answered tells nothing of the others.
        doubt.look(concluded(begin + TICK * 9, 0, false), [2].into());
        assert_eq!(doubt.pause(), Some(AFTER_INCOMPLETE));
        doubt.look(concluded(begin + TICK * 10, 1, false), [2].into());
        assert_eq!(doubt.pause(), None, "it is decided");
        doubt.look(concluded(begin + TICK * 11, 0, false), [2].into());
        assert_eq!(doubt.pause(), None, "there was none");
        doubt.look(concluded(begin + TICK * 12, 0, true), [2].into());
        assert_eq!(doubt.pause(), Some(AFTER_UNDECIDED));
    }

    #[test]
    fn one_that_is_wrong_and_could_not_be_told_is_compared_again() {
        let mut doubt = Doubt::default();
        doubt.look(None, [2, 3].into());
        let told = concluded(Instant::now(), 1, false);
        doubt.look(told, [2, 3].into());
        assert_eq!(doubt.pause(), None);
        let at_large = told.map(|(at, it)| (at + TICK, Conclusion { at_large: 1, ..it }));
        doubt.look(at_large, [2].into());
        assert_eq!(doubt.pause(), Some(AFTER_UNDECIDED));
        doubt.look(at_large, [2, 3].into());
        assert_eq!(doubt.pause(), Some(AFTER_RETURN));
        doubt.look(
            concluded(Instant::now() + TICK * 2, 1, false),
            [2, 3].into(),
        );
        assert_eq!(doubt.pause(), None);
    }

    #[test]
    fn whoever_comes_back_may_decide_it() {
        let mut doubt = Doubt::default();
        doubt.look(None, [2].into());
        let ended = concluded(Instant::now(), 0, true);
        for in_sync in [[2].into(), [2].into(), BTreeSet::new()] {
            doubt.look(ended, in_sync);
            assert_eq!(doubt.pause(), Some(AFTER_UNDECIDED));
        }
        for _ in 0..2 {
            doubt.look(ended, [3].into());
            assert_eq!(doubt.pause(), Some(AFTER_RETURN));
        }
        // It did not.
        doubt.look(concluded(Instant::now() + TICK, 0, true), [3].into());
        assert_eq!(doubt.pause(), Some(AFTER_UNDECIDED * 2));
        // One that came back while the comparison ended may have been missed by it.
        doubt.look(concluded(Instant::now() + TICK * 2, 0, true), [2, 3].into());
        assert_eq!(doubt.pause(), Some(AFTER_RETURN));
        // Where everybody was compared, nobody's return tells anything new.
        let all = concluded(Instant::now() + TICK * 3, 0, true).map(|(at, conclusion)| {
            let unanswered = 0;
            (
                at,
                Conclusion {
                    unanswered,
                    ..conclusion
                },
            )
        });
        for in_sync in [vec![], vec![2, 3]] {
            doubt.look(all, in_sync.into_iter().collect());
            assert_eq!(doubt.pause(), Some(AFTER_UNDECIDED * 8));
        }
    }
}

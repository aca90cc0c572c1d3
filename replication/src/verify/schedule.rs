//! The leader compares the tables by itself, from time to time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{VerificationState, Verifier};
use crate::consensus;
use crate::running::Running;
use crate::status::Role;

/// The first comparison after the start of a replica that leads, unless the interval is shorter: late enough for a
/// cluster that was just started to have calmed down, early enough to find what happened while it was down.
const FIRST: Duration = Duration::from_secs(300);
/// A comparison that did not reach every replica is repeated after this, unless the interval is shorter.
const AFTER_INCOMPLETE: Duration = Duration::from_secs(3_600);
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
    loop {
        tokio::time::sleep(TICK.min(interval / 10)).await;
        let leads = consensus::view(&running.raft).role == Role::Leader;
        if !leads || running.alarm.quarantine().is_some() {
            continue;
        }
        let due = match (retry_at, running.verifier.concluded()) {
            (Some(at), _) => Instant::now() >= at,
            (None, Some((at, _))) => at.elapsed() >= spread(interval),
            (None, None) => started.elapsed() >= spread(interval.min(FIRST)),
        };
        if !due {
            continue;
        }
        let begun = Verifier::begin(&running);
        let ended = running.verifier.ended(begun.id).await;
        let state = ended.map_or(VerificationState::Incomplete, |ended| ended.state);
        retry_at = (state == VerificationState::Incomplete)
            .then(|| Instant::now() + spread(interval.min(AFTER_INCOMPLETE)));
    }
}

fn fresh_number() -> u16 {
    let [a, b, ..] = *uuid::Uuid::new_v4().as_bytes();
    u16::from_be_bytes([a, b])
}

//! Who has a vote and should not lead: a leader answers for the rows.
//!
//! One that is quarantined: its log is right, only its database is wrong. So it votes, and its ACKs count for what is
//! committed; to be without it as well would leave a cluster of three one failure from standing still. And one whose database
//! does not take what is committed, as one that is down or hangs: its clients would wait for answers for as long as it leads,
//! while the others have them.

use std::sync::Arc;
use std::time::Instant;

use crate::consensus;
use crate::handover::{self, UnderWay};
use crate::running::Running;
use crate::status::Role;

/// Election timeouts without a leader after which such a replica stands all the same: the others may lack the newest
/// entries, which it has, and nobody can lead without those. It hands over once another has them.
const LEADERLESS: u32 = 8;
/// Election timeouts that entries may take to be applied.
const STUCK: u32 = 2;

/// True for a replica that should not lead now.
pub(crate) fn is_due(running: &Running) -> bool {
    running.alarm.quarantine().is_some() || is_stuck(running)
}

fn is_stuck(running: &Running) -> bool {
    let longest = running.config.election_timeout * STUCK;
    let applying = running.machine.applying_since();
    applying.is_some_and(|since| since.elapsed() > longest)
}

/// Keeps this replica from leading while it should not. Never ends.
pub(crate) async fn abstain(running: Arc<Running>) {
    let pause = running.config.election_timeout / 4;
    let mut led_at = Instant::now();
    let mut abstains = false;
    loop {
        tokio::time::sleep(pause).await;
        let view = consensus::view(&running.raft);
        if view.leader.is_some() {
            led_at = Instant::now();
        }
        if !is_due(&running) {
            if abstains {
                consensus::let_stand(&running.raft, true);
                abstains = false;
            }
            continue;
        }
        abstains = true;
        let must_stand = led_at.elapsed() > running.config.election_timeout * LEADERLESS;
        consensus::let_stand(&running.raft, must_stand);
        if view.role == Role::Leader {
            // What has been begun does not end before the database takes it.
            let under_way = match is_stuck(&running) {
                true => UnderWay::Leave,
                false => UnderWay::Finish,
            };
            handover::hand_over(&running, under_way).await;
            running.group.resume();
        }
    }
}

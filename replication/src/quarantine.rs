//! What a quarantined replica still does: its log is right, only its database is wrong. So it votes, and its ACKs count for
//! what is committed; to be without it as well would leave a cluster of three one failure from standing still. It does not
//! lead: a leader answers for the rows.

use std::sync::Arc;
use std::time::Instant;

use crate::consensus;
use crate::handover;
use crate::running::Running;
use crate::status::Role;

/// Election timeouts without a leader after which a quarantined replica stands all the same: the others may lack the
/// newest entries, which it has, and nobody can lead without those. It hands over once another has them.
const LEADERLESS: u32 = 8;

/// Keeps this replica from leading from the moment that it is quarantined. Never ends.
pub(crate) async fn abstain(running: Arc<Running>) {
    running.alarm.raised().await;
    let pause = running.config.election_timeout / 4;
    let mut led_at = Instant::now();
    loop {
        let view = consensus::view(&running.raft);
        if view.leader.is_some() {
            led_at = Instant::now();
        }
        let must_stand = led_at.elapsed() > running.config.election_timeout * LEADERLESS;
        consensus::let_stand(&running.raft, must_stand);
        if view.role == Role::Leader {
            handover::hand_over(&running).await;
        }
        tokio::time::sleep(pause).await;
    }
}

//! Keeps a running replica in step with the membership: whom it can call, whose reports it follows, whom it shows and
//! measures. Replicas that are added or removed at run time come and go here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use crate::config::REPORT_INTERVAL;
use crate::consensus::{self, Members};
use crate::follow;
use crate::running::Running;

/// Everybody in the membership, and this replica itself; before there is a membership, those of the flags.
pub(crate) fn ids(running: &Running) -> Vec<u64> {
    let members = consensus::membership(&running.raft);
    known(running, &members).into_iter().collect()
}

fn known(running: &Running, members: &Members) -> BTreeSet<u64> {
    let own = [running.config.id];
    if members.nodes.is_empty() {
        let flags = running.config.peers.iter().map(|peer| peer.id);
        flags.chain(own).collect()
    } else {
        members.nodes.keys().copied().chain(own).collect()
    }
}

/// Follows the membership for as long as this replica runs.
pub(crate) async fn keep(running: Arc<Running>) {
    let silence = running.config.in_sync_timeout.max(REPORT_INTERVAL * 5);
    let mut followed: BTreeMap<u64, AbortOnDropHandle<()>> = BTreeMap::new();
    let mut members = consensus::membership(&running.raft);
    loop {
        running.wire.directory().follow(&members.nodes);
        let known = known(&running, &members);
        let calls = &running.wire.metrics().peer_calls;
        let others = running.wire.others();
        calls.know(others.iter().copied());
        calls.forget_all_but(&others);
        followed.retain(|id, _| {
            let stays = known.contains(id);
            if !stays {
                running.board.forget(*id);
                running.alarm.forget(*id);
            }
            stays
        });
        for peer in known.into_iter().filter(|id| *id != running.config.id) {
            followed.entry(peer).or_insert_with(|| {
                let running = running.clone();
                AbortOnDropHandle::new(tokio::spawn(async move {
                    follow::follow(&running.wire, peer, silence, &*running).await;
                }))
            });
        }
        members = consensus::membership_after(&running.raft, &members).await;
    }
}

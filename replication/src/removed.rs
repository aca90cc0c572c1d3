//! How a replica finds out that it was removed while it was away. It holds what it always had, and believes that it has a
//! vote; nobody sends it anything any more. So where it hears no leader, it asks the others. It must not go on: it would
//! serve what is old, and ask again and again to be elected.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;

use crate::consensus::{self, Members};
use crate::departure;
use crate::formation::{self, HelloAnswer};
use crate::replica::Fault;
use crate::running::Running;
use crate::status::Role;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Watches for as long as this replica runs; ends it where it was removed.
pub(crate) async fn watch(running: Arc<Running>, fault: watch::Sender<Option<Fault>>) {
    loop {
        let view = consensus::view(&running.raft);
        let hears = view
            .leader
            .is_some_and(|leader| running.board.hears(leader));
        if view.role != Role::Leader && !hears && is_removed(&running).await {
            fault.send_replace(Some(departure::left(&running)));
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn is_removed(running: &Running) -> bool {
    let others = running.wire.others().into_iter();
    let answers = join_all(others.map(|peer| formation::hello(&running.wire, peer))).await;
    let own = consensus::membership(&running.raft);
    let cluster_id = Some(running.identity.cluster_id);
    let mut answers = answers.into_iter().flatten();
    answers
        .any(|answer| answer.cluster_id == cluster_id && excludes(&answer, &own, running.config.id))
}

/// True where a membership that is there to stay, and later than the one in which this replica was, has it no longer.
fn excludes(answer: &HelloAnswer, own: &Members, own_id: u64) -> bool {
    let later = answer.settled_at.is_some() && answer.settled_at > own.at;
    let without = answer
        .members
        .as_ref()
        .is_some_and(|members| !members.contains(&own_id));
    own.nodes.contains_key(&own_id) && later && without
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consensus::Node;
    use crate::format::Formats;

    fn members(ids: &[u64], at: u64) -> Members {
        Members {
            nodes: ids.iter().map(|id| (*id, Node::default())).collect(),
            at: Some(at),
            applied: true,
        }
    }

    fn answer(ids: &[u64], settled_at: Option<u64>) -> HelloAnswer {
        HelloAnswer {
            cluster_id: None,
            at_work: true,
            members: Some(ids.to_vec()),
            voters: None,
            settled_at,
            formats: Formats::default(),
        }
    }

    #[test]
    fn only_a_later_membership_that_is_there_to_stay_excludes() {
        let own = members(&[1, 2, 3], 5);
        assert!(excludes(&answer(&[1, 2], Some(6)), &own, 3));
        assert!(!excludes(&answer(&[1, 2, 3], Some(6)), &own, 3));
        assert!(!excludes(&answer(&[1, 2], Some(5)), &own, 3), "it is older");
        assert!(
            !excludes(&answer(&[1, 2], None), &own, 3),
            "it may be taken back"
        );
        // One that was never in it yet is on its way in.
        assert!(!excludes(
            &answer(&[1, 2], Some(6)),
            &members(&[1, 2], 4),
            3
        ));
    }
}

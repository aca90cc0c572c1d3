//! One question to one replica.

use std::sync::Arc;
use std::time::Duration;

use super::message::{Answer, Asked};
use super::serve;
use crate::peer::{PeerError, PeerFault, PeerMethod, decode, encode};
use crate::running::Running;

/// Why a replica did not answer.
pub(super) enum Unanswered {
    /// It could not be reached.
    Unreachable(String),
    /// It is not the leader.
    NotLeader,
    /// It will not, or cannot.
    Refused(String),
}

/// Asks a replica, which may be this one. What it refuses is [`Unanswered::Refused`].
pub(super) async fn ask(
    running: &Arc<Running>,
    to: u64,
    asked: &Asked,
    timeout: Duration,
) -> Result<Answer, Unanswered> {
    let answer = if to == running.config.id {
        match tokio::time::timeout(timeout, serve(running, asked.clone())).await {
            Ok(answer) => answer.map_err(of_fault)?,
            Err(_elapsed) => return Err(Unanswered::Unreachable("no answer in time".into())),
        }
    } else {
        let call = running
            .wire
            .call(to, None, PeerMethod::Verify, encode(asked), timeout);
        let bytes = call.await.map_err(of_peer)?;
        decode(&bytes).map_err(of_fault)?
    };
    match answer {
        Answer::Refused(reason) => Err(Unanswered::Refused(reason)),
        answer => Ok(answer),
    }
}

fn of_peer(error: PeerError) -> Unanswered {
    match error {
        PeerError::Refused { fault, .. } => of_fault(fault),
        // A field that the schema of an earlier version does not have is left out of its answer.
        PeerError::Unreachable { peer, reason } if reason.contains("its answer is empty") => {
            Unanswered::Refused(format!(
                "replica {peer} runs an earlier version that cannot compare its tables; upgrade it first"
            ))
        }
        other => Unanswered::Unreachable(other.to_string()),
    }
}

fn of_fault(fault: PeerFault) -> Unanswered {
    match fault {
        PeerFault::NotLeader(..) => Unanswered::NotLeader,
        other => Unanswered::Refused(other.to_string()),
    }
}

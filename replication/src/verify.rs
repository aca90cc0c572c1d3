//! Are the tables of all replicas the same? Compared row by row, at one position of the log.
//!
//! The history's hash (`alarm.rs`) tells whether replicas have done the same; this tells whether they hold the same. The
//! leader puts a *checkpoint* into the log, an entry without proposals. Whoever applies it opens a read transaction on
//! exactly that state ([`examination`]) and computes [`digest`]s from it in the background. The replica that was asked
//! collects them ([`round`]), tells who is wrong ([`judgement`]), shows the evidence to whoever that is, which looks at
//! its own digest and serves no more, and names the rows. The leader does the same by itself from time to time
//! ([`schedule`]).

mod ask;
mod digest;
mod examination;
mod judgement;
mod message;
mod report;
mod round;
pub(crate) mod schedule;
mod table;
mod under_way;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::watch;
use uuid::Uuid;

pub(crate) use self::examination::Examiner;
use self::examination::Look;
pub(crate) use self::message::Conclusion;
use self::message::{Answer, Asked};
pub use self::report::{
    RowDifference, RowVersion, TablesState, Verification, VerificationState, VerifiedReplica,
};
use self::under_way::UnderWay;
use crate::consensus::{self, WriteFault};
use crate::peer::{PeerFault, encode};
use crate::proposal::Batch;
use crate::running::{Running, lock};
use crate::status::Role;

/// Longest wait of the leader for its checkpoint to be applied.
const CHECKPOINT_TIMEOUT: Duration = Duration::from_secs(5);

/// The comparisons that this replica has begun, of which the last is kept.
pub(crate) struct Verifier {
    last: watch::Sender<Option<Verification>>,
    /// What the last comparison of all, whoever began it, came to here.
    concluded: Mutex<Option<(Instant, Conclusion)>>,
}

impl Verifier {
    pub(crate) fn new() -> Self {
        Self {
            last: watch::Sender::new(None),
            concluded: Mutex::default(),
        }
    }

    /// The last comparison that this replica has begun.
    pub(crate) fn last(&self) -> Option<Verification> {
        self.last.borrow().clone()
    }

    /// What the last comparison that this replica took part in came to, and when.
    pub(crate) fn concluded(&self) -> Option<(Instant, Conclusion)> {
        *lock(&self.concluded)
    }

    /// Begins a comparison; where one is under way here, that is it.
    pub(crate) fn begin(running: &Arc<Running>) -> Verification {
        let members = consensus::view(&running.raft).members;
        let (verification, under_way) = UnderWay::begin(&running.verifier.last, members);
        if let Some(under_way) = under_way {
            let round = round::run(running.clone(), verification.clone(), under_way);
            tokio::spawn(round);
        }
        verification
    }

    /// Resolves with the comparison's end.
    pub(crate) async fn ended(&self, id: Uuid) -> Option<Verification> {
        let mut last = self.last.subscribe();
        let ended = last.wait_for(|last| {
            last.as_ref()
                .is_none_or(|last| last.id != id || last.state != VerificationState::Running)
        });
        ended.await.ok()?.clone().filter(|last| last.id == id)
    }
}

/// Answers another replica's question, or this one's own.
pub(crate) async fn serve(running: &Running, asked: Asked) -> Result<Answer, PeerFault> {
    let examiner = &running.examiner;
    Ok(match asked {
        Asked::Begin { checkpoint } => begin(running, checkpoint).await?,
        Asked::Progress { checkpoint } => match examiner.of(checkpoint) {
            Some(examination) => examination.progress(),
            None => Answer::NotReached {
                applied_index: running.applied.borrow().index,
            },
        },
        Asked::Rows {
            checkpoint,
            table,
            bucket,
        } => {
            let look = Look {
                table,
                bucket,
                keys: None,
            };
            look_at(examiner, checkpoint, look).await
        }
        Asked::Versions {
            checkpoint,
            table,
            bucket,
            keys,
        } => {
            let look = Look {
                table,
                bucket,
                keys: Some(keys.into_iter().collect()),
            };
            look_at(examiner, checkpoint, look).await
        }
        Asked::Accuse(evidence) => {
            let examination = examiner.of(evidence.checkpoint);
            let Some(digest) = examination.and_then(|examination| examination.digest()) else {
                return Ok(Answer::Refused(
                    "this replica has no digest of its own to compare with".to_owned(),
                ));
            };
            let members = consensus::view(&running.raft).members;
            match evidence.weigh(running.config.id, &digest, &members) {
                Ok(reason) => {
                    running.alarm.raise(reason);
                    Answer::Done
                }
                Err(reason) => Answer::Refused(reason),
            }
        }
        Asked::Release {
            checkpoint,
            conclusion,
        } => {
            examiner.release(checkpoint);
            *lock(&running.verifier.concluded) = Some((Instant::now(), conclusion));
            running.wire.metrics().verifications.concluded(&conclusion);
            Answer::Done
        }
    })
}

/// Answers [`serve`] to a peer.
pub(crate) async fn serve_peer(running: &Running, payload: &[u8]) -> Result<Bytes, PeerFault> {
    let answer = serve(running, crate::peer::decode(payload)?).await?;
    Ok(encode(&answer))
}

/// The leader puts a checkpoint into the log.
async fn begin(running: &Running, checkpoint: Uuid) -> Result<Answer, PeerFault> {
    let view = consensus::view(&running.raft);
    let not_leader = || PeerFault::NotLeader(running.config.id, view.leader);
    if view.role != Role::Leader {
        return Err(not_leader());
    }
    if running.examiner.is_at_work() {
        return Ok(Answer::Refused(
            "another comparison is under way; try again when it has ended".to_owned(),
        ));
    }
    let batch = Batch::checkpoint(checkpoint);
    match consensus::write(&running.raft, batch, CHECKPOINT_TIMEOUT).await {
        Ok((log_id, _)) => Ok(Answer::Begun {
            index: log_id.index,
        }),
        Err(WriteFault::NotLeader) => Err(not_leader()),
        Err(WriteFault::InDoubt) => Ok(Answer::Refused(
            "the log did not take the checkpoint in time; try again".to_owned(),
        )),
        Err(WriteFault::Stopped(reason)) => Ok(Answer::Refused(reason)),
    }
}

async fn look_at(examiner: &Examiner, checkpoint: Uuid, look: Look) -> Answer {
    match examiner.of(checkpoint) {
        Some(examination) => examination.look(look).await,
        None => Answer::Refused("another comparison has begun".to_owned()),
    }
}

//! Answers to other replicas' calls.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::BoxStream;
use uuid::Uuid;

use crate::consensus::{self, Node, Rpc, SnapshotChunk};
use crate::format::{self, Formats};
use crate::formation::HelloAnswer;
use crate::forward::{ForwardedAnswers, ForwardedFault, ForwardedProposals};
use crate::group_commit::Waiting;
use crate::handover;
use crate::membership;
use crate::peer::{Envelope, PeerFault, PeerMethod, ServiceFault, decode, encode};
use crate::proposal::Proposal;
use crate::receiver::Taken;
use crate::replica::{Fault, Replica};
use crate::running::Running;
use crate::status::Role;
use crate::trace::TraceContext;
use crate::verify;

/// Longest time until whoever sends a snapshot hears that it is still being installed.
const INSTALL_ANSWER: Duration = Duration::from_secs(3);

impl Replica {
    /// Answers a peer's call, in the format that the call is of. The caller has checked the cluster secret.
    ///
    /// # Errors
    /// A call that is not for this replica, not for its cluster, unreadable, or cannot be served now.
    pub async fn serve_peer(
        &self,
        method: PeerMethod,
        envelope: Envelope,
    ) -> Result<Bytes, PeerFault> {
        self.check_target(&envelope)?;
        match method {
            PeerMethod::Hello => return self.hello().await,
            PeerMethod::Found => return self.founded(&envelope).await,
            _ => {}
        }
        let running = self.check_cluster(&envelope)?;
        let payload = &envelope.payload;
        match method {
            PeerMethod::AppendEntries => {
                consensus::serve(&running.raft, Rpc::AppendEntries, payload).await
            }
            PeerMethod::Vote => consensus::serve(&running.raft, Rpc::Vote, payload).await,
            PeerMethod::InstallSnapshot => install(running, decode(payload)?).await,
            PeerMethod::Propose => propose(running, decode(payload)?).await,
            PeerMethod::ReadIndex => read_index(running).await,
            PeerMethod::TakeOver => handover::take_over(running).await,
            PeerMethod::Members
            | PeerMethod::Add
            | PeerMethod::Promote
            | PeerMethod::Remove
            | PeerMethod::Replace => membership::serve(running, decode(payload)?).await,
            PeerMethod::Dismiss => self.dismissed(running, &envelope),
            PeerMethod::Verify => verify::serve_peer(running, payload).await,
            PeerMethod::Hello | PeerMethod::Found => Ok(Bytes::new()),
        }
    }

    /// This replica's reports of itself, encoded, for a peer that follows them: at every change, and at least every
    /// [`REPORT_INTERVAL`](crate::config::REPORT_INTERVAL).
    ///
    /// # Errors
    /// A call that is not for this replica or not for its cluster.
    pub fn reports(&self, envelope: &Envelope) -> Result<BoxStream<'static, Bytes>, PeerFault> {
        self.check_target(envelope)?;
        let running = self.check_cluster(envelope)?.clone();
        // Empty from a version that did not say.
        if !envelope.payload.is_empty() {
            running
                .wire
                .heard_of(envelope.from, decode(&envelope.payload)?);
        }
        let peer = envelope.from;
        let reports = async_stream::stream! {
            let mut applied = running.applied.clone();
            let mut lost_leader = running.succession.subscribe();
            loop {
                applied.mark_unchanged();
                lost_leader.mark_unchanged();
                yield encode(&running.report());
                running.next_report(peer, &mut applied, &mut lost_leader).await;
            }
        };
        Ok(reports.take_until(self.stopping()).boxed())
    }

    fn check_target(&self, envelope: &Envelope) -> Result<(), PeerFault> {
        let readable = format::check(envelope.format, Formats::OWN.message);
        readable.map_err(|newer| PeerFault::Malformed(newer.to_string()))?;
        let actual = self.id();
        if envelope.to != actual {
            return Err(PeerFault::WrongReplica {
                expected: envelope.to,
                actual,
            });
        }
        match envelope.birth_mark {
            Some(meant) if meant != self.inner.birth_mark => Err(PeerFault::WrongBirth(actual)),
            _ => Ok(()),
        }
    }

    fn check_cluster(&self, envelope: &Envelope) -> Result<&std::sync::Arc<Running>, PeerFault> {
        let running = self.running();
        let actual = running.map(|running| running.identity.cluster_id);
        match running {
            Some(running) if envelope.cluster_id == actual => Ok(running),
            _ => Err(PeerFault::WrongCluster {
                expected: envelope.cluster_id,
                actual,
            }),
        }
    }

    async fn hello(&self) -> Result<Bytes, PeerFault> {
        let answer = match self.running() {
            None => HelloAnswer {
                birth_mark: Some(self.inner.birth_mark),
                formats: Formats::OWN,
                repeats: true,
                ..HelloAnswer::default()
            },
            Some(running) => {
                let at_work = running.at_work().await;
                let at_work = at_work.map_err(|e| ServiceFault::Unavailable(e.to_string()))?;
                let members = consensus::membership(&running.raft);
                HelloAnswer {
                    cluster_id: Some(running.identity.cluster_id),
                    at_work,
                    formats: Formats::OWN,
                    voters: Some(consensus::view(&running.raft).voters),
                    settled_at: members.at.filter(|_| members.applied),
                    birth_mark: Some(self.inner.birth_mark),
                    births: births(&members.nodes),
                    members: Some(members.nodes.into_keys().collect()),
                    repeats: true,
                }
            }
        };
        Ok(encode(&answer))
    }

    async fn founded(&self, envelope: &Envelope) -> Result<Bytes, PeerFault> {
        let Some(cluster_id) = envelope.cluster_id else {
            return Err(PeerFault::Malformed(
                "a founder names its cluster".to_owned(),
            ));
        };
        if self.running().is_none() {
            // To its end, also where the caller stops waiting.
            let replica = self.clone();
            let adopted = tokio::spawn(async move { replica.adopt(cluster_id).await });
            let adopted = adopted.await.unwrap_or_else(|e| Err(Fault(e.to_string())));
            adopted.map_err(|e| ServiceFault::Unavailable(e.to_string()))?;
        }
        self.check_cluster(envelope)?;
        Ok(encode(&Some(self.inner.birth_mark)))
    }
}

fn births(members: &BTreeMap<u64, Node>) -> BTreeMap<u64, Uuid> {
    let births = members.iter();
    births
        .filter_map(|(id, node)| Some((*id, node.birth_mark?)))
        .collect()
}

async fn install(running: &Running, chunk: SnapshotChunk) -> Result<Bytes, PeerFault> {
    let mut installed = match running.receiver.take(&chunk).await? {
        Taken::Part => return consensus::goes_on(),
        Taken::Again(installed) => installed,
        Taken::Whole(file, installed) => {
            failpoint!("snapshot.received");
            let (raft, known) = (running.raft.clone(), installed.subscribe());
            // To its end, also where the caller stops waiting: it asks again.
            tokio::spawn(async move {
                let answer = consensus::install(&raft, chunk.vote, file).await;
                installed.send_replace(Some(answer));
            });
            known
        }
    };
    let known = async {
        let answer = installed.wait_for(Option::is_some).await;
        answer.ok().and_then(|answer| answer.clone())
    };
    let answer = match chunk.asks_again {
        true => match tokio::time::timeout(INSTALL_ANSWER, known).await {
            Ok(answer) => answer,
            Err(_) => return consensus::goes_on(),
        },
        false => known.await,
    };
    answer.unwrap_or_else(|| {
        Err(ServiceFault::Unavailable("the snapshot was not installed".to_owned()).into())
    })
}

async fn propose(running: &Running, forwarded: ForwardedProposals) -> Result<Bytes, PeerFault> {
    let view = consensus::view(&running.raft);
    if view.role != Role::Leader {
        return Err(PeerFault::NotLeader(running.config.id, view.leader));
    }
    if let Some(reason) = running.alarm.quarantine() {
        return Err(ServiceFault::Unavailable(reason).into());
    }
    // What this replica cannot read must not reach the log, where it would stop every replica that cannot either.
    for (proposal, _) in &forwarded.proposals {
        decode::<Proposal>(proposal)?;
    }
    let traces = forwarded.traces.into_iter().chain(std::iter::repeat(None));
    let submitted = forwarded.proposals.into_iter().zip(traces);
    let submitted = submitted.map(|((proposal, acknowledgement), trace)| {
        running.group.submit(Waiting {
            proposal,
            acknowledgement,
            trace: trace.map(TraceContext::or_current),
        })
    });
    let answers = join_all(submitted).await;
    let answers = answers
        .into_iter()
        .map(|answer| answer.map_err(ForwardedFault::from))
        .collect();
    Ok(encode(&ForwardedAnswers { answers }))
}

async fn read_index(running: &Running) -> Result<Bytes, PeerFault> {
    let view = consensus::view(&running.raft);
    if view.role != Role::Leader {
        return Err(PeerFault::NotLeader(running.config.id, view.leader));
    }
    let index = running.barrier.read_index().await;
    index
        .map(|index| encode(&index))
        .map_err(|_| ServiceFault::Unavailable("too many reads wait".to_owned()).into())
}

//! The only part of Threefold that knows openraft: what is above speaks of proposals, log positions and roles.

mod append;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod extent;
#[cfg(any(test, feature = "conformance"))]
pub mod fixtures;
pub(crate) mod log_disk;
pub(crate) mod log_store;
mod network;
mod offline;
pub(crate) mod snapshot;
pub(crate) mod state_machine;
pub(crate) mod types;

pub(crate) use extent::{LogExtent, compact, log_extent};
pub(crate) use log_disk::LogDisk;
pub(crate) use log_store::{LogSize, LogStore};
pub(crate) use network::{NetworkFactory, SnapshotChunk};
pub(crate) use offline::{make_only_voter, stored_position};
pub(crate) use state_machine::StateMachine;
pub(crate) use types::{LogId, Node, Raft, Vote, Wanted};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use openraft::error::{ClientWriteError, InitializeError, RaftError};
use openraft::raft::{AppendEntriesRequest, SnapshotResponse};
use openraft::storage::RaftLogStorage;
use openraft::{
    ChangeMembers, Config as RaftConfig, EntryPayload, ServerState, Snapshot, SnapshotPolicy,
};
use serde::Serialize;
use uuid::Uuid;

use self::snapshot::{SnapshotData, SnapshotFile};
use self::types::{Entry, TypeConfig};
use crate::config::Config;
use crate::outcome::Outcome;
use crate::peer::{PeerAddress, PeerFault, ServiceFault, decode, encode};
use crate::proposal::Batch;
use crate::status::Role;

/// Why a batch was not carried out by this replica.
#[derive(Debug)]
pub(crate) enum WriteFault {
    /// This replica does not lead; certain that nothing was written.
    NotLeader,
    /// No answer in time: it may still be carried out.
    InDoubt,
    /// The engine has stopped.
    Stopped(String),
}

/// Settings of the consensus engine. Heartbeats go out at a third of the election timeout, which is also how long
/// one AppendEntries may take.
pub(crate) fn raft_config(config: &Config) -> Result<Arc<RaftConfig>, String> {
    let election = u64::try_from(config.election_timeout.as_millis()).unwrap_or(u64::MAX);
    let raft = RaftConfig {
        cluster_name: "threefold".to_owned(),
        heartbeat_interval: election / 3,
        election_timeout_min: election,
        election_timeout_max: election * 2,
        install_snapshot_timeout: 60_000,
        max_payload_entries: 64,
        replication_lag_threshold: config.compact_after_entries,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(config.compact_after_entries),
        // `compaction.rs` cuts it.
        max_in_snapshot_log_to_keep: u64::MAX,
        ..RaftConfig::default()
    };
    #[cfg(feature = "simulation")]
    let raft = drawn(raft);
    raft.validate().map(Arc::new).map_err(|e| e.to_string())
}

/// The engine draws its election timeout once, from random numbers that the simulation does not rule: this draws it before.
#[cfg(feature = "simulation")]
fn drawn(mut raft: RaftConfig) -> RaftConfig {
    let drawn = uuid::Uuid::new_v4().as_u64_pair().1 % raft.election_timeout_min;
    raft.election_timeout_min += drawn;
    raft.election_timeout_max = raft.election_timeout_min + 1;
    raft
}

/// Appends a batch to the log and waits until it is applied here.
pub(crate) async fn write(
    raft: &Raft,
    batch: Batch,
    timeout: Duration,
) -> Result<(LogId, Vec<Option<Outcome>>), WriteFault> {
    let led = view(raft);
    if led.role != Role::Leader {
        return Err(WriteFault::NotLeader);
    }
    let answer = tokio::select! {
        answer = tokio::time::timeout(timeout, raft.client_write(batch)) => answer,
        // The engine does not answer what a deposed leader had in its log until that is overwritten.
        () = superseded(raft, led.leader, led.term) => return Err(WriteFault::InDoubt),
    };
    match answer {
        Ok(Ok(response)) => Ok((response.log_id, response.data.0)),
        // Also the answer to an entry that was in the log, and overwritten: another holder of it may still win.
        Ok(Err(RaftError::APIError(ClientWriteError::ForwardToLeader(_)))) => {
            Err(WriteFault::InDoubt)
        }
        Ok(Err(RaftError::APIError(ClientWriteError::ChangeMembershipError(e)))) => {
            Err(WriteFault::Stopped(e.to_string()))
        }
        Ok(Err(RaftError::Fatal(fatal))) => Err(WriteFault::Stopped(fatal.to_string())),
        Err(_elapsed) => Err(WriteFault::InDoubt),
    }
}

/// Resolves when another leader than the given one is known, or another term has begun.
pub(crate) async fn superseded(raft: &Raft, leader: Option<u64>, term: u64) {
    let mut metrics = raft.server_metrics();
    let changed = metrics.wait_for(|metrics| {
        let another = metrics
            .current_leader
            .is_some_and(|now| Some(now) != leader);
        another || metrics.vote.leader_id().get_term() > term
    });
    if changed.await.is_err() {
        // The engine has stopped; its callers are answered otherwise.
        std::future::pending::<()>().await;
    }
}

/// Asks the others to elect this replica.
pub(crate) async fn elect(raft: &Raft) -> Result<(), PeerFault> {
    let asked = raft.trigger().elect().await;
    asked.map_err(|fatal| ServiceFault::Unavailable(fatal.to_string()).into())
}

/// Lets this replica stand for election when it misses its leader, or keeps it from that. It votes for others either way.
pub(crate) fn let_stand(raft: &Raft, may: bool) {
    raft.runtime_config().elect(may);
}

/// Resolves when this replica leads; never where the engine stops before.
pub(crate) async fn leading(raft: &Raft) {
    let mut metrics = raft.server_metrics();
    let leads = metrics.wait_for(|metrics| metrics.state == ServerState::Leader);
    if leads.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// True once the engine has a membership. Asks the engine itself: its metrics are blank for a moment after the start.
pub(crate) async fn at_work(raft: &Raft) -> Result<bool, String> {
    raft.is_initialized().await.map_err(|e| e.to_string())
}

/// Has a replica that led when it stopped stand for election again, before its engine starts. The engine would go on leading
/// in the old term, and take the first entry of that term for what reads must have seen, with what it knows to be committed:
/// that is not flushed, and may lack what was answered before the crash.
pub(crate) async fn resign(log: &LogStore, id: u64) -> std::io::Result<()> {
    let mut log = log.clone();
    let vote = log.read_vote().await.map_err(std::io::Error::other)?;
    let Some(mut vote) = vote.filter(|vote| vote.committed && vote.leader_id.node_id == id) else {
        return Ok(());
    };
    vote.committed = false;
    log.save_vote(&vote).await.map_err(std::io::Error::other)
}

/// Confirms this replica's leadership with a majority, and returns the log position that a read must have seen.
pub(crate) async fn read_index(raft: &Raft, timeout: Duration) -> Option<Option<u64>> {
    let answer = tokio::time::timeout(timeout, raft.get_read_log_id()).await;
    let (read_log_id, _applied) = answer.ok()?.ok()?;
    Some(read_log_id.map(|log_id| log_id.index))
}

/// Gives a new cluster its members; harmless if it has some.
pub(crate) async fn initialize(
    raft: &Raft,
    peers: &[PeerAddress],
    births: &BTreeMap<u64, Uuid>,
) -> Result<(), String> {
    let node = |peer: &PeerAddress| {
        (
            peer.id,
            Node {
                peer_url: peer.url.clone(),
                birth_mark: births.get(&peer.id).copied(),
                ..Node::default()
            },
        )
    };
    let members: BTreeMap<u64, Node> = peers.iter().map(node).collect();
    match raft.initialize(members).await {
        Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Longest wait for a change of the membership: two log entries.
const MEMBERSHIP_TIMEOUT: Duration = Duration::from_secs(10);

/// A change of the membership, on the leader. One that is interrupted is finished by [`Membership::Settle`].
#[derive(Clone, Debug)]
pub(crate) enum Membership {
    /// Send everything to a replica, which does not vote yet.
    AddLearner(u64, Node),
    /// Note what is wanted of a replica that is in it already.
    Want(u64, Wanted),
    /// Let a replica that has everything vote.
    Promote(u64),
    /// Let a replica that has everything vote, and another one no longer, in one step. That one follows on.
    Swap { joins: u64, leaves: u64 },
    /// Take a replica's vote. It follows on.
    Demote(u64),
    /// Leave a replica out.
    Remove(u64),
    /// Finish a change that was left half done: the last set of voters is the one that was wanted.
    Settle,
}

/// Changes the membership. Goes on in the background where the caller stops waiting, so that it is not left half done for that.
pub(crate) async fn change_membership(raft: &Raft, change: Membership) -> Result<(), String> {
    failpoint!("membership.begin");
    if let Membership::Want(id, _) = &change
        && !membership(raft).nodes.contains_key(id)
    {
        return Err(format!("replica {id} has left the membership"));
    }
    let raft = raft.clone();
    let changed = tokio::spawn(tokio::time::timeout(MEMBERSHIP_TIMEOUT, async move {
        let view = view(&raft);
        let follows_on = matches!(change, Membership::Swap { .. } | Membership::Demote(_));
        let change = match change {
            Membership::AddLearner(id, node) => ChangeMembers::AddNodes([(id, node)].into()),
            Membership::Want(id, wanted) => {
                let node = membership(&raft).nodes.remove(&id).unwrap_or_default();
                let node = Node {
                    wanted: Some(wanted),
                    ..node
                };
                ChangeMembers::SetNodes([(id, node)].into())
            }
            Membership::Promote(id) => ChangeMembers::AddVoterIds([id].into()),
            Membership::Swap { joins, leaves } => {
                let stay = view.voters.iter().copied().filter(|id| *id != leaves);
                ChangeMembers::ReplaceAllVoters(stay.chain([joins]).collect())
            }
            Membership::Demote(id) => ChangeMembers::RemoveVoters([id].into()),
            Membership::Remove(id) if view.voters.contains(&id) => {
                ChangeMembers::RemoveVoters([id].into())
            }
            Membership::Remove(id) => ChangeMembers::RemoveNodes([id].into()),
            Membership::Settle => {
                let wanted = view.quorums.last().into_iter().flatten().copied();
                ChangeMembers::ReplaceAllVoters(wanted.collect())
            }
        };
        let changed = raft.change_membership(change, follows_on).await?;
        // The engine answers before its metrics say so, and what comes next is judged by these.
        let mut metrics = raft.metrics();
        let shown =
            metrics.wait_for(|metrics| *metrics.membership_config.log_id() >= Some(changed.log_id));
        let _stopping = shown.await;
        Ok::<_, RaftError<u64, ClientWriteError<u64, Node>>>(())
    }));
    let changed = changed.await;
    failpoint!("membership.done");
    match changed {
        Ok(Ok(changed)) => changed.map_err(|e| e.to_string()),
        Ok(Err(_elapsed)) => Err("a majority did not confirm it in time".to_owned()),
        Err(_stopped) => Err("the replica is stopping".to_owned()),
    }
}

/// Answers a leader's AppendEntries or a candidate's RequestVote. The result is the ACK.
pub(crate) async fn serve(raft: &Raft, rpc: Rpc, payload: &[u8]) -> Result<Bytes, PeerFault> {
    match rpc {
        Rpc::AppendEntries => {
            let request: AppendEntriesRequest<TypeConfig> = decode(payload)?;
            append::may_take(&request).map_err(|unsound| {
                tracing::error!(sender = %request.vote, "entries are refused: {unsound}");
                PeerFault::Malformed(unsound.to_string())
            })?;
            readable(&request.entries)?;
            answer(raft.append_entries(request).await)
        }
        Rpc::Vote => answer(raft.vote(decode(payload)?).await),
    }
}

/// Refuses entries that this version could not apply: it would stop at them, and its acknowledgement would have counted.
fn readable(entries: &[Entry]) -> Result<(), PeerFault> {
    for entry in entries {
        if let EntryPayload::Normal(batch) = &entry.payload
            && let Err(newer) = batch.check()
        {
            let index = entry.log_id.index;
            tracing::error!(index, error = %newer, "log entry {index} is refused");
            return Err(PeerFault::Malformed(format!("log entry {index}: {newer}")));
        }
    }
    Ok(())
}

/// Calls between consensus engines that fit one message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rpc {
    /// Store these log entries.
    AppendEntries,
    /// Elect me.
    Vote,
}

/// The answer to a part of a snapshot: the transfer goes on.
pub(crate) fn goes_on() -> Result<Bytes, PeerFault> {
    Ok(encode(&None::<SnapshotResponse<u64>>))
}

/// Installs a snapshot that has arrived whole, for the leader that `vote` names.
pub(crate) async fn install(
    raft: &Raft,
    vote: types::Vote,
    file: SnapshotFile,
) -> Result<Bytes, PeerFault> {
    let header =
        snapshot::verify(file.path()).map_err(|e| ServiceFault::Unavailable(e.to_string()))?;
    tracing::info!(revision = %header.revision, "installing a snapshot");
    let snapshot = Snapshot {
        meta: header.meta(),
        snapshot: Box::new(SnapshotData::File(file)),
    };
    answer(raft.install_full_snapshot(vote, snapshot).await.map(Some))
}

fn answer<T: Serialize, E: std::fmt::Display>(result: Result<T, E>) -> Result<Bytes, PeerFault> {
    let response = result.map_err(|error| ServiceFault::Unavailable(error.to_string()))?;
    Ok(encode(&response))
}

/// What the engine says of itself at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RaftView {
    pub(crate) role: Role,
    pub(crate) term: u64,
    pub(crate) leader: Option<u64>,
    pub(crate) voters: Vec<u64>,
    /// The sets of voters of which each has to agree: one, or two while the membership changes.
    pub(crate) quorums: Vec<Vec<u64>>,
    /// Everybody in the membership, with a vote or without.
    pub(crate) members: Vec<u64>,
    /// The last entry in this replica's log.
    pub(crate) last_log: Option<u64>,
    /// On the leader: the last log index stored on each replica.
    pub(crate) matched: BTreeMap<u64, u64>,
    /// On the leader: how long ago a majority answered it last; none if it never has.
    pub(crate) majority_heard: Option<Duration>,
    /// Set when the engine has stopped for good.
    pub(crate) fatal: Option<String>,
}

/// The engine's metrics in this crate's words.
pub(crate) fn view(raft: &Raft) -> RaftView {
    let metrics = raft.metrics();
    let metrics = metrics.borrow();
    let role = match metrics.state {
        ServerState::Leader => Role::Leader,
        ServerState::Candidate => Role::Candidate,
        ServerState::Learner => Role::Learner,
        ServerState::Follower | ServerState::Shutdown => Role::Follower,
    };
    let replication = metrics.replication.iter().flatten();
    RaftView {
        role,
        term: metrics.current_term,
        leader: metrics.current_leader,
        last_log: metrics.last_log_index,
        voters: metrics.membership_config.membership().voter_ids().collect(),
        quorums: metrics
            .membership_config
            .membership()
            .get_joint_config()
            .iter()
            .map(|voters| voters.iter().copied().collect())
            .collect(),
        members: metrics
            .membership_config
            .membership()
            .nodes()
            .map(|(id, _)| *id)
            .collect(),
        matched: replication
            .filter_map(|(id, log_id)| Some((*id, log_id.as_ref()?.index)))
            .collect(),
        majority_heard: metrics.millis_since_quorum_ack.map(Duration::from_millis),
        fatal: metrics
            .running_state
            .as_ref()
            .err()
            .map(ToString::to_string),
    }
}

/// A log entry, as the simulation looks at it.
#[cfg(feature = "simulation")]
pub(crate) struct EntryView {
    /// Term and id of the leader that made it.
    pub(crate) leader: (u64, u64),
    pub(crate) index: u64,
    /// The keys of its proposals, in order.
    pub(crate) keys: Vec<uuid::Uuid>,
}

/// Reads an encoded log entry.
#[cfg(feature = "simulation")]
pub(crate) fn view_entry(bytes: &[u8]) -> Option<EntryView> {
    let entry: types::Entry = decode(bytes).ok()?;
    let keys = match &entry.payload {
        openraft::EntryPayload::Normal(batch) => {
            let proposals = batch.decode().ok()?;
            proposals.iter().map(|proposal| proposal.key).collect()
        }
        _ => Vec::new(),
    };
    let made_by = entry.log_id.leader_id;
    Some(EntryView {
        leader: (made_by.term, made_by.node_id),
        index: entry.log_id.index,
        keys,
    })
}

/// The index in the mark of what was purged.
#[cfg(feature = "simulation")]
pub(crate) fn purged_index(mark: &[u8]) -> Option<u64> {
    decode::<LogId>(mark).ok().map(|log_id| log_id.index)
}

/// Who is in the membership, by the last entry that speaks of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Members {
    /// Everybody, with a vote or without.
    pub(crate) nodes: BTreeMap<u64, Node>,
    /// Index of that entry; none before the first.
    pub(crate) at: Option<u64>,
    /// True once that entry is applied here, and so there to stay.
    pub(crate) applied: bool,
}

fn members_of(metrics: &openraft::RaftMetrics<u64, Node>) -> Members {
    let stored = &metrics.membership_config;
    let at = stored.log_id().map(|log_id| log_id.index);
    let nodes = stored.membership().nodes();
    Members {
        nodes: nodes.map(|(id, node)| (*id, node.clone())).collect(),
        at,
        applied: metrics.last_applied.map(|log_id| log_id.index) >= at,
    }
}

/// Who is in the membership now.
pub(crate) fn membership(raft: &Raft) -> Members {
    members_of(&raft.metrics().borrow())
}

/// Resolves when the membership is another than the given one, with the new one; never where the engine stops before.
pub(crate) async fn membership_after(raft: &Raft, known: &Members) -> Members {
    let mut metrics = raft.metrics();
    loop {
        {
            let metrics = metrics.borrow_and_update();
            if !metrics
                .membership_config
                .membership()
                .nodes()
                .eq(&known.nodes)
            {
                return members_of(&metrics);
            }
        }
        if metrics.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::types::Vote;
    use super::*;
    use crate::database::Database;
    use crate::metrics::Metrics;

    #[tokio::test]
    async fn whoever_led_stands_for_election_again_and_nobody_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("state.db").display());
        let db = Database::open(&url).await.unwrap();
        let disk = LogDisk::open(&folder.path().join("log")).unwrap();
        let metrics = Arc::new(Metrics::new(1, &[]));
        let mut log = LogStore::new(disk, db, Duration::from_secs(1), metrics);
        resign(&log, 1).await.unwrap();
        assert_eq!(log.read_vote().await.unwrap(), None);
        let led = Vote::new_committed(3, 1);
        log.save_vote(&led).await.unwrap();
        resign(&log, 2).await.unwrap();
        assert_eq!(log.read_vote().await.unwrap(), Some(led));
        resign(&log, 1).await.unwrap();
        assert_eq!(log.read_vote().await.unwrap(), Some(Vote::new(3, 1)));
    }
}

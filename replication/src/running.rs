//! A replica that belongs to a cluster: consensus engine, queues, and the reports that replicas exchange.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::abstention;
use crate::acknowledgement::Acknowledger;
use crate::alarm::Alarm;
use crate::board::Board;
use crate::config::{Config, REPORT_INTERVAL, REPORT_PAUSE};
use crate::consensus::state_machine::{Applied, Settings};
use crate::consensus::{self, LogStore, NetworkFactory, Raft, StateMachine};
use crate::database::{self, Database};
use crate::feed::FeedPublisher;
use crate::follow::Listener;
use crate::format::Formats;
use crate::forward::Forwarder;
use crate::group_commit::GroupCommit;
use crate::identity::Identity;
use crate::members;
use crate::metrics::Queue;
use crate::read_barrier::ReadBarrier;
use crate::receiver::SnapshotReceiver;
use crate::replica::Fault;
use crate::retention::Retention;
use crate::status::{LostLeader, ReplicaStatus, Report, Role};
use crate::succession::Succession;
use crate::verify::{self, Examiner, Verifier};
use crate::wire::Wire;

/// Longest wait of one read round for the leader or its majority.
const READ_ROUND_TIMEOUT: Duration = Duration::from_secs(1);

/// See the module.
pub(crate) struct Running {
    pub(crate) config: Config,
    pub(crate) identity: Identity,
    pub(crate) db: Database,
    pub(crate) wire: Arc<Wire>,
    pub(crate) raft: Raft,
    pub(crate) retention: Arc<Retention>,
    pub(crate) machine: StateMachine,
    /// The readers' connections at the last look at the database.
    looked_at: AtomicU64,
    pub(crate) applied: watch::Receiver<Applied>,
    pub(crate) feed: FeedPublisher,
    pub(crate) board: Arc<Board>,
    pub(crate) acknowledger: Arc<Acknowledger>,
    pub(crate) group: GroupCommit,
    pub(crate) forwarder: Forwarder,
    pub(crate) barrier: ReadBarrier,
    pub(crate) receiver: SnapshotReceiver,
    pub(crate) alarm: Arc<Alarm>,
    /// Held while this replica, as the leader, changes the membership.
    pub(crate) changing: tokio::sync::Mutex<()>,
    pub(crate) examiner: Arc<Examiner>,
    pub(crate) verifier: Verifier,
    pub(crate) succession: Succession,
}

impl Running {
    /// Starts the consensus engine where log and database stand, and follows the reports of the others.
    pub(crate) async fn start(
        config: Config,
        identity: Identity,
        db: Database,
        log: LogStore,
        wire: Arc<Wire>,
        stop: CancellationToken,
    ) -> Result<Arc<Self>, Fault> {
        wire.joined(identity.cluster_id);
        // Before anything is served.
        let alarm = Arc::new(Alarm::open(&config.data));
        let snapshots = config.data.join("snapshots");
        // Half-sent snapshots of an earlier run are of no use.
        if let Err(error) = std::fs::remove_dir_all(&snapshots) {
            tracing::debug!(%error, "no old snapshots removed");
        }
        let settings = Settings {
            patience: config.database_patience,
            metrics: wire.metrics().clone(),
            alarm: alarm.clone(),
        };
        let feed = FeedPublisher::new(threefold_entity::Revision::ZERO);
        let machine = StateMachine::open(
            db.clone(),
            log.clone(),
            snapshots.clone(),
            settings,
            feed.clone(),
        );
        let machine = machine
            .await
            .map_err(|e| Fault(format!("the database cannot be read: {e}")))?;
        let applied = machine.applied();
        let examiner = machine.examiner();
        log.follow(&machine);
        feed.reset(applied.borrow().revision);
        let raft_config = consensus::raft_config(&config).map_err(Fault)?;
        let retention = Arc::new(Retention::new(2 * config.in_sync_timeout));
        let network = NetworkFactory {
            wire: wire.clone(),
            retention: retention.clone(),
            log: log.clone(),
            heartbeat: Duration::from_millis(raft_config.heartbeat_interval),
        };
        let unreadable = |e: &dyn std::fmt::Display| Fault(format!("the log cannot be read: {e}"));
        consensus::resign(&log, config.id)
            .await
            .map_err(|e| unreadable(&e))?;
        let raft = Raft::new(config.id, raft_config, network, log, machine.clone()).await;
        let raft = raft.map_err(|e| unreadable(&e))?;
        let board = Arc::new(Board::new(config.in_sync_timeout));
        let acknowledger = Arc::new(Acknowledger {
            own_id: config.id,
            raft: raft.clone(),
            board: board.clone(),
            applied: applied.clone(),
            min_in_sync: config.min_in_sync,
            in_sync_timeout: config.in_sync_timeout,
            tenure: Mutex::default(),
            #[cfg(feature = "failpoints")]
            machine: machine.clone(),
        });
        let group = GroupCommit::start(
            raft.clone(),
            acknowledger.clone(),
            config.write_timeout,
            config.group_commit,
            wire.metrics().clone(),
        );
        let forwarder = Forwarder::start(raft.clone(), wire.clone(), config.write_timeout);
        let barrier = ReadBarrier::start(raft.clone(), wire.clone(), READ_ROUND_TIMEOUT);
        let running = Arc::new(Self {
            receiver: SnapshotReceiver::new(snapshots),
            config,
            identity,
            db,
            wire,
            raft,
            retention,
            machine,
            looked_at: AtomicU64::new(0),
            applied,
            feed,
            board,
            acknowledger,
            group,
            forwarder,
            barrier,
            alarm,
            examiner,
            verifier: Verifier::new(),
            changing: tokio::sync::Mutex::default(),
            succession: Succession::default(),
        });
        let keeping = members::keep(running.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(keeping));
        let abstain = abstention::abstain(running.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(abstain));
        if let Some(interval) = running.config.verify_interval {
            let compare = verify::schedule::keep_comparing(running.clone(), interval);
            tokio::spawn(stop.run_until_cancelled_owned(compare));
        }
        Ok(running)
    }

    /// Starts the membership of a new cluster, whose other replicas have these birth marks; harmless if it has one.
    pub(crate) async fn initialize(&self, mut births: BTreeMap<u64, Uuid>) -> Result<(), Fault> {
        births.insert(self.config.id, self.identity.birth_mark);
        let initialized = consensus::initialize(&self.raft, &self.config.peers, &births).await;
        initialized.map_err(|error| Fault(format!("the cluster could not be formed: {error}")))
    }

    /// True once the engine has a membership.
    pub(crate) async fn at_work(&self) -> Result<bool, Fault> {
        consensus::at_work(&self.raft).await.map_err(Fault)
    }

    /// Makes sure that the database still holds what it had confirmed. PostgreSQL may lose its newest commits in a crash,
    /// since they are not flushed one by one; whoever reads afterwards reads over a new connection, so that a look is due
    /// only when there is one.
    ///
    /// # Errors
    /// The database's, when it fails or lost more than the log holds.
    pub(crate) async fn look_after_database(&self) -> Result<(), String> {
        let connections = self.db.connections();
        if connections == self.looked_at.load(Ordering::Acquire) {
            return Ok(());
        }
        let confirmed = self.applied.borrow().index;
        let stored = database::stored_index(&self.db.reader)
            .await
            .map_err(|e| e.to_string())?;
        if stored < confirmed {
            self.machine.repair().await?;
        }
        self.looked_at.fetch_max(connections, Ordering::AcqRel);
        Ok(())
    }

    /// What this replica says of itself now.
    pub(crate) fn report(&self) -> Report {
        let view = consensus::view(&self.raft);
        let applied = *self.applied.borrow();
        Report {
            cluster_id: self.identity.cluster_id,
            replica_id: self.config.id,
            role: view.role,
            leader_id: view.leader,
            term: view.term,
            url: self.config.public_url.clone(),
            applied_index: applied.index,
            revision: applied.revision,
            state_hash: applied.hash,
            expense_count: applied.expense_count,
            database: self.db.kind,
            quarantine: self.alarm.quarantine(),
            formats: Formats::OWN,
            lost_leader: self.succession.lost(),
        }
    }

    /// Resolves when this replica has something new to report to a peer, or has been silent for long enough. What it has applied it
    /// tells the leader at once, whose clients wait for that, and the others now and then.
    pub(crate) async fn next_report(
        &self,
        peer: u64,
        applied: &mut watch::Receiver<Applied>,
        lost_leader: &mut watch::Receiver<Option<LostLeader>>,
    ) {
        let mut server = self.raft.server_metrics();
        server.mark_unchanged();
        let mut quarantine = self.alarm.subscribe();
        quarantine.mark_unchanged();
        let server_changed = async {
            if server.changed().await.is_err() {
                // The engine has stopped. Whoever awaits this in a loop would report without end.
                std::future::pending::<()>().await;
            }
        };
        let leads = consensus::view(&self.raft).leader == Some(peer);
        let progress = async {
            let _closed = applied.changed().await;
            if !leads {
                tokio::time::sleep(REPORT_PAUSE).await;
            }
        };
        tokio::select! {
            _ = quarantine.changed() => {}
            () = progress => {}
            () = server_changed => {}
            _ = lost_leader.changed() => {}
            () = tokio::time::sleep(REPORT_INTERVAL) => {}
        }
    }

    /// The queues of this replica.
    pub(crate) fn queues(&self) -> [Queue; 3] {
        [
            self.group.queue(),
            self.forwarder.queue(),
            self.barrier.queue(),
        ]
    }

    /// Every replica as this one sees it.
    pub(crate) fn statuses(&self) -> Vec<ReplicaStatus> {
        let own = self.report();
        let ids = members::ids(self);
        let peers: BTreeMap<u64, _> = ids
            .iter()
            .filter_map(|id| Some((*id, self.board.peer(*id)?)))
            .collect();
        let newest = peers
            .values()
            .filter(|peer| peer.reachable)
            .map(|peer| peer.report.revision);
        let head = newest.chain([own.revision]).max().unwrap_or(own.revision);
        // A follower counts itself in sync by the leader it hears.
        let leads = own.role == Role::Leader;
        let hears_leader = own
            .leader_id
            .and_then(|id| peers.get(&id))
            .is_some_and(|leader| leader.reachable);
        ids.into_iter()
            .map(|id| {
                if id == own.replica_id {
                    let in_sync = (leads || hears_leader) && own.quarantine.is_none();
                    return status(&own, own.role, head, in_sync, Some(Utc::now()));
                }
                match peers.get(&id) {
                    Some(peer) => {
                        let role = if peer.reachable {
                            peer.report.role
                        } else {
                            Role::Unreachable
                        };
                        status(&peer.report, role, head, peer.in_sync, Some(peer.heard_at))
                    }
                    None => unheard(id, &own, head),
                }
            })
            .collect()
    }
}

fn status(
    report: &Report,
    role: Role,
    head: threefold_entity::Revision,
    in_sync: bool,
    last_seen_at: Option<chrono::DateTime<Utc>>,
) -> ReplicaStatus {
    ReplicaStatus {
        id: report.replica_id,
        role,
        url: report.url.clone(),
        term: report.term,
        revision: report.revision,
        lag: report.revision.behind(head),
        in_sync,
        state_hash: report.state_hash,
        expense_count: report.expense_count,
        database: report.database,
        last_seen_at,
        quarantine: report.quarantine.clone(),
    }
}

/// A replica that has not been heard from since this one started.
fn unheard(id: u64, own: &Report, head: threefold_entity::Revision) -> ReplicaStatus {
    ReplicaStatus {
        id,
        role: Role::Unreachable,
        url: String::new(),
        term: 0,
        revision: threefold_entity::Revision::ZERO,
        lag: head.get(),
        in_sync: false,
        state_hash: crate::history::HistoryHash::EMPTY,
        expense_count: 0,
        database: own.database,
        last_seen_at: None,
        quarantine: None,
    }
}

impl Listener for Running {
    fn heard(&self, report: Report) {
        let applied = *self.applied.borrow();
        let own_hash = if report.revision == applied.revision {
            Some(applied.hash)
        } else {
            self.feed.hash_at(report.revision)
        };
        if let Some(own_hash) = own_hash {
            let members = members::ids(self).len();
            self.alarm.compare(&report, own_hash, members);
        }
        self.board.heard(report, applied.index);
    }

    fn gone(&self, peer: u64) {
        self.board.gone(peer);
    }
}

/// A lock whose holder never panics while holding it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! One running replica: the face of this crate.

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::BoxStream;
use sea_orm::DatabaseConnection;
use std::sync::Arc;
use threefold_entity::Revision;
use uuid::Uuid;

use crate::command::Command;
use crate::config::Config;
use crate::error::ServiceError;
use crate::feed::FeedEvent;
use crate::outcome::{Acknowledgement, Settled};
use crate::peer::{Envelope, PeerFault, PeerMethod, PeerTransport};
use crate::status::ReplicaStatus;

/// One running replica. Cheap to clone.
#[derive(Clone)]
pub struct Replica {}

/// How fresh a read must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadConsistency {
    /// Sees every mutation that had answered before the read began, on whichever replica.
    #[default]
    Linearizable,
    /// Sees this replica's database as it is.
    Local,
}

/// Why a replica stopped by itself, or could not start; for people.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

impl Replica {
    /// Opens data folder and database, and takes part in the cluster.
    pub async fn start(_config: Config, _transport: Arc<dyn PeerTransport>) -> Result<Self, Fault> {
        Err(Fault("not built yet".into()))
    }
    /// This replica's id.
    pub fn id(&self) -> u64 {
        0
    }
    /// This replica's own database, for selects only.
    pub fn database(&self) -> &DatabaseConnection {
        unimplemented!()
    }
    /// Sends a command to the leader and waits until it is settled. `key`: the client's idempotency key, if it gave one.
    pub async fn propose(
        &self,
        _command: Command,
        _key: Option<Uuid>,
        _actor: &str,
        _acknowledgement: Acknowledgement,
    ) -> Result<Settled, ServiceError> {
        unimplemented!()
    }
    /// Waits until the local database is as fresh as asked, and returns the revision it then has at least.
    pub async fn read(
        &self,
        _consistency: ReadConsistency,
        _min_revision: Option<Revision>,
    ) -> Result<Revision, ServiceError> {
        unimplemented!()
    }
    /// What became of a mutation with this key, as this replica's database knows it; read() first.
    pub async fn outcome(&self, _key: Uuid) -> Result<Option<Settled>, ServiceError> {
        unimplemented!()
    }
    /// Every change after a revision, in order, then live; none: from now.
    pub fn changes(
        &self,
        _after: Option<Revision>,
        _ledger_id: Option<Uuid>,
    ) -> BoxStream<'static, Result<FeedEvent, ServiceError>> {
        unimplemented!()
    }
    /// Every replica as this one sees it, in order of ids.
    pub fn statuses(&self) -> Vec<ReplicaStatus> {
        unimplemented!()
    }
    /// The same, again whenever it changes, at most 20 times a second.
    pub fn watch_statuses(&self) -> BoxStream<'static, Vec<ReplicaStatus>> {
        unimplemented!()
    }
    /// Ok when this replica has a leader and serves; otherwise why not, for people.
    pub fn ready(&self) -> Result<(), String> {
        unimplemented!()
    }
    /// Answers a peer's call.
    pub async fn serve_peer(
        &self,
        _method: PeerMethod,
        _envelope: Envelope,
    ) -> Result<Bytes, PeerFault> {
        unimplemented!()
    }
    /// This replica's reports of itself, encoded, for a peer.
    pub fn reports(&self, _envelope: &Envelope) -> Result<BoxStream<'static, Bytes>, PeerFault> {
        unimplemented!()
    }
    /// Resolves when the replica has stopped by itself because of a fault.
    pub async fn failed(&self) -> Fault {
        unimplemented!()
    }
    /// Stops cleanly.
    pub async fn shutdown(&self) {}
}

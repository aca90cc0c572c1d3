//! Replicas that no flag of the others names.

use crate::ports;

use super::builder::start_database;
use super::replica::Plan;
use super::{Cluster, Replica};

impl Cluster {
    /// A replica with a number, an address and a database of its own, empty and not started: it knows where the founders
    /// are, and they do not know it. It is to be dropped before the cluster is.
    pub async fn newcomer(&self, id: u16) -> Replica {
        let model = &self.replicas[0];
        let (public, peer) = (ports::reserve(), ports::reserve());
        // Of a number that is used again, neither folder nor log.
        let folder = self.file(&format!("newcomer-{id}-{}", public.number()));
        std::fs::create_dir_all(&folder).expect("a folder for the replica");
        let own = format!("{id}=http://127.0.0.1:{}", peer.number());
        let founders = self.replicas().iter();
        let founders = founders.filter(|founder| founder.id() != id);
        let peers = founders.map(|founder| format!("{}={}", founder.id(), founder.peer_url()));
        let plan = Plan {
            id,
            public,
            peer,
            peers: peers.chain([own]).collect(),
            secret: model.plan.secret.clone(),
            token: model.plan.token.clone(),
            flags: model.plan.flags.clone(),
            environment: model.plan.environment.clone(),
            binary: model.plan.binary.clone(),
            folder,
        };
        let database = start_database(model.database_kind(), &plan.folder).await;
        Replica::new(plan, database, model.access_token.clone())
    }
}

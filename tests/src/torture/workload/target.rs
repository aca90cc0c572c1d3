//! Where the replicas are.

use std::sync::{Arc, RwLock};

use crate::{Client, Cluster};

/// The replicas' client addresses, which may change while workers are at work. A clone shares them.
#[derive(Debug, Clone, Default)]
pub struct Target {
    endpoints: Arc<RwLock<Vec<Endpoint>>>,
}

/// One replica as a client reaches it; it may be down, frozen or cut off.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its id.
    pub id: u16,
    /// Its address, without `/graphql`.
    pub url: String,
    /// A client of it.
    pub client: Client,
}

impl Target {
    /// All replicas of a cluster.
    pub fn of(cluster: &Cluster) -> Self {
        let target = Self::default();
        for replica in cluster.replicas() {
            target.set(replica.id(), replica.url(), replica.client());
        }
        target
    }

    /// Adds a replica, or says that it is somewhere else now.
    pub fn set(&self, id: u16, url: &str, client: Client) {
        let mut endpoints = self.endpoints.write().expect("the addresses");
        endpoints.retain(|endpoint| endpoint.id != id);
        endpoints.push(Endpoint {
            id,
            url: url.to_owned(),
            client,
        });
        endpoints.sort_by_key(|endpoint| endpoint.id);
    }

    /// Takes a replica out. There must be others.
    pub fn remove(&self, id: u16) {
        self.endpoints
            .write()
            .expect("the addresses")
            .retain(|endpoint| endpoint.id != id);
    }

    /// The replicas as they are now, in the order of their ids.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.endpoints.read().expect("the addresses").clone()
    }

    /// One of them, by any number.
    pub(super) fn pick(&self, number: u64) -> Endpoint {
        let endpoints = self.endpoints.read().expect("the addresses");
        let count = u64::try_from(endpoints.len()).expect("few replicas");
        assert!(count > 0, "a workload needs a replica");
        endpoints[usize::try_from(number % count).expect("few replicas")].clone()
    }
}

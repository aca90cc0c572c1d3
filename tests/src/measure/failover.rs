//! How long nothing is written after `kill -9` of the leader.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::client::{Client, NewExpense};
use crate::cluster::{Cluster, DatabaseKind};
use crate::load::Load;

/// Writers in the background, so that the logs of the survivors may differ at the kill.
const WRITERS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(5);

/// A cluster whose leader is killed again and again.
#[derive(Debug)]
pub struct Failovers {
    cluster: Cluster,
    round: usize,
}

/// What one kill cost.
#[derive(Debug, Clone, Copy)]
pub struct Failover {
    /// From the kill to the first answer to a mutation that was sent after it, on any survivor.
    pub first: Duration,
    /// The same, until each survivor has answered one.
    pub all: Duration,
}

impl Failovers {
    /// Starts three replicas with default settings.
    pub async fn start(database: DatabaseKind) -> Self {
        Self {
            cluster: Cluster::start(database).await,
            round: 0,
        }
    }

    /// Kills the leader under load, waits for answers, and brings it back.
    pub async fn kill(&mut self) -> Failover {
        self.round += 1;
        self.cluster.wait_until_in_sync().await;
        let leader = self.cluster.leader().await;
        let survivors: Vec<Client> = self
            .cluster
            .replicas()
            .iter()
            .filter(|replica| replica.id() != leader)
            .map(|replica| replica.client().with_timeout(PATIENCE))
            .collect();
        let load = Load::start(&survivors, WRITERS);
        load.wait_for_answers(20, PATIENCE).await;
        self.cluster.replica(leader).kill9();
        let killed = Instant::now();
        let round = self.round;
        let answered = survivors.iter().enumerate().map(async |(number, client)| {
            let expense = NewExpense::described(format!("round {round}, survivor {number}"));
            while client.add_expense(&expense).await.is_err() && killed.elapsed() < PATIENCE {
                tokio::time::sleep(PAUSE).await;
            }
            killed.elapsed()
        });
        let answered = join_all(answered).await;
        load.finish().await;
        self.cluster.replica(leader).restart().await;
        let mut sorted = answered;
        sorted.sort_unstable();
        Failover {
            first: sorted[0],
            all: sorted[sorted.len() - 1],
        }
    }
}

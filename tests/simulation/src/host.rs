//! The process of one replica: the replication crate's own code on a simulated disk, database, network and clock, with
//! the clients that talk to it.

use std::sync::Arc;
use std::time::Duration;

use threefold_replication::Replica;
use threefold_replication::config::Config;
use threefold_replication::peer::PeerAddress;
use threefold_replication::simulation::Storage;
use turmoil::net::TcpListener;

use crate::network::{self, Transport};
use crate::world::{Order, PORT, Shared, host_name};
use crate::{client, subscriber};

/// How often the process looks whether it is to stop.
const ORDERS_TICK: Duration = Duration::from_millis(5);

/// Runs one process, until it is stopped or crashes.
pub async fn run(shared: Shared, id: u64) -> turmoil::Result {
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    std::fs::create_dir_all(shared.lock().folder.join(host_name(id)))?;
    let (config, disk, database, connections, breakage) = {
        let mut world = shared.lock();
        let config = config(&world.plan, id, &world.folder);
        let breakage = world.breakage;
        let slot = world.replicas.get_mut(&id).expect("replicas are fixed");
        slot.up = true;
        slot.order = Order::Run;
        slot.incarnation += 1;
        (
            config,
            slot.disk.clone(),
            slot.database.clone(),
            slot.connections.clone(),
            breakage,
        )
    };
    let clients = shared.lock().plan.clients;
    let subscribers = shared.lock().plan.subscribers;
    let (writer, reader) = database.connect();
    let storage = Storage {
        disk,
        writer,
        reader,
        connections,
    };
    let transport = Arc::new(Transport::new(shared.clone()));
    let replica = match Replica::start_simulated(config, transport, storage).await {
        Ok(replica) => replica,
        Err(fault) => {
            let detail = format!("replica {id}: {fault}");
            shared
                .lock()
                .violated("a replica starts where it stopped", detail);
            return std::future::pending().await;
        }
    };
    shared.lock().replicas.get_mut(&id).expect("fixed").replica = Some(replica.clone());
    tokio::spawn(network::serve(listener, replica.clone(), breakage));
    for _ in 0..clients {
        tokio::spawn(client::run(shared.clone(), replica.clone()));
    }
    for _ in 0..subscribers {
        tokio::spawn(subscriber::run(shared.clone(), replica.clone()));
    }
    tokio::select! {
        biased;
        fault = replica.failed() => {
            shared.lock().violated("a replica does not stop by itself", format!("replica {id}: {fault}"));
            std::future::pending().await
        }
        () = stopped(&shared, id) => {}
    }
    replica.retire().await;
    replica.shutdown().await;
    let mut world = shared.lock();
    let slot = world.replicas.get_mut(&id).expect("fixed");
    slot.replica = None;
    slot.up = false;
    slot.refuses = true;
    world.trace.event(format_args!("replica {id} has stopped"));
    Ok(())
}

async fn stopped(shared: &Shared, id: u64) {
    while shared.lock().replicas[&id].order == Order::Run {
        tokio::time::sleep(ORDERS_TICK).await;
    }
}

fn config(plan: &crate::plan::Plan, id: u64, folder: &std::path::Path) -> Config {
    let peer = |id| PeerAddress {
        id,
        url: format!("http://{}:{PORT}", host_name(id)),
    };
    Config {
        id,
        data: folder.join(host_name(id)),
        database_url: "sqlite://of-the-simulation".to_owned(),
        public_url: format!("http://{}:8081", host_name(id)),
        peers: (1..=plan.replicas).map(peer).collect(),
        min_in_sync: None,
        in_sync_timeout: plan.in_sync_timeout,
        election_timeout: plan.election_timeout,
        write_timeout: Duration::from_secs(2),
        read_timeout: Duration::from_secs(2),
        database_patience: Duration::from_secs(2),
        verify_interval: None,
        compact_after_bytes: 1 << 20,
        compact_after_entries: plan.compact_after_entries,
        group_commit: plan.group_commit,
    }
}

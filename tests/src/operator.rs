//! What an operator does with `threefold cluster`, and what becomes of it.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use crate::binary;
use crate::client::ReplicaView;
use crate::cluster::Replica;
use crate::inspect::Inspector;
use crate::wait::until;

/// Longest wait for a replica to come, to grow, or to go.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Runs `threefold cluster` with these arguments and the settings of a replica.
pub async fn cluster(of: &Replica, arguments: &[&str]) -> Output {
    let mut command = binary::command();
    let flags = of.arguments().into_iter().skip(1);
    command.arg("cluster").args(arguments).args(flags);
    tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("the command's task")
        .expect("the command")
}

/// Everything that a command said.
pub fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{err}")
}

/// Runs a command that must succeed, and returns what it said.
pub async fn succeed(of: &Replica, arguments: &[&str]) -> String {
    let output = cluster(of, arguments).await;
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    said(&output)
}

/// Runs a command that must be refused for this reason.
pub async fn refuse(of: &Replica, arguments: &[&str], reason: &str) {
    let output = cluster(of, arguments).await;
    let said = said(&output);
    assert!(!output.status.success(), "{arguments:?}: {said}");
    assert!(said.contains(reason), "{arguments:?}: {said}");
}

/// Waits until a replica can be asked by others, whether it belongs to a cluster or not.
pub async fn wait_until_it_listens(replica: &Replica) {
    until("the replica to listen", TIMEOUT, async || {
        match replica.listens().await {
            true => Ok(()),
            false => Err("nobody does".to_owned()),
        }
    })
    .await;
}

/// Waits until an empty replica has adopted a cluster.
pub async fn wait_until_adopted(replica: &Replica) {
    let mark = replica.data_folder().join("replica.json");
    until(
        "the replica to adopt a cluster",
        TIMEOUT,
        async || match mark.exists() {
            true => Ok(()),
            false => Err("it is empty".to_owned()),
        },
    )
    .await;
}

/// Waits until one replica sees another in this role, and in sync.
pub async fn wait_for_role(at: &Replica, id: u16, roles: &[&str]) {
    let what = format!("replica {} to see replica {id} as {roles:?}", at.id());
    until(&what, TIMEOUT, async || match view(at, id).await? {
        Some(view) if view.in_sync && roles.contains(&view.role.as_str()) => Ok(()),
        view => Err(format!("{view:?}")),
    })
    .await;
}

/// Waits until one replica no longer sees another.
pub async fn wait_until_forgotten(at: &Replica, id: u16) {
    let what = format!("replica {} to forget replica {id}", at.id());
    until(&what, TIMEOUT, async || match view(at, id).await? {
        None => Ok(()),
        Some(view) => Err(format!("{view:?}")),
    })
    .await;
}

async fn view(at: &Replica, id: u16) -> Result<Option<ReplicaView>, String> {
    let views = at.client().local().replicas().await;
    let views = views.map_err(|error| error.to_string())?;
    let id = id.to_string();
    Ok(views.into_iter().find(|view| view.id == id))
}

/// Empties the data folder and the database of a replica that does not run.
pub async fn empty(replica: &Replica) {
    assert!(!replica.is_running(), "replica {} runs", replica.id());
    if replica.data_folder().exists() {
        std::fs::remove_dir_all(replica.data_folder()).expect("the data folder goes");
    }
    let database = replica.database_url();
    let file = database.strip_prefix("sqlite://");
    if file.is_none_or(|file| Path::new(file).exists()) {
        Inspector::of(replica).await.wipe().await;
    }
}

//! `threefold cluster`: who is in a cluster, and what an operator does to it on a bad day.

mod membership;
mod recovery;

use std::sync::Arc;

use anyhow::Context;
use clap::Subcommand;

use super::serve;
use crate::config::ServeConfig;
use crate::peer::client::GraphQlPeerTransport;
use crate::telemetry;

/// Flags of `threefold cluster`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show who is in the membership, as the leader sees it.
    ///
    /// Run it with the settings of any replica.
    Members(Box<membership::MembersArgs>),
    /// Take in a replica: one more, or one that was removed before.
    ///
    /// Start it first: empty, with --peer for itself and for the replicas of the cluster, and with the cluster's secret. It
    /// waits. Then run this command with the settings of a replica that serves. The newcomer receives what there is, and
    /// serves reads, subscriptions and mutations like any other. It has a vote once it is promoted, or by --voter.
    Add(Box<membership::AddArgs>),
    /// Give a replica that was added, and has caught up, a vote.
    ///
    /// Run it with the settings of any replica. An odd number of votes is best: four outlive the loss of one, as three do.
    Promote(Box<membership::PromoteArgs>),
    /// Take a replica out of the membership, whether it lives or is lost.
    ///
    /// Run it with the settings of any replica that stays, while a majority serves. One that lives finishes what its
    /// clients have begun, and stops; one that leads hands over first. It never comes back with what it has.
    Remove(Box<membership::RemoveArgs>),
    /// Put an empty replica in the place of one that is lost, wiped, damaged or quarantined.
    ///
    /// Run it with the settings of any replica that stays, while a majority serves. Without --with, the replica is taken out of
    /// the membership; the command then waits until it is started empty, and takes it in again. With --with, another
    /// replica that is started empty receives everything first, and then takes over the vote. Clients notice nothing.
    Replace(Box<membership::ReplaceArgs>),
    /// Let the one replica that is left go on as a cluster of its own, when the majority is lost for good.
    ///
    /// Run it on the machine of a replica that is stopped, with the settings that it is served with. It says what may be
    /// lost, and asks before it changes anything. Never use it while the other replicas may come back with their data.
    Recover(Box<recovery::RecoverArgs>),
}

impl Args {
    /// The settings of the replica.
    pub(super) fn serve_mut(&mut self) -> &mut serve::Args {
        match &mut self.command {
            Command::Members(args) => &mut args.serve,
            Command::Add(args) => &mut args.serve,
            Command::Promote(args) => &mut args.serve,
            Command::Remove(args) => &mut args.serve,
            Command::Replace(args) => &mut args.serve,
            Command::Recover(args) => &mut args.serve,
        }
    }
}

/// Runs the subcommand.
pub async fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Members(args) => membership::members(*args).await,
        Command::Add(args) => membership::add(*args).await,
        Command::Promote(args) => membership::promote(*args).await,
        Command::Remove(args) => membership::remove(*args).await,
        Command::Replace(args) => membership::replace(*args).await,
        Command::Recover(args) => recovery::recover(*args).await,
    }
}

/// The settings of a replica, and the way to its peers.
fn settings(args: serve::Args) -> anyhow::Result<(ServeConfig, Arc<GraphQlPeerTransport>)> {
    telemetry::start(args.telemetry()).map_err(anyhow::Error::msg)?;
    let config = ServeConfig::try_from(args).context(serve::UNUSABLE)?;
    let transport =
        GraphQlPeerTransport::new(&config.cluster_secret.text).map_err(anyhow::Error::msg)?;
    Ok((config, Arc::new(transport)))
}

//! `threefold cluster`: what an operator does to a cluster on a bad day.

use std::io::{BufRead, IsTerminal, Write};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Subcommand;
use threefold_replication::recovery::{Recovery, Survivor};
use threefold_replication::removal;

use super::serve;
use crate::config::ServeConfig;
use crate::peer::client::GraphQlPeerTransport;
use crate::telemetry;

/// What has to be typed for a recovery.
const CONSENT: &str = "recover";

/// Flags of `threefold cluster`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Let the one replica that is left go on as a cluster of its own, when the majority is lost for good.
    ///
    /// Run it on the machine of a replica that is stopped, with the settings that it is served with. It says what may be
    /// lost, and asks before it changes anything. Never use it while the other replicas may come back with their data.
    Recover(Box<RecoverArgs>),
    /// Remove a replica that is lost from the membership, so that an empty one can take its place.
    ///
    /// Run it with the settings of any replica that is left, while a majority serves. Then start the empty one under the
    /// same number, or under the number that the --peer flags give it: it joins by itself.
    Remove(Box<RemoveArgs>),
}

/// Flags of `threefold cluster remove`: those of `threefold serve`, and the replica.
#[derive(Debug, clap::Args)]
struct RemoveArgs {
    /// Number of the replica that is lost.
    #[arg(value_name = "LOST")]
    lost: u64,
    #[command(flatten)]
    serve: serve::Args,
}

/// Flags of `threefold cluster recover`: those of `threefold serve`, and one more.
#[derive(Debug, clap::Args)]
struct RecoverArgs {
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    serve: serve::Args,
}

impl Args {
    /// The settings of the replica.
    pub(super) fn serve_mut(&mut self) -> &mut serve::Args {
        match &mut self.command {
            Command::Recover(args) => &mut args.serve,
            Command::Remove(args) => &mut args.serve,
        }
    }
}

/// Runs the subcommand.
pub async fn run(args: Args) -> anyhow::Result<()> {
    match args.command {
        Command::Recover(args) => recover(*args).await,
        Command::Remove(args) => remove(*args).await,
    }
}

async fn remove(args: RemoveArgs) -> anyhow::Result<()> {
    let (config, transport) = settings(args.serve)?;
    let lost = args.lost;
    removal::remove(&config.replica, transport, lost).await?;
    println!(
        "Replica {lost} is out of the membership. Start it with an empty data folder and an empty database to let it join anew."
    );
    Ok(())
}

/// The settings of a replica, and the way to its peers.
fn settings(args: serve::Args) -> anyhow::Result<(ServeConfig, Arc<GraphQlPeerTransport>)> {
    telemetry::start(args.telemetry()).map_err(anyhow::Error::msg)?;
    let config = ServeConfig::try_from(args).context(serve::UNUSABLE)?;
    let transport =
        GraphQlPeerTransport::new(&config.cluster_secret.text).map_err(anyhow::Error::msg)?;
    Ok((config, Arc::new(transport)))
}

async fn recover(args: RecoverArgs) -> anyhow::Result<()> {
    let (config, transport) = settings(args.serve)?;
    let recovery = Recovery::inspect(config.replica, transport).await?;
    println!("{}", describe(recovery.survivor()));
    if recovery.survivor().has_majority() {
        bail!(
            "this replica and those alive are a majority, so nothing has to be recovered; start this replica"
        );
    }
    if !args.yes {
        ask()?;
    }
    let id = recovery.survivor().replica_id;
    let cluster_id = recovery.carry_out().await?;
    println!(
        "Replica {id} is now cluster {cluster_id}. Start it as before; then start the others with empty data folders and \
         databases, and the same --peer flags. They join by themselves."
    );
    Ok(())
}

/// What is there, and what is not, for the person who decides.
fn describe(survivor: &Survivor) -> String {
    let Survivor {
        cluster_id,
        replica_id,
        quorums,
        log_end,
        revision,
        expense_count,
        entries_to_apply,
        alive,
        silent,
    } = survivor;
    let list = |ids: &[u64]| match ids {
        [] => "none".to_owned(),
        ids => {
            let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
            ids.join(", ")
        }
    };
    let voters: Vec<String> = quorums.iter().map(|voters| list(voters)).collect();
    let (term, index) = log_end.unwrap_or_default();
    let mut text = format!(
        "Replica {replica_id} of cluster {cluster_id}, stopped:\n\
         \n  database  revision {revision}, {expense_count} expenses\
         \n  log       ends at term {term}, index {index}; {entries_to_apply} entries of it are not in the database yet and will be applied\
         \n  votes     replicas {}\
         \n  alive     {}\n",
        voters.join("; and until a change is finished "),
        list(alive),
    );
    for (id, reason) in silent {
        text.push_str(&format!(
            "  replica {id} did not answer as one of this cluster: {reason}\n"
        ));
    }
    text.push_str(
        "\nIt goes on alone, as a new cluster. The others are strangers to it from then on: they come back empty, or not at all. Be\
         \nsure that they are lost, and not only out of reach from here: if they still serve, there will be two clusters.\
         \nIf another one has survived, compare: the one whose log ends at the higher term, or at the same term and the higher index,\
         \nhas more. Recover that one, and empty the other.\n\
         \nWhat may be lost: mutations that only the others had. What was answered with Write-Acknowledgement: all while this replica\
         \nwas in sync is here. What was answered with quorum, or while this replica was out of sync, may not be.\
         \nWith a --min-in-sync of more than 1, it takes no mutation until so many replicas are back.\n",
    );
    text
}

fn ask() -> anyhow::Result<()> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        bail!("nothing was changed: there is nobody to ask; give --yes to go on without");
    }
    print!("Type {CONSENT} to go on: ");
    std::io::stdout()
        .flush()
        .context("the question cannot be asked")?;
    let mut answer = String::new();
    stdin
        .lock()
        .read_line(&mut answer)
        .context("the answer cannot be read")?;
    if answer.trim() != CONSENT {
        bail!("nothing was changed");
    }
    Ok(())
}

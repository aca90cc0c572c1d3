//! `threefold cluster recover`.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, bail};
use threefold_replication::recovery::{Recovery, Survivor};

use super::settings;
use crate::cli::serve;

/// What has to be typed for a recovery.
const CONSENT: &str = "recover";

/// Flags of `threefold cluster recover`: those of `threefold serve`, and one more.
#[derive(Debug, clap::Args)]
pub(super) struct RecoverArgs {
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    pub(super) serve: serve::Args,
}

/// Runs the command.
pub(super) async fn recover(args: RecoverArgs) -> anyhow::Result<()> {
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

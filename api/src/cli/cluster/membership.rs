//! `threefold cluster members`, `add`, `promote`, `remove` and `replace`.

mod progress;

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use comfy_table::{CellAlignment, Table, presets};
use threefold_replication::operator::{Member, Operator, Request, Standing, Unanswered};
use threefold_replication::peer::PeerAddress;

use self::progress::Progress;
use super::settings;
use crate::cli::serve;
use crate::cli::stdout::print_line;
use crate::config;

/// Pause between two looks at how far a replica has come.
const PAUSE: Duration = Duration::from_millis(500);

/// Flags of `threefold cluster members`: those of `threefold serve`.
#[derive(Debug, clap::Args)]
pub(super) struct MembersArgs {
    #[command(flatten)]
    pub(super) serve: serve::Args,
}

/// Flags of `threefold cluster add`: those of `threefold serve`, and the newcomer.
#[derive(Debug, clap::Args)]
pub(super) struct AddArgs {
    /// Number of the replica: its --id.
    #[arg(value_name = "NEW")]
    newcomer: u64,
    /// URL of its peer listener, as the other replicas reach it, such as http://10.0.0.4:9081.
    #[arg(long, value_name = "URL")]
    url: String,
    /// Give it a vote as soon as it has everything, and wait until it has.
    #[arg(long)]
    voter: bool,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    pub(super) serve: serve::Args,
}

/// Flags of `threefold cluster promote`: those of `threefold serve`, and the replica.
#[derive(Debug, clap::Args)]
pub(super) struct PromoteArgs {
    /// Number of the replica.
    #[arg(value_name = "REPLICA")]
    replica: u64,
    #[command(flatten)]
    pub(super) serve: serve::Args,
}

/// Flags of `threefold cluster remove`: those of `threefold serve`, and the replica.
#[derive(Debug, clap::Args)]
pub(super) struct RemoveArgs {
    /// Number of the replica.
    #[arg(value_name = "REPLICA")]
    replica: u64,
    #[command(flatten)]
    pub(super) serve: serve::Args,
}

/// Flags of `threefold cluster replace`: those of `threefold serve`, and the replicas.
#[derive(Debug, clap::Args)]
pub(super) struct ReplaceArgs {
    /// Number of the replica that is lost.
    #[arg(value_name = "LOST")]
    lost: u64,
    /// The replica that takes its place, with a number of its own, and the URL of its peer listener. Without it: the lost one, empty,
    /// where it was.
    #[arg(long, value_name = "NEW=URL")]
    with: Option<String>,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    pub(super) serve: serve::Args,
}

#[derive(Debug, clap::Args)]
struct Wait {
    /// Seconds to wait for the newcomer. Afterwards the cluster goes on by itself, and the command may be repeated.
    #[arg(long = "wait", value_name = "SECONDS", default_value_t = 600)]
    seconds: u64,
}

impl Wait {
    fn deadline(&self) -> Instant {
        // A year is as good as for ever.
        Instant::now() + Duration::from_secs(self.seconds.min(365 * 24 * 60 * 60))
    }
}

/// Shows who is in the membership.
pub(super) async fn members(args: MembersArgs) -> anyhow::Result<()> {
    let members = operator(args.serve)?.0.ask(&Request::Members).await?;
    Ok(print_line(&table(&members).to_string())?)
}

/// Takes in a replica.
pub(super) async fn add(args: AddArgs) -> anyhow::Result<()> {
    let newcomer = address(args.newcomer, &args.url)?;
    let id = newcomer.id;
    let (operator, _) = operator(args.serve)?;
    let voter = args.voter;
    operator.ask(&Request::Add { newcomer, voter }).await?;
    println!("Replica {id} is in the membership, and receives what there is.");
    if voter {
        let members = until_it_votes(&operator, id, None, args.wait.deadline()).await?;
        say_votes(&members);
    } else {
        println!(
            "It has no vote. To give it one when it has caught up: threefold cluster promote {id}"
        );
    }
    Ok(())
}

/// Gives a replica a vote.
pub(super) async fn promote(args: PromoteArgs) -> anyhow::Result<()> {
    let id = args.replica;
    let members = operator(args.serve)?.0.ask(&Request::Promote(id)).await?;
    println!("Replica {id} has a vote.");
    say_votes(&members);
    Ok(())
}

/// Takes a replica out.
pub(super) async fn remove(args: RemoveArgs) -> anyhow::Result<()> {
    let id = args.replica;
    let members = operator(args.serve)?.0.ask(&Request::Remove(id)).await?;
    println!(
        "Replica {id} is out of the membership. If its process still runs, it stops by itself. With an empty data folder and an \
         empty database it may join anew: by itself where the leader's --peer flags name it, otherwise by threefold cluster add."
    );
    say_votes(&members);
    Ok(())
}

/// Puts an empty replica in the place of another.
pub(super) async fn replace(args: ReplaceArgs) -> anyhow::Result<()> {
    let lost = args.lost;
    let with = args.with.as_deref().map(newcomer).transpose()?;
    let deadline = args.wait.deadline();
    let (operator, flags) = operator(args.serve)?;
    let (newcomer, left) = match with {
        Some(newcomer) if newcomer.id != lost => {
            let request = Request::Replace {
                lost,
                newcomer: newcomer.clone(),
            };
            operator.ask(&request).await?;
            println!(
                "Replica {} receives what there is, and then takes over the vote of replica {lost}.",
                newcomer.id
            );
            (newcomer, Some(lost))
        }
        with => {
            let members = operator.ask(&Request::Members).await?;
            let known = members.iter().find(|member| member.id == lost);
            let flag = flags.into_iter().find(|peer| peer.id == lost);
            let place = known.map(|member| PeerAddress {
                id: lost,
                url: member.peer_url.clone(),
            });
            let Some(newcomer) = with.or(place).or(flag) else {
                bail!(
                    "replica {lost} is not in the membership, and no --peer flag names its address; give --with {lost}=URL"
                );
            };
            if known.is_some_and(|member| member.standing != Standing::Joining) {
                operator.ask(&Request::Remove(lost)).await?;
                println!("Replica {lost} is out of the membership.");
            }
            println!(
                "Now stop it if it still runs, empty its data folder and its database, and start it: it is awaited at {}.",
                newcomer.url
            );
            take_in(&operator, &newcomer, deadline).await?;
            (newcomer, None)
        }
    };
    let members = until_it_votes(&operator, newcomer.id, left, deadline).await?;
    println!("Replica {lost} is replaced.");
    say_votes(&members);
    Ok(())
}

/// Asks for a replica to be taken in until it is there and empty, or taken in by itself.
async fn take_in(
    operator: &Operator,
    newcomer: &PeerAddress,
    deadline: Instant,
) -> anyhow::Result<()> {
    let mut progress = Progress::default();
    let request = Request::Add {
        newcomer: newcomer.clone(),
        voter: true,
    };
    loop {
        let members = operator.ask(&Request::Members).await?;
        if members.iter().any(|member| member.id == newcomer.id) {
            return Ok(());
        }
        match operator.ask(&request).await {
            Ok(_) => return Ok(()),
            Err(Unanswered::Refused(reason)) => progress.say(&format!("waiting: {reason}")),
            Err(unheard) => return Err(unheard.into()),
        }
        if Instant::now() > deadline {
            bail!(
                "replica {} was not taken in in time; repeat the command",
                newcomer.id
            );
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until a replica has a vote and is in sync, and the one that it replaces has left; says how far it is meanwhile.
async fn until_it_votes(
    operator: &Operator,
    id: u64,
    leaves: Option<u64>,
    deadline: Instant,
) -> anyhow::Result<Vec<Member>> {
    let mut progress = Progress::default();
    loop {
        let members = match operator.ask(&Request::Members).await {
            Ok(members) => members,
            // A leader may be elected just now.
            Err(Unanswered::Unheard(reason)) if Instant::now() < deadline => {
                progress.say(&format!("waiting: {reason}"));
                continue;
            }
            Err(unanswered) => return Err(unanswered.into()),
        };
        let member = members.iter().find(|member| member.id == id);
        let stays = leaves.filter(|lost| members.iter().any(|member| member.id == *lost));
        match (member, stays) {
            (Some(member), None) if member.standing == Standing::Voter && member.in_sync => {
                println!("Replica {id} has a vote, and is in sync.");
                return Ok(members);
            }
            (Some(member), Some(lost)) if member.standing == Standing::Voter => {
                progress.say(&format!("replica {id} has a vote; replica {lost} leaves"));
            }
            (Some(member), _) => progress.of(member),
            (None, _) => progress.say(&format!("replica {id} is not in the membership")),
        }
        if Instant::now() > deadline {
            bail!(
                "replica {id} has no vote yet; the cluster goes on with it by itself: threefold cluster members shows how far it is"
            );
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn operator(args: serve::Args) -> anyhow::Result<(Operator, Vec<PeerAddress>)> {
    let (config, transport) = settings(args)?;
    let flags = config.replica.peers.clone();
    Ok((Operator::new(config.replica, transport), flags))
}

fn newcomer(text: &str) -> anyhow::Result<PeerAddress> {
    let shape = || format!("--with: {text:?} is not like 4=http://10.0.0.4:9081");
    let (id, url) = text.split_once('=').with_context(shape)?;
    address(id.trim().parse().with_context(shape)?, url.trim())
}

fn address(id: u64, url: &str) -> anyhow::Result<PeerAddress> {
    let url = config::peer_url(url).map_err(anyhow::Error::msg)?;
    Ok(PeerAddress { id, url })
}

/// How many votes there are, and what that is worth.
fn say_votes(members: &[Member]) {
    let voters = members
        .iter()
        .filter(|member| member.standing == Standing::Voter);
    let votes = voters.count();
    let losses = votes.saturating_sub(1) / 2;
    let even = if votes.is_multiple_of(2) {
        ", no more than with one replica less: an odd number is better"
    } else {
        ""
    };
    match votes {
        1 => println!("1 replica votes: when it is lost, everything is."),
        2 => println!("2 replicas vote, and both are needed to write: add a third one soon."),
        votes => {
            println!("{votes} replicas vote: the cluster outlives the loss of {losses}{even}.")
        }
    }
}

fn table(members: &[Member]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "id",
        "peer address",
        "standing",
        "leads",
        "in sync",
        "log entries behind",
    ]);
    for member in members {
        table.add_row([
            member.id.to_string(),
            member.peer_url.clone(),
            progress::name(member.standing).to_owned(),
            if member.leads { "yes" } else { "" }.to_owned(),
            match (member.in_sync, member.reachable) {
                (true, _) => "yes",
                (false, true) => "no",
                (false, false) => "unreachable",
            }
            .to_owned(),
            member
                .behind
                .map_or_else(|| "unknown".to_owned(), |behind| behind.to_string()),
        ]);
    }
    for index in [0, 5] {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

//! `threefold import`: sends the expenses of a CSV file to a cluster.
//!
//! The file is read twice. First [`check`] reads all of it and names every wrong row; then [`chunk`] cuts it and
//! [`send`] sends it, under [`keys`] that come from the file alone, so that whatever is sent twice is added once.

mod category_name;
mod check;
mod chunk;
mod cluster;
mod columns;
mod keys;
mod ledger;
mod progress;
mod row;
mod send;
mod source;
mod table;
mod verdict;
mod wire;

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::value_parser;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::cli::client::{Client, Endpoint, Options};
use crate::cli::stdout::print_line;
use check::Checked;
use cluster::Cluster;
use keys::Keys;
use ledger::Categories;
use progress::Progress;
use send::{Sender, Totals};

/// Longest wait for one answer of one replica.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Chunks that are read ahead while one is on its way.
const CHUNKS_AHEAD: usize = 1;

/// Flags of `threefold import`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// CSV file in UTF-8 whose header line names the columns date, description, amount and currency, and
    /// perhaps category, notes and tags, in any order, between commas, semicolons or tabs. Dates are
    /// YYYY-MM-DD, amounts plain decimals like -12.50, tags are separated by semicolons.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Address of a replica, without /graphql. Give it again, or separated by commas, for more replicas to
    /// carry on with; those that the first one knows are found by themselves.
    #[arg(
        long,
        value_name = "URL",
        env = "THREEFOLD_URL",
        value_delimiter = ',',
        default_value = "http://127.0.0.1:8081"
    )]
    url: Vec<Endpoint>,
    /// Name or id of the ledger to import into; can be left out where there is only one.
    #[arg(long, value_name = "LEDGER", env = "THREEFOLD_LEDGER")]
    ledger: Option<String>,
    /// File that holds the access token of the cluster; without it, none is sent.
    #[arg(long, value_name = "FILE", env = "THREEFOLD_ACCESS_TOKEN_FILE")]
    access_token_file: Option<PathBuf>,
    /// Seconds without any progress, on any replica, after which the import gives up: 0 to 86,400.
    #[arg(
        long,
        value_name = "SECONDS",
        env = "THREEFOLD_GIVE_UP_AFTER_SECONDS",
        default_value_t = 60,
        value_parser = value_parser!(u64).range(..=86_400)
    )]
    give_up_after_seconds: u64,
}

/// Imports the file and prints how many expenses it added.
///
/// # Errors
/// The file cannot be read or has a wrong row, and nothing was sent; or the cluster refused a part of it or went
/// away, and the same import again adds the rest.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let totals = import(args).await?;
    Ok(print_line(&summary(&totals))?)
}

async fn import(args: Args) -> anyhow::Result<Totals> {
    let client = Client::new(&Options {
        timeout: REQUEST_TIMEOUT,
        access_token_file: args.access_token_file.as_deref(),
        local_reads: false,
    })?;
    let name = args.file.display().to_string();
    let file = File::open(&args.file).with_context(|| format!("{name} cannot be opened"))?;
    let checked = check_file(&file, &name).await?;

    let progress = Progress::sending(checked.rows);
    if !checked.unknown_columns.is_empty() {
        let unknown = checked.unknown_columns.join(", ");
        progress.note(&format!(
            "{name}: columns that mean nothing here are ignored: {unknown}"
        ));
    }
    let patience = Duration::from_secs(args.give_up_after_seconds);
    let cluster = Cluster::new(client, args.url, patience, progress.clone());
    let sent = send_file(
        file,
        &name,
        checked,
        cluster,
        args.ledger.as_deref(),
        &progress,
    )
    .await;
    progress.finish();
    sent
}

async fn send_file(
    file: File,
    name: &str,
    checked: Checked,
    mut cluster: Cluster,
    ledger: Option<&str>,
    progress: &Progress,
) -> anyhow::Result<Totals> {
    cluster.discover().await?;
    let ledger = ledger::find_ledger(&mut cluster, ledger).await?;
    let keys = Keys::new(checked.hash, ledger.id);
    let mut sender = Sender {
        cluster,
        ledger_id: ledger.id,
        keys,
        categories: Categories::new(ledger.id, keys, checked.categories),
        progress: progress.clone(),
        totals: Totals::default(),
    };
    let (chunks, receiver) = mpsc::channel(CHUNKS_AHEAD);
    let reader = spawn_blocking(move || chunk::produce(file, checked.hash, &chunks));
    let sent = sender.send_all(receiver).await;
    let read = reader.await?;
    let incomplete = || {
        format!(
            "{name} is not imported completely ({})",
            summary(&sender.totals)
        )
    };
    sent.with_context(incomplete)?;
    read.with_context(incomplete)?;
    if !sender.totals.pending.is_empty() {
        let pending = sender
            .totals
            .pending
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>();
        progress.note(&format!(
            "everything is committed; replicas that had not acknowledged all of it yet: {}",
            pending.join(", ")
        ));
    }
    Ok(sender.totals)
}

async fn check_file(file: &File, name: &str) -> anyhow::Result<Checked> {
    let unreadable = || format!("{name} cannot be read");
    let bytes = file.metadata().with_context(unreadable)?.len();
    let file = file.try_clone().with_context(unreadable)?;
    let progress = Progress::checking(bytes);
    let bar = progress.clone();
    let checked = spawn_blocking(move || check::check(file, |read| bar.set(read))).await?;
    progress.finish();
    checked.with_context(|| name.to_owned())
}

fn summary(totals: &Totals) -> String {
    format!(
        "{} added, {} already there",
        totals.added, totals.already_there
    )
}

#[cfg(test)]
mod tests;

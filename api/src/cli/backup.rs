//! `threefold backup`: takes a backup from a replica while it serves, or checks one.
//!
//! What comes is written and checked at once, by [`tee`]. A file carries its name only when all of it was there and every
//! bit was right; before, it has another one, and goes away when anything fails.

mod download;
mod progress;
mod tee;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::{NamedTempFile, PersistError};
use threefold_replication::backup::{self, Content};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::client::{Client, Endpoint, Options};
use crate::cli::stdout::print_line;
use download::download;
pub(super) use progress::Progress;

/// Longest wait for an answer that is no backup.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Flags of `threefold backup`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File to write, or to check; - writes to standard output. Whoever can read it can read everything that the cluster
    /// holds.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Address of the replica to ask, without /graphql. Give it again, or separated by commas, for replicas to
    /// ask when that one does not answer.
    #[arg(
        long,
        value_name = "URL",
        env = "THREEFOLD_URL",
        value_delimiter = ',',
        default_value = "http://127.0.0.1:8081"
    )]
    url: Vec<Endpoint>,
    /// File that holds the access token of the cluster; without it, none is sent.
    #[arg(long, value_name = "FILE", env = "THREEFOLD_ACCESS_TOKEN_FILE")]
    access_token_file: Option<PathBuf>,
    /// Put the backup in the place of a file that exists.
    #[arg(long)]
    force: bool,
    /// Take what the replica has, without asking the leader whether it is all: for the day on which there is none.
    #[arg(long, conflicts_with = "check")]
    local: bool,
    /// Take none: read FILE, check every bit of it, and say what it holds. Asks no replica.
    #[arg(long, conflicts_with = "force")]
    check: bool,
}

/// Takes or checks a backup, and prints what it holds.
///
/// # Errors
/// No replica that gives one, a file that cannot be written or exists, and a backup that is not as it should be.
pub async fn run(args: Args) -> anyhow::Result<()> {
    if args.check {
        let (content, bytes) = check(&args.file).await?;
        let file = args.file.display();
        return Ok(print_line(&format!(
            "{}\n{file} is whole",
            describe(&content, bytes)
        ))?);
    }
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // Whichever ends it, what was written so far goes away.
    tokio::select! {
        taken = take(&args) => taken,
        _ = interrupt.recv() => bail!("interrupted; no backup was taken"),
        _ = terminate.recv() => bail!("told to stop; no backup was taken"),
    }
}

async fn take(args: &Args) -> anyhow::Result<()> {
    let client = Client::new(&Options {
        timeout: TIMEOUT,
        access_token_file: args.access_token_file.as_deref(),
        local_reads: args.local,
    })?;
    let begun = Instant::now();
    let progress = Progress::downloading();
    if args.file == Path::new("-") {
        let taken = download(&client, &args.url, &progress, || Ok(io::stdout())).await;
        progress.finish();
        let (_, (content, bytes)) =
            taken.context("what was written to standard output is no backup")?;
        eprintln!("{}", describe_taken(&content, bytes, begun.elapsed()));
        return Ok(());
    }
    let target = Target::new(&args.file, args.force)?;
    let taken = download(&client, &args.url, &progress, || target.begin()).await;
    progress.finish();
    let (file, (content, bytes)) = taken?;
    target.keep(file)?;
    let told = describe_taken(&content, bytes, begun.elapsed());
    Ok(print_line(&told)?)
}

/// The file that a backup is to become.
struct Target<'a> {
    path: &'a Path,
    folder: &'a Path,
    force: bool,
}

impl<'a> Target<'a> {
    fn new(path: &'a Path, force: bool) -> anyhow::Result<Self> {
        let target = Self {
            path,
            folder: match path.parent() {
                Some(folder) if folder != Path::new("") => folder,
                _ => Path::new("."),
            },
            force,
        };
        if !force && path.exists() {
            bail!(target.exists());
        }
        Ok(target)
    }

    fn exists(&self) -> String {
        let path = self.path.display();
        format!("{path} exists; give --force to put the backup in its place, or another name")
    }

    /// A file that only its owner reads, under a name of its own, in the folder of the one that it is to become.
    fn begin(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new()
            .prefix(".threefold-backup-")
            .suffix(".partial")
            .tempfile_in(self.folder)
    }

    /// Gives the file its name, once it is on the disk.
    fn keep(&self, file: NamedTempFile) -> anyhow::Result<()> {
        let cannot = || format!("{} cannot be written", self.path.display());
        file.as_file().sync_all().with_context(cannot)?;
        let kept = if self.force {
            file.persist(self.path)
        } else {
            file.persist_noclobber(self.path)
        };
        match kept {
            Err(PersistError { error, .. }) if error.kind() == io::ErrorKind::AlreadyExists => {
                bail!(self.exists())
            }
            kept => kept.with_context(cannot)?,
        };
        let folder = File::open(self.folder).and_then(|folder| folder.sync_all());
        folder.with_context(cannot)
    }
}

async fn check(path: &Path) -> anyhow::Result<(Content, u64)> {
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let progress = Progress::checking(file.metadata()?.len());
    let shown = progress.clone();
    let checked =
        tokio::task::spawn_blocking(move || backup::verify(file, |_, bytes| shown.set(bytes)));
    let checked = checked.await?;
    progress.finish();
    checked.with_context(|| path.display().to_string())
}

/// What a backup holds, for people.
pub(super) fn describe(content: &Content, bytes: u64) -> String {
    let unknown = || "unknown".to_owned();
    let cluster = content.cluster_id.map_or_else(unknown, |id| id.to_string());
    let at = content
        .taken_at
        .map_or_else(unknown, |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string());
    format!(
        "format    {}\ncluster   {cluster}\ntaken at  {at}\nrevision  {}\nhash      {}\nexpenses  {}\nsize      {bytes} bytes",
        content.format, content.revision, content.hash, content.expense_count
    )
}

fn describe_taken(content: &Content, bytes: u64, took: Duration) -> String {
    format!(
        "{}\ntime      {:.1} s",
        describe(content, bytes),
        took.as_secs_f64()
    )
}

/// A place to write to that can be begun anew.
pub(super) trait Out: Write + Send + 'static {}
impl<W: Write + Send + 'static> Out for W {}

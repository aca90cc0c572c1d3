//! `threefold serve`.

use std::path::PathBuf;

use anyhow::Context;
use clap::ArgAction;
use clap::builder::BoolishValueParser;

use crate::config::{ServeConfig, Sources};
use crate::http::Origin;
use crate::secret::create;
use crate::telemetry::{LogFilter, LogFormat};
use crate::{server, telemetry};

/// What is said before the settings that cannot be used.
pub(super) const UNUSABLE: &str = "the settings cannot be used as they are";

/// Flags of `threefold serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// TOML file with settings: its keys are the names of these flags. Flags and variables beat it.
    #[arg(
        long,
        env = "THREEFOLD_CONFIG",
        value_name = "FILE",
        help_heading = "Configuration"
    )]
    pub config: Option<PathBuf>,
    /// Where the settings come from.
    #[arg(skip)]
    pub sources: Sources,
    /// Number of this replica in the cluster: one of the --peer ids.
    #[arg(long, env = "THREEFOLD_ID", help_heading = "Identity")]
    pub id: u64,
    /// Folder of this replica's log, vote and identity; made if it does not exist.
    #[arg(
        long,
        env = "THREEFOLD_DATA",
        value_name = "DIR",
        help_heading = "Identity"
    )]
    pub data: PathBuf,
    /// Address that people and clients reach: the page at /, GraphQL at /graphql, GraphiQL at /graphiql.
    #[arg(
        long,
        env = "THREEFOLD_LISTEN",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:8081",
        help_heading = "Listeners"
    )]
    pub listen: String,
    /// Address that the other replicas reach. Keep it private: whoever has the cluster secret is a replica.
    #[arg(
        long,
        env = "THREEFOLD_PEER_LISTEN",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:9081",
        help_heading = "Listeners"
    )]
    pub peer_listen: String,
    /// A replica that founds the cluster and the URL of its peer listener; once for each replica, this one
    /// included. In the environment: all of them, separated by commas.
    #[arg(
        long = "peer",
        env = "THREEFOLD_PEER",
        value_name = "ID=URL",
        value_delimiter = ',',
        required = true,
        help_heading = "Cluster"
    )]
    pub peers: Vec<String>,
    /// URL under which clients know this replica [default: http:// and the --listen address].
    #[arg(
        long,
        env = "THREEFOLD_PUBLIC_URL",
        value_name = "URL",
        help_heading = "Listeners"
    )]
    pub public_url: Option<String>,
    /// This replica's own database: postgres://user:password@host/name, or sqlite:///path/to/file.
    #[arg(
        long,
        env = "THREEFOLD_DATABASE",
        value_name = "URL",
        hide_env_values = true,
        help_heading = "Database"
    )]
    pub database: Option<String>,
    /// File with the URL of the database, in place of --database: no password stands on a command line then.
    #[arg(
        long,
        env = "THREEFOLD_DATABASE_URL_FILE",
        value_name = "FILE",
        help_heading = "Database"
    )]
    pub database_url_file: Option<PathBuf>,
    /// File with the secret that the replicas share, at least 16 bytes. While it is being changed: one a line, the one to
    /// present first.
    #[arg(
        long,
        env = "THREEFOLD_CLUSTER_SECRET_FILE",
        value_name = "FILE",
        help_heading = "Cluster"
    )]
    pub cluster_secret_file: PathBuf,
    /// File with the token that every client must send as Authorization: Bearer, at least 16 bytes; more than one, one a
    /// line.
    #[arg(
        long,
        env = "THREEFOLD_ACCESS_TOKEN_FILE",
        value_name = "FILE",
        help_heading = "Access"
    )]
    pub access_token_file: Option<PathBuf>,
    /// Make the files of the cluster secret and the access token where they do not exist, with new secrets. Replicas that
    /// share the folder of these files share the secrets.
    #[arg(
        long,
        env = "THREEFOLD_CREATE_SECRETS",
        value_name = "BOOL",
        value_parser = BoolishValueParser::new(),
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_value_t = false,
        default_missing_value = "true",
        help_heading = "Access"
    )]
    pub create_secrets: bool,
    /// Let in everybody who reaches --listen, even if that is not loopback and there is no token.
    #[arg(
        long,
        env = "THREEFOLD_OPEN",
        value_name = "BOOL",
        value_parser = BoolishValueParser::new(),
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_value_t = false,
        default_missing_value = "true",
        help_heading = "Access")]
    pub open: bool,
    /// Origin of a web page that may use the API from a browser, such as https://money.example.org; the replicas' own
    /// pages always may. More of them: the flag again, or separated by commas.
    #[arg(
        long = "allow-origin",
        env = "THREEFOLD_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ',',
        help_heading = "Access"
    )]
    pub allowed_origins: Vec<Origin>,
    /// Fewest replicas in sync for a mutation to be taken [default: the majority of the replicas].
    #[arg(
        long,
        env = "THREEFOLD_MIN_IN_SYNC",
        value_name = "COUNT",
        help_heading = "Cluster"
    )]
    pub min_in_sync: Option<usize>,
    /// Milliseconds after which a replica that is silent or behind no longer counts as in sync.
    #[arg(
        long,
        env = "THREEFOLD_IN_SYNC_TIMEOUT_MS",
        value_name = "MS",
        default_value_t = 2_000,
        help_heading = "Timeouts"
    )]
    pub in_sync_timeout_ms: u64,
    /// Shortest wait of a follower that misses its leader, in milliseconds; the longest is twice that, and heartbeats
    /// go out at a third of it.
    #[arg(
        long,
        env = "THREEFOLD_ELECTION_TIMEOUT_MS",
        value_name = "MS",
        default_value_t = 750,
        help_heading = "Timeouts"
    )]
    pub election_timeout_ms: u64,
    /// Longest wait of a mutation for a leader and an answer, in milliseconds.
    #[arg(
        long,
        env = "THREEFOLD_WRITE_TIMEOUT_MS",
        value_name = "MS",
        default_value_t = 10_000,
        help_heading = "Timeouts"
    )]
    pub write_timeout_ms: u64,
    /// Longest wait of a read until this replica is fresh enough, in milliseconds.
    #[arg(
        long,
        env = "THREEFOLD_READ_TIMEOUT_MS",
        value_name = "MS",
        default_value_t = 5_000,
        help_heading = "Timeouts"
    )]
    pub read_timeout_ms: u64,
    /// How long a failing database is tried again before the replica stops, in milliseconds.
    #[arg(
        long,
        env = "THREEFOLD_DATABASE_PATIENCE_MS",
        value_name = "MS",
        default_value_t = 60_000,
        help_heading = "Timeouts"
    )]
    pub database_patience_ms: u64,
    /// Seconds between two comparisons of all replicas' tables, which the leader makes by itself; 0 for none. A replica
    /// whose tables are found to be wrong serves no more.
    #[arg(
        long,
        env = "THREEFOLD_VERIFY_INTERVAL_S",
        value_name = "SECONDS",
        default_value_t = 86_400,
        help_heading = "Cluster"
    )]
    pub verify_interval_s: u64,
    /// Log entries after which the log is compacted.
    #[arg(
        long,
        env = "THREEFOLD_COMPACT_AFTER_ENTRIES",
        value_name = "COUNT",
        default_value_t = 50_000,
        help_heading = "Log of the cluster"
    )]
    pub compact_after_entries: u64,
    /// Megabytes that the log holds at most, about: large entries are cut off earlier. A replica that was away for longer than
    /// what is kept comes back by snapshot; while it does, four times as much may be kept.
    #[arg(
        long,
        env = "THREEFOLD_COMPACT_AFTER_MB",
        value_name = "MB",
        default_value_t = 256,
        help_heading = "Log of the cluster"
    )]
    pub compact_after_mb: u64,
    /// Let mutations share log entries. Switched off only to measure what it gains.
    #[arg(long, env = "THREEFOLD_GROUP_COMMIT", value_name = "BOOL", action = ArgAction::Set, default_value_t = true, help_heading = "Log of the cluster")]
    pub group_commit: bool,
    /// Which log lines are written: a level, or levels by part, such as info,threefold_replication=debug.
    #[arg(
        long,
        env = "THREEFOLD_LOG",
        value_name = "FILTER",
        default_value_t,
        help_heading = "Log lines"
    )]
    pub log: LogFilter,
    /// How log lines are written to standard error.
    #[arg(
        long,
        env = "THREEFOLD_LOG_FORMAT",
        value_name = "FORMAT",
        value_enum,
        default_value_t,
        help_heading = "Log lines"
    )]
    pub log_format: LogFormat,
    /// Most lines at info, warn or error that one place in the code writes in a minute; what is left out is counted in a
    /// line of its own. 0 for no bound.
    #[arg(
        long,
        env = "THREEFOLD_LOG_LIMIT",
        value_name = "LINES",
        default_value_t = 20,
        help_heading = "Log lines"
    )]
    pub log_limit: u32,
}

impl Args {
    /// How this replica logs.
    pub(super) fn telemetry(&self) -> telemetry::Settings {
        telemetry::Settings {
            replica: self.id,
            filter: self.log.clone(),
            format: self.log_format,
            lines_a_minute: self.log_limit,
        }
    }
}

/// Runs one replica until it is told to stop, or fails.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let telemetry = telemetry::start(args.telemetry()).map_err(anyhow::Error::msg)?;
    if args.create_secrets {
        create_secrets(&args)?;
    }
    let config = ServeConfig::try_from(args).context(UNUSABLE)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let served = server::run(config).await;
    telemetry.stop().await;
    served
}

fn create_secrets(args: &Args) -> anyhow::Result<()> {
    for file in [
        Some(&args.cluster_secret_file),
        args.access_token_file.as_ref(),
    ]
    .into_iter()
    .flatten()
    {
        let made = create::ensure(file)
            .with_context(|| format!("--create-secrets: {} cannot be made", file.display()))?;
        if made {
            tracing::info!(file = %file.display(), "a new secret is in {}", file.display());
        }
    }
    Ok(())
}

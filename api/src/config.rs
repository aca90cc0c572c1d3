//! Settings of `threefold serve`, validated once.
//!
//! [`Setting`] is one of them, as its flag defines it; [`load`] puts flags, environment, file and defaults together;
//! [`ServeConfig`] is what has been checked.

mod environment;
mod example;
mod file;
mod layers;
mod nearest;
mod permissions;
mod problem;
mod redact;
mod report;
mod setting;
mod sources;

pub use self::example::file as example;
pub use self::file::Place;
pub use self::layers::{LoadError, load};
pub(crate) use self::nearest::hint;
pub use self::problem::{ConfigError, Problem};
pub use self::report::{ReportFormat, report};
pub use self::setting::{Kind, Setting};
pub use self::sources::{Effective, Source, Sources};

use std::collections::BTreeSet;
use std::net::ToSocketAddrs;
use std::path::Path;
use std::time::Duration;

use reqwest::Url;
use threefold_replication::config::Config as ReplicaConfig;
use threefold_replication::peer::PeerAddress;

use crate::cli::serve::Args;
use crate::http::{Access, Origin};
use crate::secret::{self, Secret};

/// What one replica needs to run.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// Address of the public listener.
    pub listen: String,
    /// Address of the private listener.
    pub peer_listen: String,
    /// Who may use the API.
    pub access: Access,
    /// Origins of pages that may use the API, beside the replicas' own.
    pub allowed_origins: Vec<Origin>,
    /// What the replicas show each other.
    pub cluster_secret: ClusterSecret,
    /// The replication's own settings.
    pub replica: ReplicaConfig,
    /// What a person should look at, and what no replica stops for.
    pub warnings: Vec<String>,
}

/// The secret that replicas share: as sent, and as compared with.
#[derive(Clone)]
pub struct ClusterSecret {
    /// To send.
    pub text: String,
    /// To compare with.
    pub secret: Secret,
}

impl std::fmt::Debug for ClusterSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClusterSecret(..)")
    }
}

/// A setting that cannot be used, by its flag.
#[derive(Debug)]
struct Fault {
    flag: &'static str,
    reason: String,
}

fn fault(flag: &'static str, reason: impl Into<String>) -> Fault {
    Fault {
        flag,
        reason: reason.into(),
    }
}

/// Collects what is wrong, so that a person hears all of it at once.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    /// The value. Where there is none, its fault is kept, and what comes instead is never used.
    fn take<T: Default>(&mut self, result: Result<T, Fault>) -> T {
        result.unwrap_or_else(|fault| {
            self.0.push(fault);
            T::default()
        })
    }
}

impl TryFrom<Args> for ServeConfig {
    type Error = ConfigError;

    fn try_from(args: Args) -> Result<Self, ConfigError> {
        let mut faults = Faults::default();
        let peers = faults.take(peers(&args.peers));
        faults.take(is_one_of(args.id, &peers));
        faults.take(can_be_in_sync(args.min_in_sync, &peers));
        let cluster_secrets = faults.take(
            secrets(&args, &args.cluster_secret_file)
                .map_err(|e| fault("--cluster-secret-file", e)),
        );
        let access = faults.take(access(&args).map(Some));
        faults.take(resolve("--peer-listen", &args.peer_listen));
        let public_url = match &args.public_url {
            Some(public_url) => faults.take(url("--public-url", public_url)),
            None => format!("http://{}", args.listen),
        };
        let secret_files = [
            Some(&args.cluster_secret_file),
            args.access_token_file.as_ref(),
            args.database_url_file.as_ref(),
        ];
        let mut warnings = args.sources.warnings.clone();
        warnings.extend(
            secret_files
                .into_iter()
                .flatten()
                .filter_map(|file| permissions::warning(file)),
        );
        let replica = ReplicaConfig {
            id: args.id,
            data: args.data,
            database_url: faults.take(database(args.database, args.database_url_file.as_deref())),
            public_url,
            peers,
            min_in_sync: args.min_in_sync,
            in_sync_timeout: faults.take(milliseconds(
                "--in-sync-timeout-ms",
                args.in_sync_timeout_ms,
                100,
            )),
            election_timeout: faults.take(milliseconds(
                "--election-timeout-ms",
                args.election_timeout_ms,
                50,
            )),
            write_timeout: faults.take(milliseconds(
                "--write-timeout-ms",
                args.write_timeout_ms,
                1,
            )),
            read_timeout: faults.take(milliseconds("--read-timeout-ms", args.read_timeout_ms, 1)),
            database_patience: faults.take(milliseconds(
                "--database-patience-ms",
                args.database_patience_ms,
                1,
            )),
            verify_interval: faults.take(interval("--verify-interval-s", args.verify_interval_s)),
            compact_after_entries: faults.take(at_least_one(
                "--compact-after-entries",
                args.compact_after_entries,
            )),
            compact_after_bytes: faults
                .take(at_least_one("--compact-after-mb", args.compact_after_mb))
                .saturating_mul(1_000_000),
            group_commit: args.group_commit,
        };
        let mut problems = args.sources.problems.clone();
        problems.extend(faults.0.into_iter().map(|fault| Problem {
            place: args.sources.place(fault.flag),
            reason: fault.reason,
        }));
        match access {
            Some(access) if problems.is_empty() => Ok(Self {
                listen: args.listen,
                peer_listen: args.peer_listen,
                access,
                allowed_origins: args.allowed_origins,
                cluster_secret: ClusterSecret {
                    secret: Secret::any_of(&cluster_secrets),
                    text: cluster_secrets.into_iter().next().unwrap_or_default(),
                },
                replica,
                warnings,
            }),
            _ => Err(ConfigError(problems)),
        }
    }
}

/// Faults of `--peer` are told by themselves; without peers there is nothing to compare with.
fn is_one_of(id: u64, peers: &[PeerAddress]) -> Result<(), Fault> {
    if peers.is_empty() || peers.iter().any(|peer| peer.id == id) {
        return Ok(());
    }
    let ids: Vec<String> = peers.iter().map(|peer| peer.id.to_string()).collect();
    let reason = format!(
        "{id} is none of the --peer ids ({}); list this replica, too",
        ids.join(", ")
    );
    Err(fault("--id", reason))
}

fn can_be_in_sync(least: Option<usize>, peers: &[PeerAddress]) -> Result<(), Fault> {
    match least {
        Some(least) if !peers.is_empty() && !(1..=peers.len()).contains(&least) => Err(fault(
            "--min-in-sync",
            format!(
                "{least} of {} replicas cannot be in sync; give 1 to {0}",
                peers.len()
            ),
        )),
        _ => Ok(()),
    }
}

fn peers(texts: &[String]) -> Result<Vec<PeerAddress>, Fault> {
    let mut ids = BTreeSet::new();
    let mut urls = BTreeSet::new();
    let mut peers = Vec::with_capacity(texts.len());
    for text in texts {
        let shape = || {
            fault(
                "--peer",
                format!("{text:?} is not like 1=http://127.0.0.1:9081"),
            )
        };
        let (id, address) = text.trim().split_once('=').ok_or_else(shape)?;
        let id: u64 = id.trim().parse().map_err(|_| shape())?;
        let address = url("--peer", address.trim())?;
        if !ids.insert(id) {
            return Err(fault("--peer", format!("replica {id} is listed twice")));
        }
        if !urls.insert(address.clone()) {
            return Err(fault(
                "--peer",
                format!("{address} is listed for two replicas"),
            ));
        }
        peers.push(PeerAddress { id, url: address });
    }
    peers.sort_by_key(|peer| peer.id);
    Ok(peers)
}

/// The URL as it is used: http or https, with a host, without a slash at its end.
fn url(flag: &'static str, text: &str) -> Result<String, Fault> {
    let parsed = Url::parse(text).map_err(|e| fault(flag, format!("{text:?} is no URL: {e}")))?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
        return Err(fault(
            flag,
            format!("{text:?} is no URL that begins with http:// or https:// and a host"),
        ));
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(fault(
            flag,
            format!("{text:?} has a query or fragment; leave it out"),
        ));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// The address of a peer listener, as `--peer` takes it.
///
/// # Errors
/// What is wrong with it, for people.
pub fn peer_url(text: &str) -> Result<String, String> {
    url("--peer", text).map_err(|fault| fault.reason)
}

/// The URL of the database, given as it is or in a file.
fn database(url: Option<String>, file: Option<&Path>) -> Result<String, Fault> {
    match (url, file) {
        (Some(url), None) => database_url("--database", &url),
        (None, Some(file)) => {
            let flag = "--database-url-file";
            let text = std::fs::read_to_string(file)
                .map_err(|e| fault(flag, format!("{} cannot be read: {e}", file.display())))?;
            database_url(flag, text.trim())
        }
        (Some(_), Some(_)) => Err(fault(
            "--database",
            "cannot be used with --database-url-file; choose one",
        )),
        (None, None) => Err(fault(
            "--database",
            "is not set; give --database URL, or --database-url-file FILE",
        )),
    }
}

fn database_url(flag: &'static str, url: &str) -> Result<String, Fault> {
    let known = ["postgres://", "postgresql://", "sqlite:"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    if known {
        Ok(url.to_owned())
    } else {
        // The URL may hold a password: it is not repeated.
        Err(fault(
            flag,
            "the URL begins with postgres:// or sqlite://, such as sqlite:///var/lib/threefold/1.sqlite",
        ))
    }
}

/// The secrets of a file; none where `serve` is yet to make it.
fn secrets(args: &Args, file: &Path) -> Result<Vec<String>, String> {
    if args.create_secrets && !file.exists() {
        return Ok(Vec::new());
    }
    secret::read_all(file)
}

fn access(args: &Args) -> Result<Access, Fault> {
    if let Some(file) = &args.access_token_file {
        if args.open {
            return Err(fault(
                "--open",
                "cannot be used with --access-token-file; choose one",
            ));
        }
        let tokens = secrets(args, file).map_err(|e| fault("--access-token-file", e))?;
        resolve("--listen", &args.listen)?;
        return Ok(Access::Token(Secret::any_of(&tokens)));
    }
    if !resolve("--listen", &args.listen)? && !args.open {
        let reason = format!(
            "{} can be reached from other machines and everybody would be let in; give --access-token-file FILE to ask for a token, or --open if that is meant",
            args.listen
        );
        return Err(fault("--listen", reason));
    }
    Ok(Access::Open)
}

/// True where the address is reached from this machine only.
fn resolve(flag: &'static str, address: &str) -> Result<bool, Fault> {
    let resolved = address.to_socket_addrs();
    let resolved = resolved.map_err(|e| {
        fault(
            flag,
            format!("{address:?} is no address such as 127.0.0.1:8081: {e}"),
        )
    })?;
    let mut addresses = resolved.peekable();
    if addresses.peek().is_none() {
        return Err(fault(flag, format!("{address:?} has no address")));
    }
    Ok(addresses.all(|address| address.ip().is_loopback()))
}

fn milliseconds(flag: &'static str, given: u64, least: u64) -> Result<Duration, Fault> {
    /// A day: what is longer is a slip of the keyboard.
    const MOST: u64 = 86_400_000;
    if (least..=MOST).contains(&given) {
        Ok(Duration::from_millis(given))
    } else {
        Err(fault(flag, format!("{given} ms; give {least} to {MOST}")))
    }
}

/// Seconds between two runs of something; none where it is 0.
fn interval(flag: &'static str, given: u64) -> Result<Option<Duration>, Fault> {
    /// A year.
    const MOST: u64 = 31_536_000;
    match given {
        0 => Ok(None),
        1..=MOST => Ok(Some(Duration::from_secs(given))),
        _ => Err(fault(flag, format!("{given} s; give 0 to {MOST}"))),
    }
}

fn at_least_one(flag: &'static str, given: u64) -> Result<u64, Fault> {
    if given == 0 {
        Err(fault(flag, "give at least 1"))
    } else {
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    /// The flags of a working replica, with others added; a flag of its own takes the place of the default.
    fn config(more: &[&str]) -> Result<ServeConfig, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "0123456789abcdef0123456789abcdef").unwrap();
        let file = file.to_str().unwrap();
        let mut line = vec!["serve", "--data", "/tmp/1", "--cluster-secret-file", file];
        for (flag, value) in [("--id", "1"), ("--database", "sqlite::memory:")] {
            if !more.contains(&flag) {
                line.extend([flag, value]);
            }
        }
        if !more.contains(&"--peer") {
            line.extend([
                "--peer",
                "1=http://127.0.0.1:9081",
                "--peer",
                "2=http://127.0.0.1:9082/",
            ]);
        }
        line.extend(
            more.iter()
                .map(|part| if *part == "FILE" { file } else { part }),
        );
        let args = Line::try_parse_from(line).map_err(|e| e.to_string())?.args;
        ServeConfig::try_from(args).map_err(|e| e.to_string())
    }

    #[test]
    fn defaults_are_those_of_the_help() {
        let config = config(&[]).unwrap();
        assert_eq!(config.listen, "127.0.0.1:8081");
        assert_eq!(config.replica.public_url, "http://127.0.0.1:8081");
        assert_eq!(config.replica.peers[1].url, "http://127.0.0.1:9082");
        assert_eq!(config.replica.in_sync_timeout, Duration::from_secs(2));
        assert!(config.replica.group_commit);
        assert!(matches!(config.access, Access::Open));
    }

    #[test]
    fn every_fault_names_its_flag() {
        for (flags, message) in [
            (
                &["--id", "3"][..],
                "--id: 3 is none of the --peer ids (1, 2)",
            ),
            (
                &["--peer", "1=http://a:1,1=http://b:1"],
                "--peer: replica 1 is listed twice",
            ),
            (
                &["--peer", "1=http://a:1,2=http://a:1"],
                "--peer: http://a:1 is listed for two replicas",
            ),
            (&["--peer", "http://a:1"], "is not like 1=http"),
            (&["--peer", "1=a:1"], "no URL that begins with http://"),
            (&["--min-in-sync", "3"], "--min-in-sync: 3 of 2 replicas"),
            (&["--min-in-sync", "0"], "--min-in-sync: 0 of 2 replicas"),
            (
                &["--listen", "0.0.0.0:8081"],
                "give --access-token-file FILE to ask for a token, or --open",
            ),
            (
                &["--listen", "nonsense"],
                "--listen: \"nonsense\" is no address",
            ),
            (
                &["--public-url", "localhost"],
                "--public-url: \"localhost\" is no URL",
            ),
            (
                &["--database", "mysql://x:secret@y"],
                "--database: the URL begins with postgres:// or sqlite://",
            ),
            (
                &["--database-url-file", "FILE"],
                "--database: cannot be used with --database-url-file; choose one",
            ),
            (
                &["--election-timeout-ms", "1"],
                "--election-timeout-ms: 1 ms; give 50 to",
            ),
            (
                &["--allow-origin", "http://localhost:5173,*"],
                "invalid value '*' for '--allow-origin <ORIGIN>': \"*\" is no origin; give http://",
            ),
            (
                &["--open", "--access-token-file", "FILE"],
                "cannot be used with",
            ),
        ] {
            let error = config(flags).err().unwrap_or_default();
            assert!(error.contains(message), "{flags:?} gave {error:?}");
            assert!(!error.contains("secret@"), "{error}");
        }
    }

    #[test]
    fn the_database_may_be_named_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        for (text, expected) in [
            (
                " postgres://me:hunter2@h/d\n",
                Ok("postgres://me:hunter2@h/d"),
            ),
            (
                "mysql://me:hunter2@h/d",
                Err("--database-url-file: the URL begins with postgres:// or sqlite://"),
            ),
        ] {
            std::fs::write(&file, text).unwrap();
            match (database(None, Some(&file)), expected) {
                (Ok(url), Ok(expected)) => assert_eq!(url, expected),
                (Err(fault), Err(expected)) => {
                    let told = format!("{}: {}", fault.flag, fault.reason);
                    assert!(told.starts_with(expected), "{told}");
                    assert!(!told.contains("hunter2"), "{told}");
                }
                (given, _) => panic!("{text} gave {given:?}"),
            }
        }
        assert!(database(None, None).is_err());
        assert!(database(None, Some(&folder.path().join("none"))).is_err());
    }

    #[test]
    fn origins_are_named_one_by_one_or_together() {
        let two = "http://localhost:5173,https://money.example.org";
        let config = config(&["--allow-origin", two, "--allow-origin", "http://a:1"]).unwrap();
        let origins: Vec<String> = config
            .allowed_origins
            .iter()
            .map(ToString::to_string)
            .collect();
        let expected = [
            "http://localhost:5173",
            "https://money.example.org",
            "http://a:1",
        ];
        assert_eq!(origins, expected);
    }

    #[test]
    fn other_machines_get_in_by_token_or_on_purpose() {
        let by_token =
            config(&["--listen", "0.0.0.0:8081", "--access-token-file", "FILE"]).unwrap();
        assert!(matches!(by_token.access, Access::Token(_)));
        assert!(matches!(
            config(&["--listen", "0.0.0.0:8081", "--open"])
                .unwrap()
                .access,
            Access::Open
        ));
        assert!(
            !config(&["--group-commit", "false"])
                .unwrap()
                .replica
                .group_commit
        );
    }
}

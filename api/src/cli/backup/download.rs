//! A backup from whichever replica gives one.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use threefold_replication::backup::Content;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Out;
use super::progress::Progress;
use super::tee::{self, Tee};
use crate::cli::client::{Client, ClientError, Endpoint, transport_error};
use crate::http::backup::EXPENSES;

/// Pieces that wait to be written and checked.
const PIECES: usize = 8;
/// Longest silence of a replica in the middle of a backup.
const SILENCE: Duration = Duration::from_secs(60);

/// Why a replica gave no backup.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{0} broke off in the middle: {1}")]
    BrokeOff(Endpoint, String),
    #[error("what {0} sent cannot be used: {1}")]
    Unusable(Endpoint, String),
    #[error("the backup cannot be written: {0}")]
    Write(io::Error),
}

impl Failure {
    /// Whether another replica may do better.
    fn is_its_own(&self) -> bool {
        match self {
            Self::Client(error) => error.retryable(),
            Self::BrokeOff(..) | Self::Unusable(..) => true,
            Self::Write(_) => false,
        }
    }
}

/// Asks one replica after the other, and writes what comes to what `begin` makes. Returns that, what the backup holds, and
/// its length in bytes. Once something has been written to standard output, nobody else is asked: it cannot be taken back.
///
/// # Errors
/// The last replica's, or the first that no other one could mend.
pub(super) async fn download<W: Out>(
    client: &Client,
    endpoints: &[Endpoint],
    progress: &Progress,
    begin: impl Fn() -> io::Result<W>,
) -> anyhow::Result<(W, (Content, u64))> {
    let mut last = None;
    for endpoint in endpoints {
        match from_one(client, endpoint, progress, &begin).await {
            Ok(taken) => return Ok(taken),
            Err(failure) if failure.is_its_own() => {
                if last.is_none() && endpoints.len() > 1 {
                    progress.note(&format!("{failure}; asking another replica"));
                }
                last = Some(failure);
            }
            Err(failure) => return Err(failure.into()),
        }
    }
    match last {
        Some(failure) => Err(failure.into()),
        None => anyhow::bail!("no replica to ask: give --url"),
    }
}

async fn from_one<W: Out>(
    client: &Client,
    endpoint: &Endpoint,
    progress: &Progress,
    begin: &impl Fn() -> io::Result<W>,
) -> Result<(W, (Content, u64)), Failure> {
    let mut answer = client.backup(endpoint).await?;
    let expected = answer.headers().get(EXPENSES);
    let expected = expected.and_then(|value| value.to_str().ok()?.parse().ok());
    progress.expect(expected);
    let out = begin().map_err(Failure::Write)?;
    let (pieces, waiting) = mpsc::channel::<Bytes>(PIECES);
    let tee = Tee::new(waiting, out);
    let shown = progress.clone();
    let checking = tokio::task::spawn_blocking(move || tee::verify(tee, |rows, _| shown.set(rows)));
    let mut broken = None;
    loop {
        match timeout(SILENCE, answer.chunk()).await {
            // Whoever checks stops early where there is nothing more to be checked.
            Ok(Ok(Some(piece))) => {
                if pieces.send(piece).await.is_err() {
                    break;
                }
            }
            Ok(Ok(None)) => break,
            Ok(Err(error)) => {
                broken = Some(transport_error(endpoint, &error).to_string());
                break;
            }
            Err(_elapsed) => {
                broken = Some(format!("silent for {} s", SILENCE.as_secs()));
                break;
            }
        }
    }
    drop(pieces);
    let checked = checking
        .await
        .map_err(|e| Failure::Write(io::Error::other(e)))?;
    match (broken, checked) {
        (_, Err(tee::Fault::Write(error))) => Err(Failure::Write(error)),
        (Some(reason), _) => Err(Failure::BrokeOff(endpoint.clone(), reason)),
        (None, Err(tee::Fault::Unusable(error))) => {
            Err(Failure::Unusable(endpoint.clone(), error.to_string()))
        }
        (None, Ok(taken)) => Ok(taken),
    }
}

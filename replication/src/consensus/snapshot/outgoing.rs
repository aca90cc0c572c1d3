//! A backup on its way to whoever asked for it, in pieces. Nothing is kept but a few of them: who takes them slowly slows
//! the reading down, and who takes none for long is given up, since the transaction that is read from holds back the
//! database's own cleaning.

use std::io::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::rows::Sink;
use super::seal::seal;

/// Bytes of a piece; the last one is shorter, and one with a long frame longer.
const PIECE: usize = 256 << 10;
/// Longest wait for somebody to take a piece.
const STALL: Duration = Duration::from_secs(30);

/// See the module.
pub(crate) struct Outgoing {
    piece: Vec<u8>,
    hasher: blake3::Hasher,
    to: mpsc::Sender<Result<Bytes, String>>,
    /// Whether this replica still may answer.
    may_go_on: Box<dyn Fn() -> Result<(), String> + Send>,
}

impl Outgoing {
    pub(crate) fn new(
        to: mpsc::Sender<Result<Bytes, String>>,
        may_go_on: Box<dyn Fn() -> Result<(), String> + Send>,
    ) -> Self {
        Self {
            piece: Vec::new(),
            hasher: blake3::Hasher::new(),
            to,
            may_go_on,
        }
    }

    async fn send(&mut self) -> io::Result<()> {
        (self.may_go_on)().map_err(io::Error::other)?;
        let piece = std::mem::take(&mut self.piece);
        let sent = self.to.send_timeout(Ok(piece.into()), STALL).await;
        sent.map_err(|error| {
            io::Error::other(match error {
                mpsc::error::SendTimeoutError::Timeout(_) => "nobody takes it any more",
                mpsc::error::SendTimeoutError::Closed(_) => "whoever asked for it is gone",
            })
        })
    }

    /// Sends what is left, with the seal.
    pub(super) async fn finish(mut self) -> io::Result<()> {
        self.hasher.update(&self.piece);
        let seal = seal(&self.hasher);
        self.piece.extend(seal);
        self.send().await
    }
}

impl Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Outgoing {
    async fn pass_on(&mut self) -> io::Result<()> {
        if self.piece.len() < PIECE {
            return Ok(());
        }
        self.hasher.update(&self.piece);
        self.send().await
    }
}

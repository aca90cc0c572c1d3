//! Writes a backup as it comes, and checks it on the way.

use std::io::{self, Read, Write};

use bytes::{Buf, Bytes};
use threefold_replication::backup::{self, Content, UnusableBackup};
use tokio::sync::mpsc;

/// Why a backup is not kept.
#[derive(Debug)]
pub(super) enum Fault {
    /// Where it goes to failed.
    Write(io::Error),
    /// It is not as it should be.
    Unusable(UnusableBackup),
}

/// Reads pieces that another task sends; whatever is read has been written.
pub(super) struct Tee<W> {
    pieces: mpsc::Receiver<Bytes>,
    piece: Bytes,
    out: W,
    failed: Option<io::Error>,
}

impl<W: Write> Tee<W> {
    pub(super) fn new(pieces: mpsc::Receiver<Bytes>, out: W) -> Self {
        Self {
            pieces,
            piece: Bytes::new(),
            out,
            failed: None,
        }
    }
}

impl<W: Write> Read for Tee<W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let Some(piece) = self.pieces.blocking_recv() else {
                return Ok(0);
            };
            if let Err(error) = self.out.write_all(&piece) {
                self.failed = Some(error);
                return Err(io::Error::other("it cannot be written"));
            }
            self.piece = piece;
        }
        let count = self.piece.remaining().min(buffer.len());
        let taken = self.piece.split_to(count);
        if let Some(place) = buffer.get_mut(..count) {
            place.copy_from_slice(&taken);
        }
        Ok(count)
    }
}

/// Reads to the end, and returns what was written to, what the backup holds and its length in bytes. Blocks its thread.
pub(super) fn verify<W: Write>(
    mut tee: Tee<W>,
    progress: impl FnMut(u64, u64),
) -> Result<(W, (Content, u64)), Fault> {
    let verified = backup::verify(&mut tee, progress);
    if let Some(error) = tee.failed {
        return Err(Fault::Write(error));
    }
    let verified = verified.map_err(Fault::Unusable)?;
    tee.out.flush().map_err(Fault::Write)?;
    Ok((tee.out, verified))
}

//! The seal of a backup: a last piece with the hash of every byte before it. A snapshot is checked by what is in it; a
//! file that lay around for years, or came over networks and disks, is checked bit by bit, so that no damage is too small
//! to be told. It is a skippable frame of zstd, which programs that know zstd pass over.

use std::io::{self, Read};

use super::SnapshotFault;
use super::frames::damaged;

/// What a seal begins with: magic number of a skippable frame, its length after that (40), and our own mark.
const MARK: [u8; 16] = *b"\x5a\x2a\x4d\x18\x28\x00\x00\x003fbackup";
/// Bytes of a seal.
const LENGTH: usize = MARK.len() + blake3::OUT_LEN;
/// Bytes read at once.
const PIECE: usize = 64 << 10;

/// The seal of what was hashed.
pub(super) fn seal(hasher: &blake3::Hasher) -> Vec<u8> {
    [&MARK[..], hasher.finalize().as_bytes()].concat()
}

/// Reads what is sealed, and leaves the seal out.
pub(super) struct Sealed<R> {
    source: R,
    /// Read and not handed out; its last bytes may be the seal.
    held: Vec<u8>,
    /// Bytes of `held` that were handed out.
    taken: usize,
    at_end: bool,
    hasher: blake3::Hasher,
    length: u64,
}

impl<R: Read> Sealed<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            held: Vec::new(),
            taken: 0,
            at_end: false,
            hasher: blake3::Hasher::new(),
            length: 0,
        }
    }

    /// Bytes so far, the seal included at the end.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Checks the seal, after everything before it has been read.
    pub(super) fn check(mut self) -> Result<u64, SnapshotFault> {
        // Nothing is left, unless the reader stopped early.
        io::copy(&mut self, &mut io::sink()).map_err(super::frames::read_fault)?;
        let rest = self.held.get(self.taken..).unwrap_or_default();
        if !rest.starts_with(&MARK) || rest.len() != LENGTH {
            return Err(damaged("its seal is missing: it is cut off, or no backup"));
        }
        if rest != seal(&self.hasher) {
            return Err(damaged("its seal does not match"));
        }
        Ok(self.length)
    }

    fn fill(&mut self) -> io::Result<()> {
        while !self.at_end && self.held.len() - self.taken <= LENGTH {
            self.held.drain(..self.taken);
            self.taken = 0;
            let before = self.held.len();
            let piece = &mut self.source;
            let read = piece.take(PIECE as u64).read_to_end(&mut self.held)?;
            self.length += read as u64;
            self.at_end = self.held.len() == before;
        }
        Ok(())
    }
}

impl<R: Read> Read for Sealed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.fill()?;
        let end = self.held.len().saturating_sub(LENGTH).max(self.taken);
        let ready = self.held.get(self.taken..end).unwrap_or_default();
        let count = ready.len().min(buffer.len());
        let (Some(from), Some(to)) = (ready.get(..count), buffer.get_mut(..count)) else {
            return Ok(0);
        };
        to.copy_from_slice(from);
        self.hasher.update(from);
        self.taken += count;
        Ok(count)
    }
}

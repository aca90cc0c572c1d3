//! A snapshot as bytes: frames, each with its length before it, compressed as one stream, with the hash of all of them in
//! the last. The first says the format, and is read so that a newer one is told from damage.

use std::io::{self, BufRead, BufReader, Read, Write};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use threefold_entity::{Revision, category, change, expense, idempotency_key, ledger};
use uuid::Uuid;

use super::SnapshotFault;
use crate::consensus::types::{LogId, SnapshotMeta, StoredMembership};
use crate::format::{self, Formats};
use crate::history::HistoryHash;
use crate::peer::{decode, encode};

/// Longest frame that is read: the largest change row fits.
const MAX_FRAME: u32 = 256 << 20;
/// Fast, and a third of the size.
const COMPRESSION_LEVEL: i32 = 1;
/// Most memory that a stream may ask its reader for, as a power of two: 8 MiB. Level 1 asks for much less.
const MAX_WINDOW_LOG: u32 = 23;

/// First frame.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) format: u32,
    pub(crate) last_applied: Option<LogId>,
    pub(crate) membership: StoredMembership,
    pub(crate) revision: Revision,
    pub(crate) hash: HistoryHash,
    pub(crate) expense_count: i64,
    /// The cluster it was taken from; only backups say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cluster_id: Option<Uuid>,
    /// When it was taken; only backups say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) taken_at: Option<DateTime<Utc>>,
}

impl Header {
    pub(crate) fn meta(&self) -> SnapshotMeta {
        let id = self
            .last_applied
            .map(|log_id| (log_id.leader_id.term, log_id.index))
            .unwrap_or_default();
        SnapshotMeta {
            last_log_id: self.last_applied,
            last_membership: self.membership.clone(),
            snapshot_id: format!("{}-{}", id.0, id.1),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Frame {
    Header(Header),
    Ledgers(Vec<ledger::Model>),
    Categories(Vec<category::Model>),
    Expenses(Vec<expense::Record>),
    Changes(Vec<change::Model>),
    Keys(Vec<idempotency_key::Model>),
    /// Last frame: blake3 of all frames before it.
    End([u8; 32]),
}

/// As much of a first frame as can be read of any format.
#[derive(Deserialize)]
enum Opening {
    Header(Version),
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// Writes frames.
pub(super) struct FrameWriter<W: Write> {
    out: zstd::Encoder<'static, W>,
    hasher: blake3::Hasher,
}

impl<W: Write> FrameWriter<W> {
    pub(super) fn new(out: W) -> io::Result<Self> {
        Ok(Self {
            out: zstd::Encoder::new(out, COMPRESSION_LEVEL)?,
            hasher: blake3::Hasher::new(),
        })
    }

    pub(super) fn put(&mut self, frame: &Frame) -> io::Result<()> {
        let bytes = encode(frame);
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        if length > MAX_FRAME {
            return Err(io::Error::other("a frame of the snapshot is too long"));
        }
        self.hasher.update(&bytes);
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&bytes)
    }

    /// Where it writes to.
    pub(super) fn sink(&mut self) -> &mut W {
        self.out.get_mut()
    }

    /// Writes the last frame, and the end of the stream.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let digest = *self.hasher.finalize().as_bytes();
        self.put(&Frame::End(digest))?;
        self.out.finish()
    }
}

/// Reads frames.
pub(super) struct FrameReader<R: Read> {
    input: zstd::Decoder<'static, BufReader<R>>,
    hasher: blake3::Hasher,
    ended: bool,
}

impl<R: Read> FrameReader<R> {
    /// Reads the header. Nothing is known to be whole before the last frame has been read.
    pub(super) fn open(source: R) -> Result<(Header, Self), SnapshotFault> {
        let mut input = zstd::Decoder::new(source)?.single_frame();
        input.window_log_max(MAX_WINDOW_LOG)?;
        let mut reader = Self {
            input,
            hasher: blake3::Hasher::new(),
            ended: false,
        };
        let bytes = reader.frame()?;
        let no_header = |_| damaged("it does not begin with a header");
        let Opening::Header(version) = decode(&bytes).map_err(no_header)?;
        format::check(version.format, Formats::OWN.snapshot)?;
        reader.hasher.update(&bytes);
        match decode(&bytes).map_err(unreadable)? {
            Frame::Header(header) => Ok((header, reader)),
            _ => Err(damaged("it does not begin with a header")),
        }
    }

    /// The next frame of rows; none at the end, once the hash and the end of the stream are as they should be.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, SnapshotFault> {
        if self.ended {
            return Ok(None);
        }
        let bytes = self.frame()?;
        let frame = decode(&bytes).map_err(unreadable)?;
        let Frame::End(digest) = &frame else {
            self.hasher.update(&bytes);
            return Ok(Some(frame));
        };
        self.ended = true;
        if self.hasher.finalize().as_bytes() != digest {
            return Err(damaged("its checksum does not match"));
        }
        let more = self.input.read(&mut [0]).map_err(read_fault)?;
        let behind = self.input.get_mut().fill_buf().map_err(read_fault)?;
        if more > 0 || !behind.is_empty() {
            return Err(damaged("there is something behind its end"));
        }
        Ok(None)
    }

    /// What it reads from.
    pub(super) fn source(&self) -> &R {
        self.input.get_ref().get_ref()
    }

    /// What it has read from.
    pub(super) fn into_source(self) -> R {
        self.input.finish().into_inner()
    }

    fn frame(&mut self) -> Result<Vec<u8>, SnapshotFault> {
        let mut length = [0; 4];
        self.input.read_exact(&mut length).map_err(read_fault)?;
        let length = u32::from_be_bytes(length);
        if length > MAX_FRAME {
            return Err(damaged(&format!("a frame claims {length} bytes")));
        }
        // No more memory than there are bytes, whatever a damaged length claims.
        let mut bytes = Vec::new();
        let mut rest = (&mut self.input).take(length.into());
        rest.read_to_end(&mut bytes).map_err(read_fault)?;
        if bytes.len() as u64 != u64::from(length) {
            return Err(damaged("it is cut off"));
        }
        Ok(bytes)
    }
}

pub(super) fn damaged(what: &str) -> SnapshotFault {
    SnapshotFault::Damaged(what.to_owned())
}

fn unreadable(fault: crate::peer::PeerFault) -> SnapshotFault {
    SnapshotFault::Damaged(fault.to_string())
}

/// Errors of the file system have a number of the operating system; those of a stream that makes no sense have none.
pub(super) fn read_fault(error: io::Error) -> SnapshotFault {
    if error.raw_os_error().is_some() {
        return SnapshotFault::Io(error);
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => damaged("it is cut off"),
        _ => SnapshotFault::Damaged(error.to_string()),
    }
}

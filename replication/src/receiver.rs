//! Chunks of a snapshot, put together into a file. One whose answer was lost comes again.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use bytes::Bytes;
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

use crate::consensus::snapshot::SnapshotFile;
use crate::consensus::{SnapshotChunk, Vote};
use crate::peer::{PeerFault, ServiceFault};

/// The answer to a last chunk; none while the snapshot is being installed.
pub(crate) type Installed = Option<Result<Bytes, PeerFault>>;

/// What a chunk led to.
pub(crate) enum Taken {
    /// More are to come.
    Part,
    /// The whole file, to be installed; the answer is for all who ask for it.
    Whole(SnapshotFile, watch::Sender<Installed>),
    /// It was the last one, and is here already.
    Again(watch::Receiver<Installed>),
}

/// One transfer at a time; a new one takes the place of one that broke off.
pub(crate) struct SnapshotReceiver {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Not whole yet.
    transfer: Option<Transfer>,
    /// The last one that was whole.
    whole: Option<(Uuid, watch::Receiver<Installed>)>,
}

struct Transfer {
    id: Uuid,
    vote: Vote,
    file: SnapshotFile,
    out: File,
    length: u64,
}

impl State {
    /// The beginning of a transfer that was given up may come late; a leader's names are in order of time.
    fn has_newer(&self, chunk: &SnapshotChunk) -> bool {
        let under_way = self.transfer.as_ref();
        under_way.is_some_and(|it| (it.vote, it.id) > (chunk.vote, chunk.transfer))
    }
}

impl SnapshotReceiver {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            state: Mutex::default(),
        }
    }

    /// Takes a chunk.
    pub(crate) async fn take(&self, chunk: &SnapshotChunk) -> Result<Taken, ServiceFault> {
        let failed = |e: std::io::Error| {
            ServiceFault::Unavailable(format!("the snapshot cannot be stored: {e}"))
        };
        failpoint!("snapshot.receive", |e| failed(std::io::Error::from(e)));
        let mut state = self.state.lock().await;
        if let Some((id, installed)) = &state.whole
            && *id == chunk.transfer
        {
            return Ok(Taken::Again(installed.clone()));
        }
        let end = chunk.offset + chunk.bytes.len() as u64;
        let under_way = state.transfer.as_ref().filter(|it| it.id == chunk.transfer);
        match under_way {
            Some(transfer) if !chunk.done && end <= transfer.length => return Ok(Taken::Part),
            Some(_) => {}
            // Without bytes it only asks after what was here before a restart.
            None if chunk.offset == 0 && !chunk.bytes.is_empty() && !state.has_newer(chunk) => {
                state.transfer = Some(self.begin(chunk).map_err(failed)?);
            }
            None => {}
        }
        let right = |it: &mut Transfer| it.id == chunk.transfer && it.length == chunk.offset;
        let Some(mut transfer) = state.transfer.take_if(right) else {
            return Err(ServiceFault::Unavailable(
                "a chunk of a snapshot is missing; start again".to_owned(),
            ));
        };
        transfer.out.write_all(&chunk.bytes).map_err(failed)?;
        transfer.length = end;
        if !chunk.done {
            state.transfer = Some(transfer);
            return Ok(Taken::Part);
        }
        transfer.out.sync_all().map_err(failed)?;
        let (installed, known) = watch::channel(None);
        state.whole = Some((transfer.id, known));
        Ok(Taken::Whole(transfer.file, installed))
    }

    fn begin(&self, chunk: &SnapshotChunk) -> std::io::Result<Transfer> {
        let id = chunk.transfer;
        std::fs::create_dir_all(&self.folder)?;
        let path = self.folder.join(format!("incoming-{id}.snapshot"));
        let out = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .open(&path)?;
        Ok(Transfer {
            id,
            vote: chunk.vote,
            file: SnapshotFile::new(path),
            out,
            length: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(transfer: u128, offset: u64, bytes: &'static str, done: bool) -> SnapshotChunk {
        SnapshotChunk {
            transfer: Uuid::from_u128(transfer),
            vote: Vote::new(1, 1),
            offset,
            bytes: Bytes::from_static(bytes.as_bytes()),
            done,
            asks_again: true,
        }
    }

    #[tokio::test]
    async fn what_comes_again_is_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let receiver = SnapshotReceiver::new(folder.path().to_owned());
        for part in [
            chunk(1, 0, "one, ", false),
            chunk(1, 0, "one, ", false),
            chunk(1, 5, "two, ", false),
            chunk(1, 0, "one, ", false),
            chunk(1, 5, "two, ", false),
        ] {
            assert!(matches!(receiver.take(&part).await, Ok(Taken::Part)));
        }
        let last = chunk(1, 10, "three", true);
        let Ok(Taken::Whole(file, installed)) = receiver.take(&last).await else {
            panic!("it is whole");
        };
        let content = std::fs::read_to_string(file.path()).unwrap();
        assert_eq!(content, "one, two, three");

        let Ok(Taken::Again(mut known)) = receiver.take(&last).await else {
            panic!("it is being installed");
        };
        assert_eq!(*known.borrow_and_update(), None);
        let answer = Ok(Bytes::from_static(b"installed"));
        installed.send_replace(Some(answer.clone()));
        assert_eq!(*known.borrow_and_update(), Some(answer.clone()));
        drop(installed);
        // However late.
        let Ok(Taken::Again(known)) = receiver.take(&last).await else {
            panic!("it is installed");
        };
        assert_eq!(*known.borrow(), Some(answer));
    }

    #[tokio::test]
    async fn what_is_missing_is_not_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let receiver = SnapshotReceiver::new(folder.path().to_owned());
        receiver.take(&chunk(1, 0, "one, ", false)).await.unwrap();
        assert!(receiver.take(&chunk(1, 10, "three", true)).await.is_err());
        assert!(receiver.take(&chunk(2, 5, "two, ", false)).await.is_err());
        assert!(receiver.take(&chunk(2, 0, "", true)).await.is_err());
        // What another leader begins takes its place.
        receiver.take(&chunk(2, 0, "ONE, ", false)).await.unwrap();
        assert!(receiver.take(&chunk(1, 5, "two, ", false)).await.is_err());
        // Not the beginning of an earlier one, however late it comes.
        assert!(receiver.take(&chunk(1, 0, "one, ", false)).await.is_err());
        let last = receiver.take(&chunk(2, 5, "TWO", true)).await;
        let Ok(Taken::Whole(file, _)) = last else {
            panic!("it is whole");
        };
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "ONE, TWO");
    }
}

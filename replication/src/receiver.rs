//! Chunks of a snapshot, put together into a file.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use tokio::sync::Mutex;
use uuid::Uuid;

use crate::consensus::SnapshotChunk;
use crate::consensus::snapshot::SnapshotFile;
use crate::peer::ServiceFault;

/// One transfer at a time; a new one takes the place of one that broke off.
pub(crate) struct SnapshotReceiver {
    folder: PathBuf,
    transfer: Mutex<Option<Transfer>>,
}

struct Transfer {
    id: Uuid,
    file: SnapshotFile,
    out: File,
    length: u64,
}

impl SnapshotReceiver {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            transfer: Mutex::default(),
        }
    }

    /// Takes a chunk; the whole file after the last one.
    pub(crate) async fn take(
        &self,
        chunk: &SnapshotChunk,
    ) -> Result<Option<SnapshotFile>, ServiceFault> {
        let failed = |e: std::io::Error| {
            ServiceFault::Unavailable(format!("the snapshot cannot be stored: {e}"))
        };
        failpoint!("snapshot.receive", |e| failed(std::io::Error::from(e)));
        let mut current = self.transfer.lock().await;
        if chunk.offset == 0 {
            std::fs::create_dir_all(&self.folder).map_err(failed)?;
            let path = self
                .folder
                .join(format!("incoming-{}.snapshot", chunk.transfer));
            let out = OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .open(&path)
                .map_err(failed)?;
            *current = Some(Transfer {
                id: chunk.transfer,
                file: SnapshotFile::new(path),
                out,
                length: 0,
            });
        }
        let Some(mut transfer) =
            current.take_if(|t| t.id == chunk.transfer && t.length == chunk.offset)
        else {
            return Err(ServiceFault::Unavailable(
                "a chunk of a snapshot is missing; start again".to_owned(),
            ));
        };
        transfer.out.write_all(&chunk.bytes).map_err(failed)?;
        transfer.length += chunk.bytes.len() as u64;
        if !chunk.done {
            *current = Some(transfer);
            return Ok(None);
        }
        transfer.out.sync_all().map_err(failed)?;
        Ok(Some(transfer.file))
    }
}

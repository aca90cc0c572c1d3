//! A snapshot with a seal, for people to keep.

use std::io::Read;

use chrono::{DateTime, Utc};
use threefold_entity::Revision;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::audit::Audit;
use super::frames::{FrameReader, Header};
use super::outgoing::Outgoing;
use super::seal::Sealed;
use super::{SnapshotFault, replace_rows, rows, take_standing};
use crate::consensus::types::StoredMembership;
use crate::database::Database;
use crate::format::Formats;

/// Sends the state as it is now, and tells its header as soon as it is known.
pub(crate) async fn write_backup(
    db: &Database,
    cluster_id: Uuid,
    at_least: Revision,
    outgoing: Outgoing,
    told: oneshot::Sender<Header>,
) -> Result<(), SnapshotFault> {
    let tx = rows::begin(db).await?;
    let mut header = rows::header(&tx, Formats::OWN.snapshot).await?;
    if header.revision < at_least {
        let reason = "the database has lost its newest commits and is catching up; try again";
        return Err(SnapshotFault::Stopped(reason.to_owned()));
    }
    header.cluster_id = Some(cluster_id);
    let now = Utc::now();
    header.taken_at = Some(DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now));
    if told.send(header.clone()).is_err() {
        return Err(SnapshotFault::Stopped("nobody waits for it".to_owned()));
    }
    let outgoing = rows::write(tx, header, outgoing).await?;
    Ok(outgoing.finish().await?)
}

/// Reads a whole backup; returns its header and its length in bytes if all is as it should be. `progress` hears how many rows
/// have been read, and of how many bytes.
pub(crate) fn verify_backup(
    source: impl Read,
    progress: impl FnMut(u64, u64),
) -> Result<(Header, u64), SnapshotFault> {
    let mut sealed = Sealed::new(source);
    match read_all(&mut sealed, progress) {
        Ok(header) => Ok((header, sealed.check()?)),
        // The number may be what is damaged. The seal is the same in every format.
        Err(newer @ SnapshotFault::Newer(_)) => sealed.check().and(Err(newer)),
        Err(fault) => Err(fault),
    }
}

/// Reads everything but the seal.
fn read_all<R: Read>(
    sealed: &mut Sealed<R>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Header, SnapshotFault> {
    let (header, mut reader) = FrameReader::open(sealed)?;
    let mut audit = Audit::default();
    while let Some(frame) = reader.next()? {
        audit.take(&frame)?;
        progress(audit.rows(), reader.source().length());
    }
    audit.check(&header)?;
    Ok(header)
}

/// Puts a backup into a database that is empty but for the replica's identity: all of it, or nothing. The replicas of the
/// cluster it was taken from are not taken over.
pub(crate) async fn install_backup<R: Read + Send>(
    db: &Database,
    source: R,
) -> Result<(), SnapshotFault> {
    let (mut header, reader) = FrameReader::open(Sealed::new(source))?;
    let tx = db.begin_flushed().await?;
    replace_rows(&tx, reader).await?.check()?;
    header.membership = StoredMembership::default();
    take_standing(tx, header).await?;
    db.flush().await?;
    Ok(())
}

//! From the database into frames: all rows of one repeatable-read transaction, page by page.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use sea_orm::{
    AccessMode, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait,
    IsolationLevel, QueryFilter, QueryOrder, QuerySelect, TransactionTrait,
};
use threefold_entity::{category, change, expense, idempotency_key, ledger};
use uuid::Uuid;

use super::SnapshotFault;
use super::frames::{Frame, FrameWriter, Header};
use crate::consensus::state_machine::load_standing;
use crate::database::Database;

/// Rows read or written at once.
const PAGE: u64 = 2_000;
/// Revisions read or written at once; each is at most one proposal.
const CHANGE_PAGE: u64 = 16;

/// Where frames go. What it has taken, it may have to pass on before it takes more.
pub(in crate::consensus) trait Sink: Write + Send {
    /// Passes on what is there; called between frames.
    fn pass_on(&mut self) -> impl Future<Output = io::Result<()>> + Send;
}

/// A file takes everything at once.
impl Sink for BufWriter<File> {
    async fn pass_on(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins to read the state as it is now; later commits are not seen.
pub(super) async fn begin(db: &Database) -> Result<DatabaseTransaction, DbErr> {
    db.reader
        .begin_with_config(
            Some(IsolationLevel::RepeatableRead),
            Some(AccessMode::ReadOnly),
        )
        .await
}

/// The header of what a transaction sees.
pub(super) async fn header(tx: &DatabaseTransaction, format: u32) -> Result<Header, DbErr> {
    let standing = load_standing(tx).await?;
    Ok(Header {
        format,
        last_applied: standing.last_applied,
        membership: standing.membership,
        revision: standing.resident.revision,
        hash: standing.resident.hash,
        expense_count: standing.resident.expense_count,
        cluster_id: None,
        taken_at: None,
    })
}

/// Writes the header and all rows, and returns the sink.
pub(super) async fn write<S: Sink>(
    tx: DatabaseTransaction,
    header: Header,
    sink: S,
) -> Result<S, SnapshotFault> {
    let mut writer = FrameWriter::new(sink)?;
    put(&mut writer, Frame::Header(header)).await?;
    let ledgers = ledger::Entity::find().order_by_asc(ledger::Column::Id);
    put(&mut writer, Frame::Ledgers(ledgers.all(&tx).await?)).await?;
    let categories = category::Entity::find().order_by_asc(category::Column::Id);
    put(&mut writer, Frame::Categories(categories.all(&tx).await?)).await?;
    put_expenses(&mut writer, &tx).await?;
    put_changes(&mut writer, &tx).await?;
    put_keys(&mut writer, &tx).await?;
    tx.rollback().await?;
    Ok(writer.finish()?)
}

async fn put<S: Sink>(writer: &mut FrameWriter<S>, frame: Frame) -> io::Result<()> {
    writer.put(&frame)?;
    writer.sink().pass_on().await
}

async fn put_expenses<S: Sink>(
    writer: &mut FrameWriter<S>,
    tx: &impl ConnectionTrait,
) -> Result<(), SnapshotFault> {
    let mut after = Uuid::nil();
    loop {
        let query = expense::Entity::find()
            .filter(expense::Column::Id.gt(after))
            .order_by_asc(expense::Column::Id);
        let rows = query.limit(PAGE).all(tx).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.id;
        failpoint!("snapshot.write", |e| SnapshotFault::Io(io::Error::from(e)));
        let records = rows
            .into_iter()
            .map(expense::Record::try_from)
            .collect::<Result<Vec<_>, _>>();
        let records = records.map_err(|e| SnapshotFault::Damaged(e.to_string()))?;
        put(writer, Frame::Expenses(records)).await?;
    }
}

async fn put_changes<S: Sink>(
    writer: &mut FrameWriter<S>,
    tx: &impl ConnectionTrait,
) -> Result<(), SnapshotFault> {
    let mut after = 0;
    loop {
        let query = change::Entity::find()
            .filter(change::Column::Revision.gt(after))
            .order_by_asc(change::Column::Revision);
        let rows = query.limit(CHANGE_PAGE).all(tx).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.revision;
        put(writer, Frame::Changes(rows)).await?;
    }
}

async fn put_keys<S: Sink>(
    writer: &mut FrameWriter<S>,
    tx: &impl ConnectionTrait,
) -> Result<(), SnapshotFault> {
    let mut after = Uuid::nil();
    loop {
        let query = idempotency_key::Entity::find()
            .filter(idempotency_key::Column::Key.gt(after))
            .order_by_asc(idempotency_key::Column::Key);
        let rows = query.limit(PAGE).all(tx).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.key;
        put(writer, Frame::Keys(rows)).await?;
    }
}

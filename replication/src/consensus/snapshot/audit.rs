//! Whether the content of a backup holds together: revisions without gaps, a hash chain that leads to the hash of the
//! header, and as many expenses as the header says. A checksum says that nothing has changed since; this says that it was
//! right then.

use threefold_entity::Revision;

use super::SnapshotFault;
use super::frames::{Frame, Header, damaged};
use crate::history::HistoryHash;

/// Looks at every frame.
#[derive(Default)]
pub(super) struct Audit {
    expenses: i64,
    rows: u64,
    last: Option<(Revision, HistoryHash)>,
}

impl Audit {
    /// Rows seen so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn take(&mut self, frame: &Frame) -> Result<(), SnapshotFault> {
        let rows = match frame {
            Frame::Header(_) | Frame::End(_) => 0,
            Frame::Ledgers(rows) => rows.len(),
            Frame::Categories(rows) => rows.len(),
            Frame::Keys(rows) => rows.len(),
            Frame::Expenses(records) => {
                let live = records.iter().filter(|record| record.deleted_at.is_none());
                self.expenses += i64::try_from(live.count()).unwrap_or(i64::MAX);
                records.len()
            }
            Frame::Changes(rows) => {
                for row in rows {
                    let revision = Revision::from_column(row.revision);
                    let hash = HistoryHash::from_column(&row.hash)
                        .ok_or_else(|| damaged("a hash has not 32 bytes"))?;
                    let begins = (revision == Revision::ZERO.next())
                        .then_some((Revision::ZERO, HistoryHash::EMPTY));
                    if let Some((before, chain)) = self.last.or(begins) {
                        let next =
                            chain.extend(revision, row.ledger_id, row.committed_at, &row.payload);
                        if before.next() != revision || next != hash {
                            return Err(damaged(&format!(
                                "its history breaks at revision {revision}"
                            )));
                        }
                    }
                    self.last = Some((revision, hash));
                }
                rows.len()
            }
        };
        self.rows += rows as u64;
        Ok(())
    }

    /// Compares with the header, at the end.
    pub(super) fn check(self, header: &Header) -> Result<(), SnapshotFault> {
        if self.expenses != header.expense_count {
            return Err(damaged(&format!(
                "it has {} expenses, and says {}",
                self.expenses, header.expense_count
            )));
        }
        match self.last {
            Some(last) if last != (header.revision, header.hash) => {
                Err(damaged("its history does not end where its header says"))
            }
            None if header.revision != Revision::ZERO => Err(damaged("its history is missing")),
            _ => Ok(()),
        }
    }
}

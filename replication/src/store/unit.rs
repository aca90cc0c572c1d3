//! A unit of work: reads and writes that take effect together or not at all.
//!
//! Writes are held back until something depends on them. On PostgreSQL those that are still held back at the end, as nearly always
//! all of them are, go with the new position in one statement, which is a transaction of its own: one round trip, where `BEGIN`, a
//! statement a table and `COMMIT` would be eight.

use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseExecutor, DatabaseTransaction,
    DbErr, TransactionTrait,
};

use super::write::{Position, Write, together};

/// See the module. Dropped before it is committed, it leaves nothing behind.
pub(crate) struct Unit<'a> {
    db: &'a DatabaseConnection,
    /// Begun when writes had to be carried out before the end.
    transaction: Option<DatabaseTransaction>,
    held_back: Vec<Write>,
}

impl<'a> Unit<'a> {
    pub(crate) fn new(db: &'a DatabaseConnection) -> Self {
        Self {
            db,
            transaction: None,
            held_back: Vec::new(),
        }
    }

    /// Adds a write that touches no row of those that are held back.
    pub(super) fn add(&mut self, write: Write) {
        if !write.is_empty() {
            self.held_back.push(write);
        }
    }

    /// Carries out what is held back, for what depends on it.
    pub(super) async fn carry_out(&mut self) -> Result<(), DbErr> {
        if self.held_back.is_empty() {
            return Ok(());
        }
        let transaction = match self.transaction.take() {
            Some(transaction) => transaction,
            None => self.db.begin().await?,
        };
        let transaction = self.transaction.insert(transaction);
        let writes = std::mem::take(&mut self.held_back);
        if transaction.get_database_backend() == DatabaseBackend::Postgres {
            if let Some(statement) = together(writes, None) {
                transaction.query_one_raw(statement).await?;
            }
            return Ok(());
        }
        for write in writes {
            write.run(transaction).await?;
        }
        Ok(())
    }

    /// To read with, after all writes so far.
    pub(super) async fn reader(&mut self) -> Result<DatabaseExecutor<'_>, DbErr> {
        self.carry_out().await?;
        Ok(match &self.transaction {
            Some(transaction) => transaction.into(),
            None => self.db.into(),
        })
    }

    /// Stores the position, with all that was written. False, and nothing is stored, where the stored position is not the expected
    /// one, or a key is known that was taken for a new one.
    pub(crate) async fn commit(mut self, position: &Position) -> Result<bool, DbErr> {
        if self.db.get_database_backend() == DatabaseBackend::Postgres {
            let writes = std::mem::take(&mut self.held_back);
            let Some(statement) = together(writes, Some(position)) else {
                return Ok(false);
            };
            let answer = match &self.transaction {
                Some(transaction) => transaction.query_one_raw(statement).await?,
                None => self.db.query_one_raw(statement).await?,
            };
            let stored: Option<i64> = answer.map(|row| row.try_get("", "stored")).transpose()?;
            if stored != Some(1) {
                return Ok(false);
            }
            if let Some(transaction) = self.transaction {
                transaction.commit().await?;
            }
            return Ok(true);
        }
        self.carry_out().await?;
        let transaction = match self.transaction {
            Some(transaction) => transaction,
            None => self.db.begin().await?,
        };
        if !position.store(&transaction).await? {
            return Ok(false);
        }
        transaction.commit().await?;
        Ok(true)
    }
}

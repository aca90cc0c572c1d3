//! The tables that are compared: everything that a client can see or that decides an outcome, read page by page as
//! values in the order of their columns. What is each replica's own is left out.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, IntoSimpleExpr, QueryFilter, QueryOrder, QuerySelect,
    Value,
};
use threefold_entity::{
    category, change, expense, expense_term, idempotency_key, ledger, replica_state,
};

use crate::store::{rows, table};

/// A row: its values in the order of the table's columns.
pub(super) type Row = Vec<Value>;

/// A table that must be the same on every replica that stands at one log position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    Ledger,
    Category,
    Expense,
    ExpenseTerm,
    Change,
    IdempotencyKey,
    /// What `replica_state` says of the history; who the replica is differs.
    ReplicaState,
}

/// The columns of `replica_state` that are compared. Not the log position, which every replica has checked: so equal rows
/// have equal digests whenever they are compared.
const STANDING: [&str; 4] = ["id", "revision", "history_hash", "expense_count"];

impl Table {
    /// In the order in which they are read and differences are named.
    pub(super) const ALL: [Self; 7] = [
        Self::Ledger,
        Self::Category,
        Self::Expense,
        Self::ExpenseTerm,
        Self::Change,
        Self::IdempotencyKey,
        Self::ReplicaState,
    ];

    /// The one with that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        self.written().map_or("replica_state", |table| table.name)
    }

    /// Names of the columns, those of the primary key first.
    pub(super) fn columns(self) -> Vec<&'static str> {
        match self.written() {
            Some(table) => table.columns.iter().map(|column| column.name).collect(),
            None => STANDING.to_vec(),
        }
    }

    /// How many of the columns are the primary key.
    pub(super) fn key(self) -> usize {
        self.written().map_or(1, |table| table.key)
    }

    fn written(self) -> Option<&'static table::Table> {
        match self {
            Self::Ledger => Some(&rows::LEDGER),
            Self::Category => Some(&rows::CATEGORY),
            Self::Expense => Some(&rows::EXPENSE),
            Self::ExpenseTerm => Some(&rows::TERM),
            Self::Change => Some(&rows::CHANGE),
            Self::IdempotencyKey => Some(&rows::KEY),
            Self::ReplicaState => None,
        }
    }

    /// Rows read at once. A change holds a whole proposal, of up to megabytes; other rows are small.
    pub(super) fn page_size(self) -> u64 {
        match self {
            Self::Change => 64,
            Self::ExpenseTerm => 4_000,
            _ => 1_000,
        }
    }

    /// At most `limit` rows after the one with the key `after`, in the order of the primary key.
    pub(super) async fn page<C: ConnectionTrait>(
        self,
        db: &C,
        after: Option<&[Value]>,
        limit: u64,
    ) -> Result<Vec<Row>, DbErr> {
        use {
            category::Column as C2, change::Column as C3, expense::Column as C4,
            expense_term::Column as C5, idempotency_key::Column as C6, ledger::Column as C1,
            replica_state::Column as C7,
        };
        match self {
            Self::Ledger => {
                read::<ledger::Entity, _>(db, [C1::Id], after, limit, rows::ledger).await
            }
            Self::Category => {
                read::<category::Entity, _>(db, [C2::Id], after, limit, rows::category).await
            }
            Self::Change => {
                read::<change::Entity, _>(db, [C3::Revision], after, limit, rows::change_row).await
            }
            Self::Expense => {
                read::<expense::Entity, _>(db, [C4::Id], after, limit, rows::expense).await
            }
            Self::ExpenseTerm => {
                let key = [C5::ExpenseId, C5::Term];
                let row = |row: expense_term::Model| rows::term(row.expense_id, &row.term);
                read::<expense_term::Entity, _>(db, key, after, limit, row).await
            }
            Self::IdempotencyKey => {
                read::<idempotency_key::Entity, _>(db, [C6::Key], after, limit, rows::key).await
            }
            Self::ReplicaState => {
                read::<replica_state::Entity, _>(db, [C7::Id], after, limit, standing).await
            }
        }
    }
}

fn standing(row: replica_state::Model) -> Row {
    vec![
        row.id.into(),
        row.revision.into(),
        row.history_hash.into(),
        row.expense_count.into(),
    ]
}

async fn read<E, C>(
    db: &C,
    key: impl IntoIterator<Item = E::Column>,
    after: Option<&[Value]>,
    limit: u64,
    row: impl Fn(E::Model) -> Row,
) -> Result<Vec<Row>, DbErr>
where
    E: EntityTrait,
    C: ConnectionTrait,
{
    let key: Vec<E::Column> = key.into_iter().collect();
    let mut query = E::find().limit(limit);
    if let Some(after) = after {
        // One comparison of rows, which either database finds in the index of the primary key.
        let columns = key.iter().map(|column| column.into_simple_expr());
        let values = after.iter().cloned().map(Expr::val);
        query = query.filter(Expr::tuple(columns).gt(Expr::tuple(values)));
    }
    for column in key {
        query = query.order_by_asc(column);
    }
    let models = query.all(db).await?;
    Ok(models.into_iter().map(row).collect())
}

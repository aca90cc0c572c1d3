//! Rows by many ids at once, with few texts of statements.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseBackend, DbErr, EntityTrait, Iden, QueryFilter, Value,
};
use uuid::Uuid;

/// Most ids of one `IN` list.
const IN_LIST: usize = 1_024;

/// Rows whose column is one of the values.
pub(super) async fn find_in<E, C>(
    db: &C,
    column: E::Column,
    values: Vec<Uuid>,
) -> Result<Vec<E::Model>, DbErr>
where
    E: EntityTrait,
    C: ConnectionTrait,
{
    if values.is_empty() {
        return Ok(Vec::new());
    }
    if db.get_database_backend() == DatabaseBackend::Postgres {
        // One parameter, whatever the number of values: the statement stays prepared.
        let any = format!("{} = ANY($1)", Iden::to_string(&column));
        let any = Expr::cust_with_values(any, [Value::from(values)]);
        return E::find().filter(any).all(db).await;
    }
    let mut rows = Vec::new();
    for chunk in values.chunks(IN_LIST) {
        // The last one again and again, up to the next power of two.
        let again = chunk.last().into_iter().cycle();
        let padded = chunk.iter().chain(again).copied();
        let padded = padded.take(chunk.len().next_power_of_two());
        rows.extend(E::find().filter(column.is_in(padded)).all(db).await?);
    }
    Ok(rows)
}

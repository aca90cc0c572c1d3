use sea_orm::ConnectionTrait;

use super::*;
use crate::identity::{self, Identity};

const CHECKPOINT: Uuid = Uuid::from_u128(1);

/// A database at log position 7, with one ledger, as a migration leaves it.
async fn database() -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("state.db").display());
    let db = Database::open(&url).await.unwrap();
    let identity = Identity {
        cluster_id: Uuid::nil(),
        replica_id: 1,
        birth_mark: Uuid::nil(),
    };
    identity::write(folder.path(), &db, &identity)
        .await
        .unwrap();
    let sql = "UPDATE replica_state SET last_applied_index = 7, revision = 5";
    db.writer.execute_unprepared(sql).await.unwrap();
    (folder, db)
}

async fn digest(examiner: &Examiner, checkpoint: Uuid) -> Result<Arc<Digest>, String> {
    loop {
        let examination = examiner.of(checkpoint).expect("the last checkpoint");
        match examination.progress() {
            Answer::Examined(_) => return Ok(examination.digest().unwrap()),
            Answer::Refused(reason) => return Err(reason),
            _ => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

#[tokio::test]
async fn what_is_written_after_the_checkpoint_is_not_seen() {
    let (_folder, db) = database().await;
    let examiner = Examiner::new(db.clone());
    examiner.begin(CHECKPOINT, 7).await;
    db.writer
        .execute_unprepared("UPDATE ledger SET name = 'Other'")
        .await
        .unwrap();
    let first = digest(&examiner, CHECKPOINT).await.unwrap();
    assert_eq!((first.index, first.revision, first.rows()), (7, 5, 2));
    let ledger = RowHash::of(
        Table::Ledger,
        &Table::Ledger.page(&db.writer, None, 10).await.unwrap()[0],
    );
    let look = |keys| Look {
        table: "ledger".to_owned(),
        bucket: ledger.bucket(),
        keys,
    };
    let examination = examiner.of(CHECKPOINT).unwrap();
    let Answer::Rows(rows) = examination.look(look(None)).await else {
        panic!("no rows");
    };
    assert!(rows.len() == 1 && rows[0].0 == ledger.key && rows[0].1 != ledger.row);
    let Answer::Versions(rows) = examination.look(look(Some([ledger.key].into()))).await else {
        panic!("no versions");
    };
    assert_eq!(rows[0].1[1].as_deref(), Some("Household"));

    // A later checkpoint sees it, and ends the earlier one.
    let later = Uuid::from_u128(2);
    examiner.begin(later, 7).await;
    let second = digest(&examiner, later).await.unwrap();
    assert_ne!(first.root(), second.root());
    assert!(examiner.of(CHECKPOINT).is_none());
    // Let go, it knows its digest and no rows any more.
    examiner.release(later);
    assert_eq!(
        digest(&examiner, later).await.unwrap().root(),
        second.root()
    );
    let examination = examiner.of(later).unwrap();
    while !examination.looks.is_closed() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(matches!(
        examination.look(look(None)).await,
        Answer::Refused(_)
    ));
}

#[tokio::test]
async fn another_state_than_that_of_the_checkpoint_is_not_looked_at() {
    let (_folder, db) = database().await;
    let examiner = Examiner::new(db);
    examiner.begin(CHECKPOINT, 8).await;
    let reason = digest(&examiner, CHECKPOINT).await.unwrap_err();
    assert!(reason.contains("log position"), "{reason}");
    assert!(!examiner.is_at_work());
}

#[tokio::test]
async fn a_row_that_cannot_be_read_makes_its_table_unreadable_and_no_other() {
    let (_folder, db) = database().await;
    let sql = "UPDATE ledger SET expense_count = 'many'";
    db.writer.execute_unprepared(sql).await.unwrap();
    let examiner = Examiner::new(db);
    examiner.begin(CHECKPOINT, 7).await;
    let digest = digest(&examiner, CHECKPOINT).await.unwrap();
    let unreadable = digest
        .tables
        .iter()
        .filter(|table| table.unreadable.is_some());
    let names: Vec<&str> = unreadable.map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["ledger"]);
    assert_eq!(digest.bucket("ledger", 0), None);
    assert!(digest.bucket("expense", 0).is_some());
}

/// Pages enough for a look to take longer than anybody would be waited for.
async fn large_database(patience: Duration) -> (tempfile::TempDir, Examiner) {
    let (folder, db) = database().await;
    let rows = Table::ExpenseTerm.page_size() * 12;
    let sql = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) \
         INSERT INTO expense_term (expense_id, term) SELECT randomblob(16), 'term' FROM n"
    );
    db.writer.execute_unprepared(&sql).await.unwrap();
    let examiner = Examiner {
        patience,
        ..Examiner::new(db)
    };
    (folder, examiner)
}

fn all_terms() -> Look {
    Look {
        table: "expense_term".to_owned(),
        bucket: 0,
        keys: None,
    }
}

#[tokio::test]
async fn a_look_is_not_dropped_while_somebody_waits_for_it() {
    let patience = Duration::from_millis(40);
    let (_folder, examiner) = large_database(patience).await;
    examiner.begin(CHECKPOINT, 7).await;
    digest(&examiner, CHECKPOINT).await.unwrap();
    let examination = examiner.of(CHECKPOINT).unwrap();
    let began = Instant::now();
    let answer = examination.look(all_terms()).await;
    assert!(
        matches!(&answer, Answer::Rows(rows) if !rows.is_empty()),
        "{answer:?}"
    );
    assert!(began.elapsed() > patience * 2, "too fast to show anything");
    // Nor right after it.
    let answer = examination.look(all_terms()).await;
    assert!(matches!(answer, Answer::Rows(_)), "{answer:?}");
}

#[tokio::test]
async fn a_look_that_nobody_waits_for_ends_and_so_does_the_transaction() {
    let (_folder, examiner) = large_database(Duration::from_millis(40)).await;
    examiner.begin(CHECKPOINT, 7).await;
    digest(&examiner, CHECKPOINT).await.unwrap();
    let examination = examiner.of(CHECKPOINT).unwrap();
    let gives_up = tokio::time::timeout(Duration::from_millis(1), examination.look(all_terms()));
    gives_up.await.unwrap_err();
    let closed = async {
        while !examination.looks.is_closed() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let closed = tokio::time::timeout(Duration::from_secs(10), closed);
    closed.await.expect("the transaction is closed");
}

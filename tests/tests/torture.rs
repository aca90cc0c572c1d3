//! Promise: whatever befalls a cluster, clients see what was promised to them. A short run of what `make torture` does for hours:
//! some faults that are always the same, and some by chance, whose seed is printed.

use std::time::Duration;

use threefold_tests::DatabaseKind;
use threefold_tests::torture::run::{self, Options};
use threefold_tests::torture::workload::Load;
use uuid::Uuid;

/// How long faults come in each run, if those that always come take no longer.
const DURATION: Duration = Duration::from_secs(25);

async fn clients_see_what_was_promised(database: DatabaseKind) {
    let seed = Uuid::new_v4().as_u64_pair().0 >> 32;
    println!("seed {seed}");
    let options = Options {
        database,
        replicas: 3,
        duration: DURATION,
        seed,
        only: Vec::new(),
        first: vec!["kill", "partition", "failpoint"],
        failpoints: true,
        load: Load::default(),
    };
    let (report, mut cluster) = run::run(&options).await;
    if !report.holds() {
        panic!(
            "seed {seed}, kept in {}: {report}",
            cluster.keep().display()
        );
    }
    // Otherwise nothing was tried.
    assert!(report.rounds >= 3, "{report}");
    assert!(
        report.verdicts.iter().any(|verdict| verdict.checked > 100),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_see_what_was_promised_on_sqlite() {
    clients_see_what_was_promised(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_see_what_was_promised_on_postgres() {
    clients_see_what_was_promised(DatabaseKind::Postgres).await;
}

//! Promise: whatever befalls a cluster, clients see what was promised to them. A short run of what `make torture` does for hours:
//! some faults that are always the same, and some by chance, whose seed is printed.

use std::time::Duration;

use threefold_tests::DatabaseKind;
use threefold_tests::torture::run::{self, Options};
use threefold_tests::torture::workload::Load;
use uuid::Uuid;

/// How long faults come in each run, if those that always come take no longer.
const DURATION: Duration = Duration::from_secs(25);

fn options(database: DatabaseKind) -> Options {
    let seed = Uuid::new_v4().as_u64_pair().0 >> 32;
    println!("seed {seed}");
    Options {
        database,
        replicas: 3,
        duration: DURATION,
        seed,
        only: Vec::new(),
        first: vec!["kill", "partition", "members", "failpoint"],
        failpoints: true,
        load: Load::default(),
        heal_within: run::HEAL_WITHIN,
    }
}

async fn clients_see_what_was_promised(database: DatabaseKind) {
    let options = options(database);
    let (report, mut cluster) = run::run(&options).await;
    if !report.holds() {
        let folder = cluster.keep().display();
        panic!("seed {}, kept in {folder}: {report}", options.seed);
    }
    // Otherwise nothing was tried.
    assert!(report.rounds >= options.first.len(), "{report}");
    assert!(
        report.verdicts.iter().any(|verdict| verdict.checked > 100),
        "{report}"
    );
}

/// As far as it went, with what the replicas said at last: whoever is to find the reason was not there.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_does_not_heal_is_reported() {
    let options = Options {
        duration: Duration::from_secs(1),
        first: vec!["kill"],
        heal_within: Duration::ZERO,
        ..options(DatabaseKind::Sqlite)
    };
    let (report, cluster) = run::run(&options).await;
    assert!(!report.holds());
    let broken = report.verdicts.iter().filter(|verdict| !verdict.holds());
    let broken: Vec<&str> = broken.map(|verdict| verdict.checker).collect();
    assert_eq!(broken, ["healing"], "{report}");
    assert_eq!(report.last_words.len(), cluster.everybody().len());
    let replicas = &report.last_words[..usize::from(options.replicas)];
    assert!(replicas.iter().all(|last| !last.log.is_empty()), "{report}");
    assert!(
        !report.operations.is_empty() && report.faults.len() == 1,
        "{report}"
    );
    let text = report.to_string();
    assert!(text.contains("serve again after 0ns"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_see_what_was_promised_on_sqlite() {
    clients_see_what_was_promised(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_see_what_was_promised_on_postgres() {
    clients_see_what_was_promised(DatabaseKind::Postgres).await;
}

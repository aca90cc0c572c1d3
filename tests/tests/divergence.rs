//! Promise: a row that was changed behind our back in one replica's database is found and named, that replica serves no
//! more, not even after a restart, the others carry on without a failed mutation, and it comes back by being replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use threefold_tests::client::{Client, NewExpense};
use threefold_tests::cluster::{LEADER_TIMEOUT, Replica};
use threefold_tests::inspect::{self, Inspector};
use threefold_tests::operator::{empty, succeed, wait_for_role};
use threefold_tests::socket::{CHANGES, Socket};
use threefold_tests::verify::{Verdict, verify};
use threefold_tests::wait::{until, within};
use threefold_tests::{Cluster, DatabaseKind};

const QUARANTINED: Option<&str> = Some("REPLICA_QUARANTINED");

async fn cluster_with_rows(database: DatabaseKind) -> Cluster {
    let cluster = Cluster::builder()
        .database(database)
        .flag("--verify-interval-s", "0")
        .start()
        .await;
    let client = cluster.replica(1).client();
    for number in 0..20 {
        let expense = NewExpense::described(format!("expense number {number}"));
        client.add_expense(&expense).await.unwrap().accepted();
    }
    client
        .execute(
            r##"mutation { addCategory(input: { name: "Food", color: "#00ff00" }) { userErrors { code } } }"##,
            json!({}),
        )
        .await
        .unwrap();
    inspect::settled(&cluster).await;
    cluster
}

/// What is done to one database, and where it must be found: table, column, and what is there then.
type Tampering = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
);

const EVERY_TABLE: [Tampering; 7] = [
    (
        "UPDATE expense SET amount_minor = 777 WHERE id = ?",
        "expense",
        "amount_minor",
        Some("777"),
    ),
    (
        "DELETE FROM expense_term WHERE expense_id = ? AND term = 'number'",
        "expense_term",
        "term",
        None,
    ),
    (
        "UPDATE category SET color = NULL",
        "category",
        "color",
        None,
    ),
    (
        "UPDATE ledger SET name = 'Ours'",
        "ledger",
        "name",
        Some("Ours"),
    ),
    (
        "UPDATE change SET payload = '[]' WHERE revision = 3",
        "change",
        "payload",
        Some("[]"),
    ),
    (
        "DELETE FROM idempotency_key WHERE revision = 5",
        "idempotency_key",
        "revision",
        None,
    ),
    (
        "INSERT INTO expense_term (expense_id, term) SELECT id, 'zebra' FROM expense WHERE id = ?",
        "expense_term",
        "term",
        Some("zebra"),
    ),
];

async fn each_table_is_compared(database: DatabaseKind) {
    let cluster = cluster_with_rows(database).await;
    let (wrong, asked) = (cluster.followers().await[0], cluster.leader().await);
    let equal = verify(cluster.replica(asked)).await;
    assert_eq!(equal.code, 0, "{equal:?}");
    assert_eq!(equal.found["state"], "EQUAL");
    let digests: Vec<&Value> = equal.found["replicas"]
        .as_array()
        .unwrap()
        .iter()
        .map(|replica| &replica["digest"])
        .collect();
    assert!(digests[0].is_string() && digests.iter().all(|digest| *digest == digests[0]));

    let inspector = Inspector::of(cluster.replica(wrong)).await;
    for (number, (sql, table, column, value)) in EVERY_TABLE.into_iter().enumerate() {
        inspector.tamper(sql).await;
        let verdict = verify(cluster.replica(asked)).await;
        assert_eq!(verdict.code, 1, "{sql}: {verdict:?}");
        assert_eq!(verdict.state_of(wrong), "DIFFERS", "{sql}");
        assert_eq!(verdict.state_of(asked), "EQUAL", "{sql}");
        assert!(verdict.quarantined(wrong) && !verdict.quarantined(asked));
        assert_eq!(verdict.found["undecided"], false);
        // Nothing else than what was changed so far.
        let tables: Vec<&str> = EVERY_TABLE[..=number]
            .iter()
            .map(|tampering| tampering.1)
            .collect();
        for difference in verdict.found["differences"].as_array().unwrap() {
            assert!(
                tables.contains(&difference["table"].as_str().unwrap()),
                "{difference}"
            );
        }
        let found = verdict.differences(table);
        let found = found.iter().find(|difference| {
            let columns = difference["columns"].as_array().unwrap();
            columns.iter().any(|name| name == column)
                && Verdict::value(difference, column, wrong) == value
        });
        let found = found.unwrap_or_else(|| panic!("{sql}: {verdict:?}"));
        assert_ne!(Verdict::value(found, column, asked), value, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_table_is_compared_on_postgres() {
    each_table_is_compared(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_table_is_compared_on_sqlite() {
    each_table_is_compared(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_read_is_found_too() {
    let cluster = cluster_with_rows(DatabaseKind::Sqlite).await;
    let (wrong, asked) = (cluster.followers().await[0], cluster.leader().await);
    // SQLite puts anything into any column.
    let inspector = Inspector::of(cluster.replica(wrong)).await;
    inspector
        .tamper("UPDATE expense SET created_at = 'yesterday' WHERE id = ?")
        .await;
    let verdict = verify(cluster.replica(asked)).await;
    assert_eq!(verdict.code, 1, "{verdict:?}");
    assert!(verdict.quarantined(wrong));
    let text = verdict.found.to_string();
    assert!(text.contains("its first row cannot be read"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_while_a_replica_was_down_is_found() {
    let cluster = cluster_with_rows(DatabaseKind::Sqlite).await;
    let (wrong, asked) = (cluster.followers().await[0], cluster.leader().await);
    // A replica that runs writes this row anew with every entry, from memory.
    cluster.replica(wrong).kill9();
    let inspector = Inspector::of(cluster.replica(wrong)).await;
    inspector
        .tamper("UPDATE replica_state SET expense_count = 9")
        .await;
    drop(inspector);
    cluster.replica(wrong).restart().await;
    let verdict = verify(cluster.replica(asked)).await;
    assert_eq!(verdict.code, 1, "{verdict:?}");
    assert!(verdict.quarantined(wrong));
    let found = verdict.differences("replica_state");
    assert_eq!(found.len(), 1, "{verdict:?}");
    assert_eq!(Verdict::value(found[0], "expense_count", wrong), Some("9"));
}

/// Writers that take no failure: each sends one expense after the other, once.
struct Writers {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Writers {
    fn start(clients: Vec<Client>) -> Self {
        let (stop, written) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let tasks = clients.into_iter().map(|client| {
            let (stop, written) = (stop.clone(), written.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let expense = NewExpense::described("meanwhile");
                    client.add_expense(&expense).await.unwrap().accepted();
                    written.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        let tasks = tasks.collect();
        Self {
            stop,
            written,
            tasks,
        }
    }

    async fn wait_for_more(&self, more: usize) {
        let wanted = self.written.load(Ordering::Relaxed) + more;
        until("the writers", Duration::from_secs(30), async || {
            assert!(
                self.tasks.iter().all(|task| !task.is_finished()),
                "a mutation failed"
            );
            match self.written.load(Ordering::Relaxed) {
                written if written >= wanted => Ok(()),
                written => Err(format!("{written} of {wanted}")),
            }
        })
        .await;
    }

    async fn finish(self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("no mutation fails");
        }
    }
}

/// Asks until that replica answers, and takes nothing but the quarantine for an answer.
async fn serves_nothing(replica: &Replica) {
    until("an answer", LEADER_TIMEOUT, async || {
        match replica.client().local().expenses(1).await {
            Err(error) if error.code() == QUARANTINED => Ok(()),
            Err(error) if error.status().is_none() => Err(error.to_string()),
            other => panic!("a quarantined replica answered {other:?}"),
        }
    })
    .await;
    let mutation = replica
        .client()
        .add_expense(&NewExpense::described("no"))
        .await;
    assert_eq!(mutation.unwrap_err().code(), QUARANTINED);
    let ready = reqwest::get(format!("{}/readyz", replica.url()))
        .await
        .unwrap();
    assert_eq!(ready.status(), 503);
    let text = ready.text().await.unwrap();
    assert!(
        text.contains("quarantined") && text.contains("table expense"),
        "{text}"
    );
}

async fn the_wrong_one_serves_no_more(database: DatabaseKind, leads: bool) {
    let cluster = cluster_with_rows(database).await;
    let leader = cluster.leader().await;
    let wrong = if leads {
        leader
    } else {
        cluster.followers().await[0]
    };
    let others: Vec<&Replica> = cluster
        .replicas()
        .iter()
        .filter(|replica| replica.id() != wrong)
        .collect();
    let wrong = cluster.replica(wrong);
    let writers = Writers::start(others.iter().map(|replica| replica.client()).collect());
    writers.wait_for_more(20).await;

    let mut socket = Socket::connect(wrong.url(), json!({})).await.unwrap();
    socket.subscribe(CHANGES, json!({})).await.unwrap();
    Inspector::of(wrong)
        .await
        .tamper("UPDATE expense SET amount_minor = 777 WHERE id = ?")
        .await;
    let verdict = verify(others[0]).await;
    assert_eq!(verdict.code, 1, "{verdict:?}");
    assert!(verdict.quarantined(wrong.id()), "{verdict:?}");
    assert_eq!(verdict.differences("expense").len(), 1, "{verdict:?}");

    // Queries, mutations, the subscription that was there, and the reason in the view of the others.
    serves_nothing(wrong).await;
    let ended = within("the subscription's end", Duration::from_secs(5), async {
        loop {
            if let Err(error) = socket.next().await {
                return format!("{error:?}");
            }
        }
    })
    .await;
    assert!(ended.contains("REPLICA_QUARANTINED"), "{ended}");
    until("the others to say so", Duration::from_secs(5), async || {
        let seen = others[1]
            .client()
            .local()
            .execute("{ replicas { id inSync quarantine } }", json!({}))
            .await;
        let seen = seen.map_err(|error| error.to_string())?;
        let view = seen["replicas"]
            .as_array()
            .unwrap()
            .iter()
            .find(|view| view["id"] == wrong.id().to_string().as_str())
            .unwrap()
            .clone();
        match &view["quarantine"] {
            Value::String(reason)
                if view["inSync"] == false && reason.contains("table expense") =>
            {
                Ok(())
            }
            _ => Err(view.to_string()),
        }
    })
    .await;
    until("its log to say so", Duration::from_secs(5), async || {
        let line = "this replica is quarantined and serves nothing from now on";
        let says_so = wrong.log().contains(line);
        says_so.then_some(()).ok_or_else(|| wrong.log())
    })
    .await;
    writers.wait_for_more(40).await;
    let leader = cluster.leader().await;
    assert_ne!(leader, wrong.id(), "it leads no more");

    // A restart changes nothing, from the first answer on.
    wrong.kill9();
    wrong.start();
    serves_nothing(wrong).await;
    writers.wait_for_more(20).await;

    // Replaced, it is as good as new.
    let id = wrong.id().to_string();
    let replace = ["replace", &id];
    let emptied = async {
        assert!(!wrong.wait_for_end(LEADER_TIMEOUT).await.success());
        empty(wrong).await;
        wrong.start();
    };
    let (said, ()) = tokio::join!(succeed(others[0], &replace), emptied);
    assert!(said.contains("is replaced"), "{said}");
    wait_for_role(others[0], wrong.id(), &["FOLLOWER"]).await;
    wrong.wait_until_ready().await;
    cluster.wait_until_in_sync().await;
    writers.wait_for_more(20).await;
    writers.finish().await;
    let verdict = verify(wrong).await;
    assert_eq!(verdict.code, 0, "{verdict:?}");
    inspect::assert_identical(&cluster).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_follower_serves_no_more_on_postgres() {
    the_wrong_one_serves_no_more(DatabaseKind::Postgres, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_follower_serves_no_more_on_sqlite() {
    the_wrong_one_serves_no_more(DatabaseKind::Sqlite, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_leader_serves_and_leads_no_more_on_postgres() {
    the_wrong_one_serves_no_more(DatabaseKind::Postgres, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_leader_serves_and_leads_no_more_on_sqlite() {
    the_wrong_one_serves_no_more(DatabaseKind::Sqlite, true).await;
}

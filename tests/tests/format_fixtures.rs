//! Promise: what a released format has written stays readable. `tests/fixtures/format-N` holds a replica (data folder and SQLite
//! database), a snapshot, messages between replicas, and beside them what the build that wrote them said of them.
//!
//! Those of a new format are written by the build that is released with it: `docs/formats.md` says how.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use threefold_replication::fixtures;
use threefold_tests::client::{Client, NewExpense};
use threefold_tests::cluster::LEADER_TIMEOUT;
use threefold_tests::inspect::{self, Inspector};
use threefold_tests::recorder::{Message, Messages, Recorder};
use threefold_tests::wait::until;
use threefold_tests::{Cluster, binary};
use uuid::Uuid;

/// Where a build writes what it is to be remembered by; nothing is written where it is not set.
const WRITE: &str = "THREEFOLD_WRITE_FIXTURES";
/// The replica that is kept. It is one that came by snapshot.
const KEPT: u16 = 3;
/// Everything that a client sees, in words that every version answers alike.
const EVERYTHING: &str = "{
  ledgers { id name baseCurrency }
  categories { id name color version }
  expenses(first: 100) { totalCount nodes {
    id description amount { amount currency minorUnits } spentOn notes tags version revision deletedAt category { id }
  } }
  deleted: expenses(first: 100, filter: { deleted: true }) { nodes { id description deletedAt version } }
}";

/// What the build that wrote the files said of them.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Expected {
    /// The commit or version that wrote them.
    written_by: String,
    revision: u64,
    hash: String,
    /// Keys of mutations, by what became of them.
    accepted_key: Uuid,
    refused_key: Uuid,
    /// Answer to [`EVERYTHING`].
    everything: Value,
    /// The log of the replica, an entry a line.
    log: Vec<String>,
    /// The snapshot: revision, hash and expenses.
    snapshot: (u64, String, i64),
}

fn fixtures_of(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(format)
}

fn expected(folder: &Path) -> Expected {
    let text = fs::read_to_string(folder.join("expected.json")).expect("expected.json");
    serde_json::from_str(&text).expect("expected.json")
}

/// Puts the replica of a fixture where a replica of a cluster has its own.
fn unpack(folder: &Path, to: &Path) {
    let packed = File::open(folder.join("replica.tar.zst")).expect("replica.tar.zst");
    let unpacked = zstd::Decoder::new(packed).expect("a stream of zstd");
    tar::Archive::new(unpacked).unpack(to).expect("an archive");
}

fn pack(from: &Path, file: &Path) {
    let out = zstd::Encoder::new(File::create(file).expect("a file"), 19).expect("an encoder");
    let mut archive = tar::Builder::new(out.auto_finish());
    archive
        .append_dir_all("data", from.join("data"))
        .expect("the data folder");
    archive
        .append_path_with_name(from.join("threefold.db"), "threefold.db")
        .expect("the database");
    archive.finish().expect("the archive");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_of_format_1_goes_on() {
    let folder = fixtures_of("format-1");
    let expected = expected(&folder);
    let cluster = Cluster::builder().prepare().await;
    let replica = cluster.replica(KEPT);
    let home = replica.data_folder();
    unpack(&folder, home.parent().expect("its folder"));

    // Its log, entry by entry, before anything else has seen it.
    let log = fixtures::log_lines(&home, &replica.database_url()).await;
    assert_eq!(log.unwrap(), expected.log);

    // It goes on alone, with everything that it had.
    let recovered = run(
        &["cluster", "recover", "--yes"],
        replica.arguments().into_iter().skip(1),
    )
    .await;
    assert!(recovered.status.success(), "{}", text(&recovered));
    replica.start();
    replica.wait_until_ready().await;
    let state = Inspector::of(replica).await.state().await;
    assert_eq!(
        (state.revision, state.history_hash),
        (expected.revision, expected.hash)
    );
    let client = replica.client();
    let everything = client.execute(EVERYTHING, json!({})).await.unwrap();
    assert_eq!(everything, expected.everything);
    let accepted = client
        .outcome(expected.accepted_key)
        .await
        .unwrap()
        .unwrap();
    assert!(accepted.user_errors.is_empty());
    let refused = client.outcome(expected.refused_key).await.unwrap().unwrap();
    assert!(!refused.user_errors.is_empty());
    let (_, receipt) = client
        .add_expense(&NewExpense::described("by a later build"))
        .await
        .unwrap()
        .accepted();
    assert_eq!(receipt.revision, expected.revision + 1);
}

#[test]
fn a_snapshot_of_format_1_is_read() {
    let folder = fixtures_of("format-1");
    let content = fixtures::snapshot_content(&folder.join("snapshot")).unwrap();
    let told = (
        content.revision.get(),
        content.hash.to_string(),
        content.expense_count,
    );
    assert_eq!(told, expected(&folder).snapshot);
    assert_eq!(content.format, 1);
}

/// Every method that replicas of format 1 know.
const METHODS: [&str; 10] = [
    "appendEntries",
    "found",
    "hello",
    "installSnapshot",
    "propose",
    "readIndex",
    "remove",
    "replicaStatus",
    "takeOver",
    "vote",
];

#[test]
fn messages_of_format_1_are_read_and_lose_nothing() {
    let text = fs::read_to_string(fixtures_of("format-1").join("messages.json")).unwrap();
    let messages: Vec<Message> = serde_json::from_str(&text).unwrap();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for message in &messages {
        let [request, answer] =
            [&message.request, &message.answer].map(|text| STANDARD.decode(text).unwrap());
        let checked = fixtures::check_call(&message.method, &request, &answer);
        checked.unwrap_or_else(|lost| panic!("{}: {lost}", message.method));
        *seen.entry(&message.method).or_default() += 1;
    }
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), METHODS);
}

async fn run(words: &[&str], flags: impl Iterator<Item = String>) -> Output {
    let mut command = binary::command();
    command.args(words).args(flags);
    tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap()
}

fn text(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{err}")
}

/// Writes the fixtures of the build under test, where somebody asks for it.
#[tokio::test(flavor = "multi_thread")]
async fn write_what_this_build_is_remembered_by() {
    let Some(folder) = std::env::var_os(WRITE).map(PathBuf::from) else {
        eprintln!("nothing is written: {WRITE} names no folder");
        return;
    };
    fs::create_dir_all(&folder).unwrap();
    let messages = Messages::default();
    let cluster = Cluster::builder()
        .flag("--compact-after-entries", "8")
        .prepare()
        .await;
    let mut recorders = Vec::new();
    for replica in cluster.replicas() {
        recorders.push(Recorder::start(&replica.peer_url(), messages.clone()).await);
    }
    let peers: Vec<String> = (1..)
        .zip(&recorders)
        .map(|(id, recorder)| format!("{id}={}", recorder.url))
        .collect();
    for replica in cluster.replicas() {
        replica.set_flag("--peer", &peers.join(","));
        replica.start();
    }
    cluster.wait_until_ready().await;
    cluster.wait_until_in_sync().await;

    let (accepted_key, refused_key) = household(&cluster).await;

    // The leader hands over; then one is lost, removed, and comes back empty.
    let leader = cluster.leader().await;
    cluster.replica(leader).terminate().await;
    cluster.leader().await;
    cluster.replica(leader).start();
    cluster.wait_until_in_sync().await;
    let lost = cluster.replica(KEPT);
    lost.kill9();
    let left = cluster.replica(1);
    until("the replica to be removed", LEADER_TIMEOUT, async || {
        let flags = left.arguments().into_iter().skip(1);
        let removed = run(&["cluster", "remove", &KEPT.to_string()], flags).await;
        if removed.status.success() {
            Ok(())
        } else {
            Err(text(&removed))
        }
    })
    .await;
    for number in 0..20 {
        let expense = NewExpense::described(format!("while one was lost {number}"));
        left.client()
            .add_expense(&expense)
            .await
            .unwrap()
            .accepted();
    }
    // Refusals that nobody could ask for again are entries of the log, and nothing else: so many that it is cut.
    let document =
        "mutation ($id: UUID!) { deleteExpense(input: { id: $id }) { userErrors { code } } }";
    for _ in 0..300 {
        let unknown = json!({ "id": Uuid::new_v4() });
        left.client().execute(document, unknown).await.unwrap();
    }
    fs::remove_dir_all(lost.data_folder()).unwrap();
    Inspector::of(lost).await.wipe().await;
    lost.start();
    cluster.wait_until_ready().await;
    // With its vote: without one it could not go on alone later.
    until(
        "the replica to be a voter again",
        LEADER_TIMEOUT,
        async || {
            let view = lost.client().replica().await.map_err(|e| e.to_string())?;
            if view.role == "FOLLOWER" {
                Ok(())
            } else {
                Err(view.role)
            }
        },
    )
    .await;
    cluster.wait_until_in_sync().await;
    for number in 0..4 {
        let expense = NewExpense::described(format!("at the end {number}"));
        lost.client()
            .add_expense(&expense)
            .await
            .unwrap()
            .accepted();
    }
    let state = inspect::assert_identical(&cluster).await;
    let everything = lost.client().execute(EVERYTHING, json!({})).await.unwrap();
    for replica in cluster.replicas() {
        replica.terminate().await;
    }

    let home = lost.data_folder();
    pack(home.parent().unwrap(), &folder.join("replica.tar.zst"));
    let messages: Vec<Message> = messages
        .lock()
        .unwrap()
        .values()
        .flatten()
        .cloned()
        .collect();
    let snapshot = messages
        .iter()
        .find(|message| message.method == "installSnapshot")
        .expect("no snapshot was sent");
    let snapshot = fixtures::snapshot_in(&STANDARD.decode(&snapshot.request).unwrap()).unwrap();
    fs::write(folder.join("snapshot"), snapshot).unwrap();
    let content = fixtures::snapshot_content(&folder.join("snapshot")).unwrap();
    let expected = Expected {
        written_by: std::env::var("THREEFOLD_WRITTEN_BY").expect("THREEFOLD_WRITTEN_BY"),
        revision: state.revision,
        hash: state.history_hash,
        accepted_key,
        refused_key,
        everything,
        log: fixtures::log_lines(&home, &lost.database_url())
            .await
            .unwrap(),
        snapshot: (
            content.revision.get(),
            content.hash.to_string(),
            content.expense_count,
        ),
    };
    let write = |name: &str, text: String| fs::write(folder.join(name), text + "\n").unwrap();
    write(
        "expected.json",
        serde_json::to_string_pretty(&expected).unwrap(),
    );
    write(
        "messages.json",
        serde_json::to_string_pretty(&messages).unwrap(),
    );
}

/// A little of everything that can be stored, through a follower; returns the keys of a mutation that was accepted and of one
/// that was refused.
async fn household(cluster: &Cluster) -> (Uuid, Uuid) {
    let follower = cluster.replica(cluster.followers().await[0]);
    let client = follower.client();
    let mutate = async |client: &Client, field: &str, kind: &str, input: Value| -> Value {
        let selected = match field {
            "addCategory" => "category { id }",
            "deleteCategory" => "",
            _ => "expense { id }",
        };
        let document = format!(
            "mutation ($input: {kind}!) {{ {field}(input: $input) {{ {selected} userErrors {{ code }} }} }}"
        );
        let data = client.execute(&document, json!({ "input": input })).await;
        data.unwrap()[field].take()
    };
    let mut categories = Vec::new();
    for (name, color) in [("Groceries", Some("#2e7d32")), ("Gone soon", None)] {
        let input = json!({ "name": name, "color": color });
        let added = mutate(&client, "addCategory", "AddCategoryInput", input).await;
        categories.push(added["category"]["id"].clone());
    }
    let mut ids = Vec::new();
    let mut accepted = None;
    for (number, (amount, currency)) in [
        ("3.20", "EUR"),
        ("-0.01", "USD"),
        ("12000", "JPY"),
        ("1.234", "BHD"),
        ("99999999.99", "CHF"),
    ]
    .into_iter()
    .enumerate()
    {
        let key = Uuid::new_v4();
        let input = json!({
            "idempotencyKey": key, "description": format!("Café ñ 東京 {number}"), "amount": amount,
            "currency": currency, "spentOn": format!("2026-11-{:02}", number + 1),
            "notes": (number % 2 == 0).then_some("Straße\nand more"), "tags": ["a tag", "Ünï"],
            "categoryId": categories[number % 2],
        });
        let added = mutate(&client, "addExpense", "AddExpenseInput", input).await;
        assert_eq!(added["userErrors"], json!([]));
        ids.push(added["expense"]["id"].clone());
        accepted = Some(key);
    }
    let edit = json!({ "id": ids[0], "notes": null, "amount": "4.00", "expectedVersion": 1 });
    mutate(&client, "updateExpense", "UpdateExpenseInput", edit).await;
    for id in [&ids[1], &ids[2]] {
        mutate(
            &client,
            "deleteExpense",
            "DeleteExpenseInput",
            json!({ "id": id }),
        )
        .await;
    }
    let back = json!({ "id": ids[2] });
    mutate(&client, "restoreExpense", "RestoreExpenseInput", back).await;
    let gone = json!({ "id": categories[1] });
    mutate(&client, "deleteCategory", "DeleteCategoryInput", gone).await;
    let refused = Uuid::new_v4();
    let input =
        json!({ "idempotencyKey": refused, "id": ids[0], "expectedVersion": 1, "amount": "5.00" });
    let told = mutate(&client, "updateExpense", "UpdateExpenseInput", input).await;
    assert_ne!(told["userErrors"], json!([]));
    for number in 0..12 {
        let expense = NewExpense::described(format!("one of many {number}"));
        client.add_expense(&expense).await.unwrap().accepted();
        // A linearizable read on a follower.
        client.expenses(1).await.unwrap();
    }
    (accepted.expect("a key"), refused)
}

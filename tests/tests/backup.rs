//! Promise: a backup can be taken from any replica while it serves, holds everything that had been answered, and becomes a
//! cluster again, on either database, with the same hash at the same revision; and nothing but a whole backup and an
//! empty replica is ever touched.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use threefold_tests::client::NewExpense;
use threefold_tests::cluster::{LEADER_TIMEOUT, Replica};
use threefold_tests::feed::Subscriber;
use threefold_tests::inspect::{self, Inspector};
use threefold_tests::load::Load;
use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind, binary};

const FEED_TIMEOUT: Duration = Duration::from_secs(20);
const ANSWERS: usize = 200;
const ANSWERS_TIMEOUT: Duration = Duration::from_secs(60);

async fn threefold(arguments: Vec<String>) -> Output {
    let mut command = binary::command();
    command.args(arguments);
    tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap()
}

fn text(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{err}")
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

async fn backup(replica: &Replica, file: &Path, more: &[&str]) -> Output {
    let mut arguments = words(&["backup", "--url", replica.url(), path(file)]);
    arguments.extend(words(more));
    threefold(arguments).await
}

async fn restore(replica: &Replica, file: &Path) -> Output {
    let mut arguments = words(&["restore", path(file)]);
    arguments.extend(replica.arguments().into_iter().skip(1));
    threefold(arguments).await
}

/// What the output says behind a word.
fn said(output: &Output, word: &str) -> String {
    let text = text(output);
    let line = text.lines().find_map(|line| line.strip_prefix(word));
    line.unwrap_or_else(|| panic!("{word} in {text}"))
        .trim()
        .to_owned()
}

async fn taken(replica: &Replica, file: &Path) -> Output {
    let taken = backup(replica, file, &[]).await;
    assert!(taken.status.success(), "{}", text(&taken));
    taken
}

/// A new cluster with everything that a file holds, beginning with one of its replicas.
async fn restored(database: DatabaseKind, file: &Path, first: u16) -> Cluster {
    let cluster = Cluster::builder().database(database).prepare().await;
    let replica = cluster.replica(first);
    let output = restore(replica, file).await;
    assert!(output.status.success(), "{}", text(&output));
    replica.start();
    replica.wait_until_ready().await;
    for other in cluster.replicas() {
        if other.id() != first {
            other.start();
        }
    }
    until("all to join", LEADER_TIMEOUT, async || {
        for client in cluster.clients() {
            let views = client.local().replicas().await.map_err(|e| e.to_string())?;
            if views.len() < 3
                || !views
                    .iter()
                    .all(|view| view.in_sync && view.role != "LEARNER")
            {
                return Err(format!("{views:?}"));
            }
        }
        Ok(())
    })
    .await;
    cluster
}

/// From one kind of database to the other, and back again, under load.
async fn there_and_back(here: DatabaseKind, there: DatabaseKind) {
    let cluster = Cluster::start(here).await;
    let load = Load::start(&cluster.clients(), 8);
    load.wait_for_answers(ANSWERS, ANSWERS_TIMEOUT).await;
    let client = cluster.replica(2).client();
    let kept = NewExpense::described("before the backup");
    let (expense, receipt) = client.add_expense(&kept).await.unwrap().accepted();
    let answered = receipt.revision;

    // While it serves, from each replica; what was answered before is in it.
    let file = cluster.file("first.backup");
    for replica in cluster.replicas() {
        let output = taken(replica, &cluster.file(&format!("{}.backup", replica.id()))).await;
        let revision: u64 = said(&output, "revision").parse().unwrap();
        assert!(revision >= answered, "{revision} and {answered}");
    }
    load.wait_for_answers(ANSWERS / 4, ANSWERS_TIMEOUT).await;
    load.finish().await;
    let (deleted, _) = client
        .add_expense(&NewExpense::described("deleted"))
        .await
        .unwrap()
        .accepted();
    client
        .delete_expense(deleted.id, serde_json::json!({}))
        .await
        .unwrap()
        .accepted();
    let state = inspect::assert_identical(&cluster).await;
    let output = taken(cluster.replica(3), &file).await;
    assert_eq!(said(&output, "hash"), state.history_hash);
    let checked = threefold(words(&["backup", "--check", path(&file)])).await;
    assert!(checked.status.success(), "{}", text(&checked));
    assert_eq!(said(&checked, "revision"), state.revision.to_string());

    // The other kind, from its second replica on.
    let other = restored(there, &file, 2).await;
    assert_eq!(inspect::assert_identical(&other).await, state);
    // A retry of long ago is answered as it was; the feed tells the whole history, and goes on.
    let client = other.replica(3).client();
    let (again, receipt) = client.add_expense(&kept).await.unwrap().accepted();
    assert_eq!((again.id, receipt.revision), (expense.id, answered));
    let subscriber = Subscriber::of(other.replica(1).url(), 0);
    let (_, receipt) = client
        .add_expense(&NewExpense::described("after the restore"))
        .await
        .unwrap()
        .accepted();
    assert_eq!(receipt.revision, state.revision + 1);
    subscriber.wait_for(receipt.revision, FEED_TIMEOUT).await;
    subscriber.assert_complete(1, receipt.revision);
    let later = inspect::assert_identical(&other).await;
    let second = other.file("second.backup");
    taken(other.replica(1), &second).await;

    // And back. The first cluster lives, and is no part of it.
    let back = restored(here, &second, 1).await;
    assert_eq!(inspect::assert_identical(&back).await, later);
    let leader = back.leader().await;
    back.replica(leader).kill9();
    let next = back.leader().await;
    let client = back.replica(next).client();
    let expense = NewExpense::described("after a failover");
    client.add_expense(&expense).await.unwrap().accepted();
    assert_eq!(inspect::assert_identical(&cluster).await, state);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_postgres_to_sqlite_and_back() {
    there_and_back(DatabaseKind::Postgres, DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_sqlite_to_postgres_and_back() {
    there_and_back(DatabaseKind::Sqlite, DatabaseKind::Postgres).await;
}

/// Names in a folder.
fn names(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_carries_its_name_only_when_it_is_whole() {
    let cluster = Cluster::builder()
        .access_token("a-token-that-is-long-enough")
        .start()
        .await;
    let replica = cluster.replica(1);
    let client = replica.client();
    client
        .add_expense(&NewExpense::described("one"))
        .await
        .unwrap()
        .accepted();
    let folder = cluster.file("backups");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("a.backup");

    // Not without the token.
    let refused = backup(replica, &file, &[]).await;
    assert!(!refused.status.success());
    assert!(
        text(&refused).contains("UNAUTHENTICATED"),
        "{}",
        text(&refused)
    );
    assert!(names(&folder).is_empty());

    let token = cluster.file("access-token");
    let with_token = ["--access-token-file", path(&token)];
    let output = backup(replica, &file, &with_token).await;
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(names(&folder), std::slice::from_ref(&file));
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "whoever reads it reads everything");

    // Never over another one by accident.
    let before = std::fs::read(&file).unwrap();
    let refused = backup(replica, &file, &with_token).await;
    assert!(!refused.status.success());
    assert!(text(&refused).contains("--force"), "{}", text(&refused));
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let forced = backup(replica, &file, &[&with_token[..], &["--force"]].concat()).await;
    assert!(forced.status.success(), "{}", text(&forced));
    assert_ne!(
        std::fs::read(&file).unwrap(),
        before,
        "it says when it was taken"
    );

    // To standard output, and nothing else there.
    let piped = backup(replica, Path::new("-"), &with_token).await;
    assert!(piped.status.success());
    let copy = folder.join("b.backup");
    std::fs::write(&copy, &piped.stdout).unwrap();
    let checked = threefold(words(&["backup", "--check", path(&copy)])).await;
    assert!(checked.status.success(), "{}", text(&checked));

    // What is no backup any more is told, and not restored.
    let mut damaged = std::fs::read(&copy).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x10;
    std::fs::write(&copy, &damaged).unwrap();
    let checked = threefold(words(&["backup", "--check", path(&copy)])).await;
    assert!(!checked.status.success());
    assert!(text(&checked).contains("damaged"), "{}", text(&checked));
    let empty = Cluster::builder().prepare().await;
    let refused = restore(empty.replica(1), &copy).await;
    assert!(!refused.status.success());
    assert!(
        text(&refused).contains("nothing was changed"),
        "{}",
        text(&refused)
    );
    assert!(!empty.replica(1).data_folder().exists());
    // Nor anything over what is there.
    let refused = restore(replica, &file).await;
    assert!(!refused.status.success());
    assert!(
        text(&refused).contains("nothing was changed"),
        "{}",
        text(&refused)
    );

    // The next replica is asked where one does not answer, and without a majority only for what it has itself.
    cluster.replica(2).kill9();
    let urls = format!("{},{}", cluster.replica(2).url(), replica.url());
    let mut arguments = words(&["backup", "--force", "--url", &urls, path(&file)]);
    arguments.extend(words(&with_token));
    let output = threefold(arguments).await;
    assert!(output.status.success(), "{}", text(&output));
    cluster.replica(3).kill9();
    let last = folder.join("last.backup");
    let refused = backup(replica, &last, &with_token).await;
    assert!(!refused.status.success() && !last.exists());
    assert!(text(&refused).contains("NO_LEADER"), "{}", text(&refused));
    let output = backup(replica, &last, &[&with_token[..], &["--local"]].concat()).await;
    assert!(output.status.success(), "{}", text(&output));
}

/// Somebody who asks for a backup and takes nothing of it.
async fn ask(url: &str) -> reqwest::Response {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    http.post(format!("{url}/backup")).send().await.unwrap()
}

async fn fill(cluster: &Cluster, expenses: usize) {
    let sample = binary::run(&["sample", "--rows", &expenses.to_string()]).await;
    let file = cluster.file("sample.csv");
    std::fs::write(&file, sample).unwrap();
    let url = cluster.replica(1).url();
    binary::run(&["import", path(&file), "--url", url]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_at_a_time_and_none_for_nobody() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    // More than fits on the way between the two.
    fill(&cluster, 60_000).await;
    let replica = cluster.replica(2);
    let first = ask(replica.url()).await;
    assert!(first.status().is_success());
    let second = ask(replica.url()).await;
    assert_eq!(second.status(), 429);
    let said: Value = second.json().await.unwrap();
    assert_eq!(said["errors"][0]["extensions"]["code"], "RATE_LIMITED");
    // Another replica gives one meanwhile, and writes go on.
    taken(cluster.replica(3), &cluster.file("other.backup")).await;
    let client = replica.client();
    client
        .add_expense(&NewExpense::described("meanwhile"))
        .await
        .unwrap()
        .accepted();
    // Whoever asked goes away, and the next one has a turn.
    drop(first);
    until("a turn", Duration::from_secs(10), async || {
        let next = ask(replica.url()).await.status();
        if next.is_success() {
            Ok(())
        } else {
            Err(next.to_string())
        }
    })
    .await;
    // One that stops does not wait for whoever takes a backup, and what that has is refused.
    until("the turn to end", Duration::from_secs(10), async || {
        let output = backup(replica, &cluster.file("whole.backup"), &["--force"]).await;
        if output.status.success() {
            Ok(())
        } else {
            Err(text(&output))
        }
    })
    .await;
    let cut_off = ask(replica.url()).await;
    replica.terminate().await;
    let half = cut_off.bytes().await;
    if let Ok(half) = half {
        let file = cluster.file("half.backup");
        std::fs::write(&file, half).unwrap();
        let checked = threefold(words(&["backup", "--check", path(&file)])).await;
        assert!(!checked.status.success(), "{}", text(&checked));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_serves_nothing_until_it_is_repeated() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    fill(&cluster, 20_000).await;
    let state = inspect::settled(&cluster).await;
    let file = cluster.file("a.backup");
    taken(cluster.replica(1), &file).await;
    for replica in cluster.replicas() {
        replica.kill9();
    }

    let other = Cluster::builder().prepare().await;
    let replica = other.replica(1);
    let mark = replica.data_folder().join("restore.json");
    // Made anew by each attempt, once it has looked at everything.
    let made = || std::fs::metadata(&mark).map(|file| file.ino()).ok();
    let mut cut_off = 0;
    for pause in [30, 0, 60, 10, 120, 240, 480] {
        let before = made();
        let mut command = binary::command();
        command.args(["restore", path(&file)]);
        command.args(replica.arguments().into_iter().skip(1));
        let mut process = command
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        until(
            "the restore to begin",
            Duration::from_secs(60),
            async || {
                if made() != before || process.try_wait().unwrap().is_some() {
                    Ok(())
                } else {
                    Err("it reads the file".to_owned())
                }
            },
        )
        .await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        process.kill().unwrap();
        process.wait().unwrap();
        if !mark.exists() {
            break;
        }
        cut_off += 1;
        // Rows are never without the row that says whose they are, or a start with an empty folder would take them for its own.
        let inspector = Inspector::of(replica).await;
        if !inspector.expenses().await.is_empty() {
            inspector.state().await;
        }
        drop(inspector);
        let status = replica.start_and_fail(Duration::from_secs(30)).await;
        assert!(!status.success());
        assert!(replica.log().contains("repeat `threefold restore`"));
    }
    assert!(cut_off > 0, "none was cut off: this shows nothing");
    if mark.exists() {
        let output = restore(replica, &file).await;
        assert!(output.status.success(), "{}", text(&output));
    }
    replica.start();
    replica.wait_until_ready().await;
    assert_eq!(Inspector::of(replica).await.state().await, state);
}

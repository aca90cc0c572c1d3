//! Promise: the judges of the torture test can say no. For each of them replicas are broken in a way that it has to notice; under
//! the same load and the same faults, replicas that are not broken satisfy all of them.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use threefold_tests::Cluster;
use threefold_tests::torture::checker::{self, Verdict};
use threefold_tests::torture::history::{History, Recorder, final_states};
use threefold_tests::torture::workload::{Load, Target, Workloads};
use threefold_tests::wait::until;

/// Operations that a run lasts.
const OPERATIONS: u64 = 500;
/// Operations after that, by which subscribers see that something was left out.
const AFTERWARDS: u64 = 60;
const OPERATIONS_TIMEOUT: Duration = Duration::from_secs(60);
/// Operations before the leader is killed, in runs that do so.
const BEFORE_THE_KILL: u64 = 150;
/// Adds that are answered while only one log beside the leader's has them.
const MORE_ADDS: u64 = 10;
/// How long the leader's log stands still before it is killed: clients are waiting by then.
const STANDSTILL: Duration = Duration::from_millis(400);
/// Clusters at work at the same time.
const AT_ONCE: usize = 3;

const LOAD: Load = Load {
    hot: 8,
    add: 2,
    local: 4,
    twin: 2,
    batch: 1,
    watch: 2,
    pause_ms: 15,
    patience_ms: 1_000,
    quorum_percent: 60,
    settle_ms: 2_500,
};

/// What happens to a cluster, broken or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Circumstances {
    /// Nothing.
    Plain,
    /// One follower is a tenth of a second behind the others.
    SlowFollower,
    /// The leader dies with mutations at hand that are in no log.
    LeaderKilled,
    /// Many answers come too late for whoever waits for them.
    SlowAnswers,
    /// One follower stands still while the other has entries in its log that it has not applied; then that one is killed, and the leader
    /// is gone for good: what was answered is in that log alone.
    LogAlone,
}

/// Where a behaviour is broken.
#[derive(Debug, Clone, Copy)]
enum Where {
    Everywhere,
    OneFollower,
}

/// A broken behaviour, and who has to notice it.
#[derive(Debug, Clone, Copy)]
struct Drill {
    failpoint: &'static str,
    action: &'static str,
    place: Where,
    /// Only from when something befalls the cluster.
    late: bool,
    noticed_by: &'static [&'static str],
    load: Load,
}

const fn drill(failpoint: &'static str, noticed_by: &'static [&'static str]) -> Drill {
    Drill {
        failpoint,
        action: "on",
        place: Where::Everywhere,
        late: false,
        noticed_by,
        load: LOAD,
    }
}

impl Drill {
    const fn action(mut self, action: &'static str) -> Self {
        self.action = action;
        self
    }

    const fn on_one_follower(mut self) -> Self {
        self.place = Where::OneFollower;
        self
    }

    const fn once_it_befalls(mut self) -> Self {
        self.late = true;
        self
    }

    const fn load(mut self, load: Load) -> Self {
        self.load = load;
        self
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_rules_are_noticed() {
    // What is lost is never needed again: a replica that fails at an edit would be quarantined, which is no checker's merit.
    let no_edits = Load {
        hot: 0,
        local: 0,
        twin: 0,
        add: 4,
        batch: 4,
        ..LOAD
    };
    // Few edits expect a version, and fewer a wrong one.
    let many_edits = Load {
        hot: 20,
        add: 0,
        local: 0,
        twin: 0,
        batch: 0,
        ..LOAD
    };
    notice(
        Circumstances::Plain,
        &[
            drill("sabotage.version-ignored", &["linearizable"]).load(many_edits),
            drill("sabotage.refuse-after-write", &["set", "linearizable"]),
            drill("sabotage.apply-twice", &["keys", "set"]),
            drill("sabotage.revision-slips", &["session"]).action("30%on"),
            drill("sabotage.lose-row", &["alike", "batches"])
                .on_one_follower()
                .load(no_edits),
            drill("sabotage.skip-entry", &["alike"])
                .action("30*off->1*on")
                .on_one_follower()
                .load(no_edits),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_feed_is_noticed() {
    notice(
        Circumstances::Plain,
        &[
            drill("sabotage.feed-drop", &["feed"]).action("10%on"),
            drill("sabotage.feed-repeat", &["feed"]).action("10%on"),
            drill("sabotage.feed-reorder", &["feed"]).action("10%on"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_and_receipts_that_lie_are_noticed() {
    // Lists are read by those who add many; who waits for everybody gives nobody the time to be stale.
    let many_lists = Load {
        batch: 5,
        quorum_percent: 100,
        ..LOAD
    };
    notice(
        Circumstances::SlowFollower,
        &[
            drill("sabotage.stale-read", &["linearizable", "order"])
                .on_one_follower()
                .load(many_lists),
            drill("sabotage.min-revision-ignored", &["read your writes"]).on_one_follower(),
            drill("sabotage.receipt-lies", &["receipts"]),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_came_too_early_is_noticed() {
    notice(
        Circumstances::LeaderKilled,
        &[drill("sabotage.answer-before-commit", &["set", "order"])],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_forgets_is_noticed() {
    notice(
        Circumstances::LogAlone,
        &[drill("sabotage.lose-append", &["set"])
            .on_one_follower()
            .once_it_befalls()],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_lies_is_noticed() {
    notice(
        Circumstances::SlowAnswers,
        &[drill("sabotage.wrong-outcome", &["set"])],
    )
    .await;
}

/// Runs every drill, and the same without one.
async fn notice(circumstances: Circumstances, drills: &[Drill]) {
    let runs = drills.iter().copied().map(Some).chain([None]);
    let mut runs = stream::iter(runs)
        .map(|drill| async move { (drill, run(circumstances, drill).await) })
        .buffer_unordered(AT_ONCE);
    while let Some((drill, verdicts)) = runs.next().await {
        match drill {
            Some(drill) => {
                for name in drill.noticed_by {
                    let verdict = verdicts.iter().find(|verdict| verdict.checker == *name);
                    let verdict = verdict.expect("a checker of that name");
                    assert!(
                        !verdict.holds(),
                        "{name} did not notice {}: {verdicts:#?}",
                        drill.failpoint
                    );
                    println!(
                        "{}: {name} says, {} times, such as: {}",
                        drill.failpoint, verdict.violations, verdict.examples[0]
                    );
                }
            }
            None => {
                for verdict in &verdicts {
                    assert!(verdict.holds(), "nothing was broken: {verdict:#?}");
                    assert_eq!(verdict.undecided, 0, "{verdict:#?}");
                    assert!(verdict.checked > 0, "it looked at nothing: {verdict:#?}");
                }
            }
        }
    }
}

async fn run(circumstances: Circumstances, drill: Option<Drill>) -> Vec<Verdict> {
    let mut builder = Cluster::builder().failpoints();
    if circumstances == Circumstances::LogAlone {
        // Writes are answered however few apply them.
        builder = builder.min_in_sync(1);
    }
    let cluster = builder.flag("--write-timeout-ms", "2000").start().await;
    cluster.wait_until_in_sync().await;
    let leader = cluster.leader().await;
    let follower = cluster.followers().await[0];
    match circumstances {
        Circumstances::SlowFollower => set(&cluster, follower, "apply.begin", "sleep(100)").await,
        Circumstances::SlowAnswers => {
            everywhere(&cluster, "mutation.answer", "20%sleep(1500)").await;
        }
        Circumstances::Plain | Circumstances::LeaderKilled | Circumstances::LogAlone => {}
    }
    let spoil = async |drill: Drill| match drill.place {
        Where::Everywhere => everywhere(&cluster, drill.failpoint, drill.action).await,
        Where::OneFollower => set(&cluster, follower, drill.failpoint, drill.action).await,
    };
    if let Some(drill) = drill.filter(|drill| !drill.late) {
        spoil(drill).await;
    }

    let path = cluster.file("history.jsonl");
    let load = drill.map_or(LOAD, |drill| drill.load);
    let target = Target::of(&cluster);
    let mut workloads = Workloads::start(&target, 1, &path, load).unwrap();
    let recorder = workloads.recorder();
    if circumstances == Circumstances::LeaderKilled {
        operations(recorder, BEFORE_THE_KILL).await;
        set(&cluster, leader, "append.before", "sleep(5000)").await;
        tokio::time::sleep(STANDSTILL).await;
        recorder.disturbed(leader);
        cluster.replica(leader).kill9();
        cluster.leader().await;
        cluster.replica(leader).restart().await;
        recorder.disturbed(leader);
    }
    if circumstances == Circumstances::LogAlone {
        operations(recorder, BEFORE_THE_KILL).await;
        // From here on it stores what it does not apply.
        set(&cluster, follower, "apply.begin", "sleep(60000)").await;
        if let Some(drill) = drill.filter(|drill| drill.late) {
            spoil(drill).await;
        }
        let mut followers = cluster.followers().await.into_iter();
        let other = followers.find(|id| *id != follower).unwrap();
        cluster.replica(other).stop();
        answered_adds(recorder, MORE_ADDS).await;
        for id in [follower, leader] {
            recorder.disturbed(id);
            cluster.replica(id).kill9();
        }
        target.remove(leader);
        cluster.replica(other).cont();
        cluster.replica(follower).restart().await;
        recorder.disturbed(follower);
    }
    operations(recorder, OPERATIONS).await;

    // What only delays ends here, and so does what keeps the end of the feed from coming.
    let delays = ["apply.begin", "mutation.answer"];
    let feeds = drill
        .map(|drill| drill.failpoint)
        .filter(|name| name.contains("feed"));
    for name in delays.into_iter().chain(feeds) {
        everywhere(&cluster, name, "off").await;
    }
    operations(recorder, ended(recorder) + AFTERWARDS).await;
    let history = workloads.finish().await.unwrap();
    let finals = final_states(&cluster).await;
    History::append_final_states(&path, &finals).unwrap();
    // From the file, as anyone would do who doubts the first judgement.
    let again = checker::judge_file(&path).unwrap();
    let verdicts = checker::judge(&history, &finals);
    assert_eq!(count(&again), count(&verdicts));
    verdicts
}

fn count(verdicts: &[Verdict]) -> Vec<(&str, u64)> {
    let counts = verdicts
        .iter()
        .map(|verdict| (verdict.checker, verdict.violations));
    counts.collect()
}

async fn everywhere(cluster: &Cluster, name: &str, action: &str) {
    for replica in cluster.replicas().iter().filter(|r| r.is_running()) {
        set(cluster, replica.id(), name, action).await;
    }
}

async fn set(cluster: &Cluster, id: u16, name: &str, action: &str) {
    let taken = cluster.replica(id).set_failpoint(name, action).await;
    assert!(taken, "replica {id} did not take {name}={action}");
}

/// Waits until so many operations have ended.
async fn operations(recorder: &Recorder, wanted: u64) {
    until("operations", OPERATIONS_TIMEOUT, async || {
        match ended(recorder) {
            ended if ended >= wanted => Ok(()),
            ended => Err(format!("{ended} of {wanted}")),
        }
    })
    .await;
}

/// Waits until so many more adds were answered.
async fn answered_adds(recorder: &Recorder, more: u64) {
    let answered = || {
        let counts = recorder.counts();
        let accepted = counts.get(&("add", "accepted".to_owned()));
        accepted.copied().unwrap_or(0)
    };
    let before = answered();
    until("adds to be answered", OPERATIONS_TIMEOUT, async || {
        match answered() - before {
            now if now >= more => Ok(()),
            now => Err(format!("{now} of {more}")),
        }
    })
    .await;
}

/// Operations that have ended so far.
fn ended(recorder: &Recorder) -> u64 {
    recorder.counts().values().sum()
}

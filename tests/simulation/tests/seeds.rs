//! Promise: seeds that nothing is broken in keep every promise, a seed repeats exactly, and each broken rule is noticed.

use std::process::{Command, Output};

fn simulate(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simulate"));
    command
        .args(arguments)
        .output()
        .expect("simulate can be run")
}

fn said(output: &Output) -> String {
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
fn a_seed_repeats_exactly() {
    for seed in ["7", "8"] {
        let [first, second] = [0, 1].map(|_| said(&simulate(&["--seed", seed, "--print"])));
        assert!(first.contains("hash="), "{first}");
        let differing = first.lines().zip(second.lines()).find(|(a, b)| a != b);
        assert_eq!(differing, None, "seed {seed}");
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}

/// A hundred in all: `make simulate` has as many as anybody likes, in a faster build.
fn keeps_every_promise(from: &str) {
    let output = simulate(&["--seeds", "25", "--from", from]);
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn seeds_1_to_25_keep_every_promise() {
    keeps_every_promise("1");
}

#[test]
fn seeds_26_to_50_keep_every_promise() {
    keeps_every_promise("26");
}

#[test]
fn seeds_51_to_75_keep_every_promise() {
    keeps_every_promise("51");
}

#[test]
fn seeds_76_to_100_keep_every_promise() {
    keeps_every_promise("76");
}

/// What took a long time to find.
#[test]
fn seeds_that_failed_once_keep_every_promise() {
    // The answer to the last chunk of a snapshot was lost, and waited for.
    let lost_answer = "585";
    // A database that had lost commits was flushed, and the log that held them cut.
    let lost_commits = "320";
    // A deposed leader's task read the log while it was cut, and sent a follower what was left, with a hole before it.
    let hole = "328";
    for seed in [lost_answer, lost_commits, hole] {
        let output = simulate(&["--seed", seed]);
        assert!(output.status.success(), "{}", said(&output));
    }
}

/// Runs seeds with a broken rule, eight by eight, until some fail: which do, moves with every change of what is simulated. They must
/// fail for one of these reasons.
fn bites(broken: &str, promises: &[&str]) {
    let runs = (1..=64).step_by(8).map(|from| {
        let from = from.to_string();
        simulate(&["--seeds", "8", "--from", &from, "--break", broken])
    });
    let failed = runs.into_iter().find(|output| !output.status.success());
    let said = said(&failed.unwrap_or_else(|| panic!("nobody noticed {broken}")));
    let noticed = promises
        .iter()
        .any(|promise| said.contains(&format!("BREAKS \"{promise}\"")));
    assert!(noticed, "{broken} was noticed by something else: {said}");
}

#[test]
fn a_log_that_is_not_flushed_is_noticed() {
    bites(
        "log-flush",
        &["what is acknowledged is on a majority's disks"],
    );
}

#[test]
fn a_forgotten_vote_is_noticed() {
    bites(
        "vote-flush",
        &[
            "leader completeness",
            "log matching",
            "a term never goes back",
        ],
    );
}

#[test]
fn a_database_that_is_not_flushed_before_the_log_is_cut_off_is_noticed() {
    bites(
        "database-flush",
        &[
            "a replica starts where it stopped",
            "a replica does not stop by itself",
        ],
    );
}

#[test]
fn entries_acknowledged_and_not_stored_are_noticed() {
    bites(
        "acknowledge",
        &[
            "what is acknowledged is on a majority's disks",
            "leader completeness",
        ],
    );
}

#[test]
fn a_stale_read_is_noticed() {
    bites("read-index", &["reads see what was answered"]);
}

#[test]
fn a_forgotten_key_is_noticed() {
    bites(
        "keys",
        &[
            "never applied twice",
            "what is acknowledged is never lost",
            "the same key, the same outcome",
        ],
    );
}

#[test]
fn rows_that_differ_are_noticed() {
    bites("rows", &["all replicas have the same rows"]);
}

#[test]
fn a_feed_that_leaves_something_out_is_noticed() {
    bites("feed", &["the feed skips and repeats nothing"]);
}

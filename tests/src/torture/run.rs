//! One run: a cluster with links, clients at work, faults that come and go, and the judgement.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::checker::{self, Verdict};
use super::dice::Dice;
use super::fault::{self, Fault, Ground};
use super::history::{History, final_states};
use super::report::{Failovers, Report, Usage};
use super::scene::Scene;
use super::workload::{Load, Target, Workloads};
use crate::wait::until;
use crate::{Cluster, DatabaseKind};

/// How long faults hold, in milliseconds.
const HOLD: (u64, u64) = (300, 8_000);
/// The pause after a round, in milliseconds.
const PAUSE: (u64, u64) = (100, 2_500);
/// One round in so many waits until all replicas are in sync, and writes are answered.
const LOOK_EVERY: u64 = 3;
/// Longest wait for an answered write once everything was undone.
const PROGRESS_TIMEOUT: Duration = Duration::from_secs(30);
/// What counts as writes being answered.
const PROGRESS: Duration = Duration::from_secs(1);
/// So few that logs are cut all the time, and whoever was away for some seconds needs a snapshot.
const COMPACT_AFTER_ENTRIES: &str = "60";
/// What no replica may say, and why not.
const NEVER_SAID: [(&str, &str); 2] = [
    ("panicked at", "a replica must not panic"),
    ("is quarantined", "no history may differ from the others'"),
];

/// What kind of run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The replicas' databases.
    pub database: DatabaseKind,
    /// How many replicas.
    pub replicas: u16,
    /// How long faults come.
    pub duration: Duration,
    /// Decides which faults, when, and what clients do.
    pub seed: u64,
    /// Only these kinds of faults; all where it is empty.
    pub only: Vec<String>,
    /// Kinds that come first, one after the other.
    pub first: Vec<&'static str>,
    /// Whether the binary has failpoints.
    pub failpoints: bool,
    /// The clients.
    pub load: Load,
}

impl Options {
    fn ground(&self) -> Ground {
        Ground {
            replicas: self.replicas,
            database: self.database,
            failpoints: self.failpoints,
        }
    }
}

/// Runs it. Panics, as a test does, where the cluster does not heal; what clients saw is in the report.
pub async fn run(options: &Options) -> (Report, Cluster) {
    let mut builder = Cluster::builder()
        .replicas(options.replicas)
        .database(options.database)
        .flag("--compact-after-entries", COMPACT_AFTER_ENTRIES)
        .links();
    if options.failpoints {
        builder = builder.failpoints();
    }
    let cluster = builder.start().await;
    let history = cluster.file("history.jsonl");
    let target = Target::of(&cluster);
    let workloads = Workloads::start_with(&target, options.seed, &history, options.load);
    let workloads = workloads.expect("a file for the history");
    let scene = Scene::new(cluster, Arc::clone(workloads.recorder()));
    let mut nemesis = Nemesis {
        scene,
        options,
        dice: Dice::new(options.seed),
        report: Report::new(options),
        begun: Instant::now(),
    };
    nemesis.torment().await;
    nemesis.look().await;
    nemesis.judge(workloads, history).await
}

struct Nemesis<'a> {
    scene: Scene,
    options: &'a Options,
    dice: Dice,
    report: Report,
    begun: Instant,
}

impl Nemesis<'_> {
    /// Injects and heals until the time is over.
    async fn torment(&mut self) {
        let mut round = 0;
        while self.begun.elapsed() < self.options.duration || round < self.options.first.len() {
            self.round(round).await;
            round += 1;
            let pause = self.dice.millis(PAUSE.0, PAUSE.1);
            tokio::time::sleep(pause).await;
            if self.dice.below(LOOK_EVERY) == 0 {
                self.look().await;
            }
        }
        self.report.rounds = round;
    }

    /// One fault, or a few at once.
    async fn round(&mut self, round: usize) {
        let mut faults = self.draw(round);
        let exclusive = faults.iter().any(|fault| fault.is_exclusive());
        if exclusive {
            faults.truncate(1);
            self.look().await;
        }
        self.scene.begin_round(faults.len());
        for fault in &mut faults {
            let kind = fault.kind();
            let said = fault.inject(&self.scene).await;
            self.say(&said);
            *self.report.faults.entry(kind).or_default() += 1;
            let between = self.dice.millis(0, 600);
            tokio::time::sleep(between).await;
        }
        let hold = self.dice.millis(HOLD.0, HOLD.1);
        tokio::time::sleep(hold).await;
        self.sample();
        for fault in &mut faults {
            fault.heal(&self.scene).await;
        }
        let begun = Instant::now();
        self.scene.restore().await;
        self.say(&format!(
            "healed; all serve after {} ms",
            begun.elapsed().as_millis()
        ));
    }

    fn draw(&mut self, round: usize) -> Vec<Box<dyn Fault>> {
        let ground = self.options.ground();
        if let Some(kind) = self.options.first.get(round) {
            return vec![fault::draw(kind, &mut self.dice, ground)];
        }
        let count = match self.dice.below(10) {
            0..6 => 1,
            6..9 => 2,
            _ => 3,
        };
        let mut kinds: Vec<&str> = (0..count)
            .map(|_| fault::draw_kind(&mut self.dice, ground, &self.options.only))
            .collect();
        // Of each kind one at a time: they would undo each other's.
        kinds.sort_unstable();
        kinds.dedup();
        let mut faults: Vec<_> = kinds
            .into_iter()
            .map(|kind| fault::draw(kind, &mut self.dice, ground))
            .collect();
        // What goes with no other comes first, and alone.
        faults.sort_by_key(|fault| !fault.is_exclusive());
        if faults.first().is_some_and(|fault| fault.is_exclusive()) {
            faults.truncate(1);
        }
        faults
    }

    /// Everything must be whole again: all in sync, and writes answered.
    async fn look(&mut self) {
        self.scene.restore().await;
        self.scene.cluster.wait_until_in_sync().await;
        let scene = &self.scene;
        until(
            "a write to be answered",
            PROGRESS_TIMEOUT,
            async || match scene.silence() {
                silence if silence < PROGRESS => Ok(()),
                silence => Err(format!("none for {silence:?}")),
            },
        )
        .await;
        self.say("all replicas are in sync, and writes are answered");
    }

    fn sample(&mut self) {
        for replica in self.scene.cluster.replicas() {
            self.report.usage(replica.id(), Usage::of(replica));
        }
    }

    fn say(&self, what: &str) {
        println!("{:8.1} s  {what}", self.begun.elapsed().as_secs_f64());
    }

    async fn judge(mut self, workloads: Workloads, path: PathBuf) -> (Report, Cluster) {
        self.sample();
        self.report.seconds = self.begun.elapsed().as_secs();
        self.report.operations(&workloads.recorder().counts());
        self.report.longest_silence_ms = millis(workloads.recorder().longest_silence());
        self.report.ended_by_themselves = self.scene.ended_by_themselves();
        self.say("the clients end, and what they saw is judged");
        let history = workloads.finish().await.expect("the history");
        let finals = final_states(&self.scene.cluster).await;
        History::append_final_states(&path, &finals).expect("a file for the final states");
        self.report.failovers = Failovers::of(&history, &self.scene.gone_leaders());
        let judged = tokio::task::spawn_blocking(move || checker::judge(&history, &finals)).await;
        self.report.verdicts = judged.expect("the judges");
        self.report.verdicts.push(self.said());
        (self.report, self.scene.cluster)
    }

    /// What replicas have said that they must not say.
    fn said(&self) -> Verdict {
        let mut examples = Vec::new();
        let mut checked = 0;
        for replica in self.scene.cluster.replicas() {
            for line in replica.log().lines() {
                checked += 1;
                let because = NEVER_SAID.iter().find(|(words, _)| line.contains(words));
                if let Some((_, because)) = because {
                    examples.push(format!("replica {}: {because}: {line}", replica.id()));
                }
            }
        }
        Verdict {
            checker: "logs",
            promise: "no replica panics, and none is quarantined",
            checked,
            undecided: 0,
            violations: examples.len() as u64,
            examples,
        }
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

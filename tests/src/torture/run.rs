//! One run: a cluster with links, clients at work, faults that come and go, and the judgement.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::checker::{self, Verdict};
use super::dice::Dice;
use super::fault::{self, Company, Dealer, Fault, Ground};
use super::history::{History, final_states};
use super::report::{Failovers, InDoubt, Report, Usage, millis};
use super::scene::{Scene, Unhealed};
use super::workload::{Load, Target, Workloads};
use crate::{Cluster, DatabaseKind};

/// How long faults hold, in milliseconds.
const HOLD: (u64, u64) = (300, 8_000);
/// The pause after a round, in milliseconds.
const PAUSE: (u64, u64) = (100, 2_500);
/// One round in so many waits until all replicas are in sync, and writes are answered.
const LOOK_EVERY: u64 = 3;
/// Replicas beyond those that the run is for, which come and go.
const SPARES: u16 = fault::MOST_MORE;
/// Entries of the log that stay: so few that whoever was away for some seconds needs a snapshot, and enough to outlast one. In a long run
/// there is more in it, and where clients pause for longer there is less.
const LOG_ENTRIES: u64 = 150;
const LOG_ENTRIES_A_MINUTE: u64 = 100;
/// Minutes that make no difference.
const SHORT_RUN: u64 = 5;
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
    /// How long all replicas may take to serve again after everything was undone: [`HEAL_WITHIN`].
    pub heal_within: Duration,
}

/// Ample: a replica serves a second or two after it was started, and some more where it needs a snapshot.
pub const HEAL_WITHIN: Duration = Duration::from_secs(90);

impl Options {
    fn log_entries(&self) -> String {
        let minutes = (self.duration.as_secs() / 60).saturating_sub(SHORT_RUN);
        let usual = Load::default().pause_ms;
        let grown = LOG_ENTRIES_A_MINUTE * minutes * usual / self.load.pause_ms.max(usual);
        (LOG_ENTRIES + grown).to_string()
    }

    fn ground(&self) -> Ground {
        Ground {
            replicas: self.replicas,
            database: self.database,
            failpoints: self.failpoints,
        }
    }
}

/// Runs it. What clients saw is in the report, also where the cluster does not heal: then as far as it went.
pub async fn run(options: &Options) -> (Report, Cluster) {
    let mut builder = Cluster::builder()
        .replicas(options.replicas)
        .spares(SPARES)
        .database(options.database)
        .flag("--compact-after-entries", &options.log_entries())
        .links();
    if options.failpoints {
        builder = builder.failpoints();
    }
    let cluster = builder.start().await;
    let history = cluster.file("history.jsonl");
    let target = Target::of(&cluster);
    let workloads = Workloads::start(&target, options.seed, &history, options.load);
    let workloads = workloads.expect("a file for the history");
    let recorder = Arc::clone(workloads.recorder());
    let scene = Scene::new(cluster, target, recorder, options.heal_within);
    let mut nemesis = Nemesis {
        scene,
        options,
        dice: Dice::new(options.seed),
        dealer: Dealer::new(options.ground(), &options.only),
        report: Report::new(options),
        begun: Instant::now(),
    };
    let outcome = nemesis.torment().await;
    nemesis.judge(outcome, workloads, history).await
}

struct Nemesis<'a> {
    scene: Scene,
    options: &'a Options,
    dice: Dice,
    dealer: Dealer,
    report: Report,
    begun: Instant,
}

impl Nemesis<'_> {
    /// Injects and heals until the time is over, and leaves the cluster as it was planned.
    async fn torment(&mut self) -> Result<(), Unhealed> {
        let mut round = 0;
        while self.begun.elapsed() < self.options.duration || round < self.options.first.len() {
            let faults = match self.options.first.get(round) {
                Some(kind) => vec![self.dealer.draw(kind, &mut self.dice)],
                None => self.dealer.deal(&mut self.dice),
            };
            round += 1;
            self.report.rounds = round;
            self.round(faults).await?;
            let pause = self.dice.millis(PAUSE.0, PAUSE.1);
            tokio::time::sleep(pause).await;
            if self.dice.below(LOOK_EVERY) == 0 {
                self.look().await?;
            }
        }
        while self.scene.members().len() > self.scene.planned() {
            self.round(vec![fault::shrink()]).await?;
        }
        self.look().await
    }

    /// One fault, or a few at once.
    async fn round(&mut self, mut faults: Vec<Box<dyn Fault>>) -> Result<(), Unhealed> {
        if faults.iter().any(|fault| fault.company() != Company::Any) {
            self.look().await?;
        }
        self.scene.begin_round(faults.len());
        for fault in &mut faults {
            let said = fault.inject(&self.scene).await?;
            self.say(&said);
            *self.report.faults.entry(fault.kind()).or_default() += 1;
            let between = self.dice.millis(0, 600);
            tokio::time::sleep(between).await;
        }
        let hold = self.dice.millis(HOLD.0, HOLD.1);
        tokio::time::sleep(hold).await;
        self.sample();
        let begun = Instant::now();
        // What came last goes first: what takes several steps is finished where nothing else is broken any more.
        for fault in faults.iter_mut().rev() {
            fault.heal(&self.scene).await?;
        }
        self.scene.restore().await?;
        let took = begun.elapsed().as_millis();
        self.say(&format!("healed; all serve after {took} ms"));
        Ok(())
    }

    /// Everything must be whole again: all in sync, and writes answered.
    async fn look(&mut self) -> Result<(), Unhealed> {
        let begun = Instant::now();
        self.scene.restore().await?;
        self.scene.become_whole().await?;
        self.report.healed(begun.elapsed());
        self.say("all replicas are in sync, and writes are answered");
        Ok(())
    }

    fn sample(&mut self) {
        for replica in self.scene.cluster.everybody() {
            self.report.usage(replica.id(), Usage::of(replica));
        }
    }

    fn say(&self, what: &str) {
        println!("{:8.1} s  {what}", self.begun.elapsed().as_secs_f64());
    }

    async fn judge(
        mut self,
        outcome: Result<(), Unhealed>,
        mut workloads: Workloads,
        path: PathBuf,
    ) -> (Report, Cluster) {
        self.sample();
        self.report.seconds = self.begun.elapsed().as_secs();
        self.report.operations(&workloads.recorder().counts());
        self.report.longest_silence_ms = millis(workloads.recorder().longest_silence());
        let verdicts = match outcome {
            Ok(()) => self.finish(&mut workloads, path).await,
            Err(unhealed) => Err(unhealed),
        };
        let mut verdicts = match verdicts {
            Ok(verdicts) => verdicts,
            Err(unhealed) => self.abandon(unhealed, &mut workloads).await,
        };
        verdicts.push(self.said());
        self.report.verdicts = verdicts;
        self.report.ended_by_themselves = self.scene.ended_by_themselves();
        if self.options.failpoints {
            self.scene.count_failpoints().await;
            self.report.failpoints(&self.scene.acted());
        }
        (self.report, self.scene.cluster)
    }

    /// Lets clients come to their end, and has everything judged.
    async fn finish(
        &mut self,
        workloads: &mut Workloads,
        path: PathBuf,
    ) -> Result<Vec<Verdict>, Unhealed> {
        self.say("the clients end, and what they saw is judged");
        let history = workloads.finish().await;
        let history = history.map_err(|error| Unhealed(error.to_string()))?;
        let finals = final_states(&self.scene.cluster).await;
        History::append_final_states(&path, &finals).expect("a file for the final states");
        self.report.failovers = Failovers::of(&history, &self.scene.gone_leaders());
        self.report.in_doubt = InDoubt::of(&history);
        let judged = tokio::task::spawn_blocking(move || checker::judge(&history, &finals)).await;
        let mut verdicts = judged.expect("the judges");
        verdicts.extend(self.report.in_doubt.verdict());
        verdicts.push(self.report.healings.verdict(None));
        Ok(verdicts)
    }

    /// Takes down what there is of a run that cannot go on, and has that judged.
    async fn abandon(&mut self, unhealed: Unhealed, workloads: &mut Workloads) -> Vec<Verdict> {
        self.say(&format!("given up: {unhealed}"));
        self.report.last_words = self.scene.last_words().await;
        let healing = self.report.healings.verdict(Some(&unhealed));
        let mut verdicts = match workloads.abandon().await {
            Ok(history) => {
                self.report.failovers = Failovers::of(&history, &self.scene.gone_leaders());
                self.report.in_doubt = InDoubt::of(&history);
                let judged =
                    tokio::task::spawn_blocking(move || checker::judge_unfinished(&history)).await;
                judged.expect("the judges")
            }
            Err(error) => {
                self.say(&format!("there is no history to judge: {error}"));
                Vec::new()
            }
        };
        verdicts.push(healing);
        verdicts
    }

    /// What replicas have said that they must not say.
    fn said(&self) -> Verdict {
        let mut examples = Vec::new();
        let mut checked = 0;
        for replica in self.scene.cluster.everybody() {
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

//! Many seeds, each in a process of its own: nothing that one leaves behind reaches another.

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::ValueEnum;

use crate::Arguments;
use crate::world::guard;

/// Failed seeds of which everything is printed.
const SHOWN: usize = 10;

#[derive(Default)]
struct Totals {
    seeds: u64,
    sums: BTreeMap<String, u64>,
    slowest_recovery: u64,
    failed: Vec<(u64, String)>,
}

/// Runs them, prints the failed ones, and says how it went.
pub fn run(arguments: &Arguments) -> ExitCode {
    let Ok(binary) = std::env::current_exe() else {
        eprintln!("this program cannot find itself");
        return ExitCode::FAILURE;
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = arguments.jobs.unwrap_or(processors);
    let next = AtomicU64::new(arguments.from);
    let end = arguments.from + arguments.seeds;
    let totals = Mutex::<Totals>::default();
    let begun = uptime();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let mut command = Command::new(&binary);
                    command.args(["--seed", &seed.to_string()]);
                    command.args(passed_on(arguments));
                    let (good, said) = match command.output() {
                        Ok(output) => {
                            let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
                            said.push_str(&String::from_utf8_lossy(&output.stderr));
                            (output.status.success(), said)
                        }
                        Err(error) => (false, error.to_string()),
                    };
                    guard(&totals).take(seed, good, said);
                }
            });
        }
    });
    let totals = guard(&totals);
    totals.print(uptime() - begun, arguments);
    if totals.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn passed_on(arguments: &Arguments) -> Vec<String> {
    let mut passed = Vec::new();
    if let Some(replicas) = arguments.replicas {
        passed.extend(["--replicas".to_owned(), replicas.to_string()]);
    }
    if let Some(breakage) = arguments.breakage.and_then(|it| it.to_possible_value()) {
        passed.extend(["--break".to_owned(), breakage.get_name().to_owned()]);
    }
    passed
}

impl Totals {
    fn take(&mut self, seed: u64, good: bool, said: String) {
        self.seeds += 1;
        for word in said.split_whitespace() {
            let Some((name, value)) = word.split_once('=') else {
                continue;
            };
            let Ok(value) = value.parse::<u64>() else {
                continue;
            };
            if name == "recovery_ms" {
                self.slowest_recovery = self.slowest_recovery.max(value);
            }
            *self.sums.entry(name.to_owned()).or_default() += value;
        }
        if !good {
            if self.failed.len() < SHOWN {
                println!("{said}");
            }
            self.failed.push((seed, said));
        }
        if self.seeds.is_multiple_of(500) {
            println!("{} seeds, {} failed", self.seeds, self.failed.len());
        }
    }

    fn print(&self, seconds: f64, arguments: &Arguments) {
        let sum = |name: &str| self.sums.get(name).copied().unwrap_or_default();
        let last = arguments.from + self.seeds.saturating_sub(1);
        println!(
            "{} seeds ({} to {last}) in {seconds:.0} s: {} failed. {:.0} simulated minutes, {} faults, {} terms with a leader, {} \
             committed entries; operations: {} accepted, {} refused, {} in doubt, {} not written; slowest recovery {} ms",
            self.seeds,
            arguments.from,
            self.failed.len(),
            sum("simulated_ms") as f64 / 60_000.0,
            sum("faults"),
            sum("terms"),
            sum("entries"),
            sum("accepted"),
            sum("refused"),
            sum("in_doubt"),
            sum("not_written"),
            self.slowest_recovery,
        );
        let mut promises = BTreeMap::<&str, Vec<u64>>::new();
        for (seed, said) in &self.failed {
            let promise = said.split('"').nth(1).unwrap_or("a panic");
            promises.entry(promise).or_default().push(*seed);
        }
        for (promise, seeds) in promises {
            let shown = &seeds[..seeds.len().min(20)];
            println!("{promise}: {} seeds: {shown:?}", seeds.len());
        }
        if let Some((seed, _)) = self.failed.first() {
            let more = passed_on(arguments).join(" ");
            println!("repeat one with: simulate --seed {seed} {more} --print");
        }
    }
}

/// Seconds since the machine was started. The clock of this process is the simulation's, and stands still here.
fn uptime() -> f64 {
    let text = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    let first = text.split_whitespace().next();
    first.and_then(|first| first.parse().ok()).unwrap_or(0.0)
}

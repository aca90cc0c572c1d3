//! Turns: A B C, A B C, so that whatever else the machine does meets all of them.

use std::time::Duration;

use super::cpu::{self, Families};
use super::figures::Tally;
use super::subject::{Load, Subject};
use super::system::System;

/// How often, how long, by how many.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Of each subject, at each number of clients.
    pub turns: usize,
    /// Clients at once.
    pub clients: Vec<usize>,
    /// Before each turn, not counted.
    pub warm_up: Duration,
    /// A turn.
    pub time: Duration,
}

/// What one subject did with so many clients.
#[derive(Debug)]
pub struct Measured {
    /// Of [`Subject`].
    pub subject: &'static str,
    /// At once.
    pub clients: usize,
    /// Each turn by itself.
    pub turns: Vec<Tally>,
}

impl Measured {
    /// All turns together.
    pub fn all(&self) -> Tally {
        let mut all = Tally::default();
        self.turns.iter().for_each(|turn| all.add(turn));
        all
    }
}

/// Lets all subjects take their turns. All systems are frozen before, and afterwards.
///
/// # Errors
/// What a subject says.
pub async fn take(
    plan: &Plan,
    systems: &[System],
    subjects: &[Subject],
    mut said: impl FnMut(&str),
) -> Result<Vec<Measured>, String> {
    let mut results = Vec::new();
    for clients in &plan.clients {
        let first = results.len();
        results.extend(subjects.iter().map(|subject| Measured {
            subject: subject.name,
            clients: *clients,
            turns: Vec::new(),
        }));
        for turn in 1..=plan.turns {
            for (number, subject) in subjects.iter().enumerate() {
                let system = &systems[subject.system];
                system.thaw().await;
                let load = Load {
                    clients: *clients,
                    warm_up: plan.warm_up,
                    time: plan.time,
                };
                let tally = measured(subject, system, load).await?;
                system.freeze().await;
                said(&format!(
                    "{clients:4} clients, turn {turn}: {:40} {:8.0}/s",
                    subject.name,
                    tally.rate()
                ));
                results[first + number].turns.push(tally);
            }
        }
    }
    Ok(results)
}

/// One turn, with the processor time that it took.
async fn measured(subject: &Subject, system: &System, load: Load) -> Result<Tally, String> {
    let mut families: Families = system.families().await;
    families.insert("load generator".to_owned(), vec![std::process::id()]);
    let before = cpu::taken(&families);
    let mut tally = subject.run(system, load).await?;
    let mut cpu = cpu::between(&before, &cpu::taken(&families));
    // The warm-up took its share.
    let share = load.time.as_secs_f64() / (load.warm_up + load.time).as_secs_f64();
    cpu.values_mut().for_each(|seconds| *seconds *= share);
    tally.cpu = cpu;
    Ok(tally)
}

//! A report for people.

use std::fmt::{self, Display, Formatter};

use super::{Failovers, Report};

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nTorture: {} replicas on {}, {} s, {} rounds of faults, seed {}\n",
            self.replicas, self.database, self.seconds, self.rounds, self.seed
        )?;
        writeln!(f, "Operations")?;
        for (kind, answers) in &self.operations {
            let answers: Vec<String> = answers
                .iter()
                .map(|(answer, count)| format!("{answer} {count}"))
                .collect();
            writeln!(f, "  {kind:<14} {}", answers.join(", "))?;
        }
        writeln!(f, "Faults")?;
        for (kind, count) in &self.faults {
            writeln!(f, "  {count:>5} {kind}")?;
        }
        writeln!(
            f,
            "  {:>5} processes ended by themselves",
            self.ended_by_themselves
        )?;
        if !self.failpoints.is_empty() {
            writeln!(f, "Failpoints that have acted")?;
        }
        for (name, count) in &self.failpoints {
            writeln!(f, "  {count:>5} {name}")?;
        }
        writeln!(
            f,
            "Healed {} times; the longest took {} ms",
            self.healings.count, self.healings.longest_ms
        )?;
        writeln!(
            f,
            "Mutations whose answer was lost: {}, of which {} could not be settled",
            self.in_doubt.count, self.in_doubt.unsettled
        )?;
        writeln!(
            f,
            "Longest time without an answered write: {} ms",
            self.longest_silence_ms
        )?;
        let Failovers {
            count,
            median_ms,
            p99_ms,
            worst_ms,
        } = self.failovers;
        writeln!(
            f,
            "Failovers after kill -9 of the leader: {count}; median {median_ms} ms, 99th percentile {p99_ms} ms, worst {worst_ms} ms"
        )?;
        for (id, usage) in &self.usage {
            writeln!(
                f,
                "Replica {id}: at most {} MB of memory, {} MB in its data folder",
                usage.memory_bytes >> 20,
                usage.data_bytes >> 20
            )?;
        }
        writeln!(f, "Verdicts")?;
        for verdict in &self.verdicts {
            let word = match (verdict.holds(), verdict.proves()) {
                (false, _) => "VIOLATED",
                (true, true) => "holds",
                (true, false) => "NOT PROVEN",
            };
            writeln!(
                f,
                "  {:<17} {word}: {} checked, {} undecided, {} violations ({})",
                verdict.checker,
                verdict.checked,
                verdict.undecided,
                verdict.violations,
                verdict.promise
            )?;
            for example in &verdict.examples {
                writeln!(f, "      {example}")?;
            }
        }
        for last in &self.last_words {
            writeln!(f, "Replica {} at last: {}", last.replica, last.status)?;
            for line in &last.log {
                writeln!(f, "      {line}")?;
            }
        }
        Ok(())
    }
}

//! Puts what was measured into a folder: a page with a table, the figures as JSON, plots.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::json;

use super::figures::Figures;
use super::machine::Machine;
use super::plot::{self, Line};
use super::scale::Scale;
use super::sustained::Sustained;
use super::turns::{Measured, Plan};

/// What was compared.
#[derive(Debug, Clone, Copy)]
pub struct Topic {
    /// Of its files, and of its list in the figures.
    pub name: &'static str,
    /// Of its page.
    pub title: &'static str,
}

/// Mutations.
pub const WRITES: Topic = Topic {
    name: "writes",
    title: "Writes",
};
/// Pages.
pub const READS: Topic = Topic {
    name: "reads",
    title: "Reads",
};

/// Writes the page, the figures and the plots of a comparison.
///
/// # Errors
/// A folder that cannot be written to.
pub fn comparison(
    folder: &Path,
    topic: Topic,
    machine: &Machine,
    plan: &Plan,
    measured: &[Measured],
) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let name = topic.name;
    let plot = |file: &str, what: &str, value: fn(&Figures) -> f64| {
        let path = folder.join(format!("{name}-{file}.svg"));
        plot::by_clients(&path, what, &plan.clients, &lines(plan, measured, value))
    };
    let rate = format!("{name} a second");
    plot("a-second", &rate, |figures| figures.per_second)?;
    plot("median", "median latency, ms", |figures| figures.p50_ms)?;
    plot("p99", "99th percentile of the latency, ms", |figures| {
        figures.p99_ms
    })?;
    let figures = as_json(topic, machine, plan, measured);
    fs::write(folder.join(format!("{name}.json")), figures)?;
    let page = page(topic, machine, plan, measured)?;
    fs::write(folder.join(format!("{name}.md")), page)?;
    Ok(())
}

fn lines(plan: &Plan, measured: &[Measured], value: fn(&Figures) -> f64) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for one in measured {
        let place = plan.clients.iter().position(|known| *known == one.clients);
        let point = (place.unwrap_or(0) as f64, value(&one.all().figures()));
        match lines.iter_mut().find(|line| line.name == one.subject) {
            Some(line) => line.points.push(point),
            None => lines.push(Line {
                name: one.subject.to_owned(),
                points: vec![point],
            }),
        }
    }
    lines
}

fn as_json(topic: Topic, machine: &Machine, plan: &Plan, measured: &[Measured]) -> String {
    let results: Vec<_> = measured
        .iter()
        .map(|one| {
            let turns: Vec<_> = one.turns.iter().map(|turn| turn.figures()).collect();
            json!({ "subject": one.subject, "clients": one.clients, "all": one.all().figures(), "turns": turns })
        })
        .collect();
    let report = json!({
        "machine": machine,
        "turns": plan.turns,
        "seconds_a_turn": plan.time.as_secs_f64(),
        "seconds_of_warm_up": plan.warm_up.as_secs_f64(),
        topic.name: results,
    });
    format!("{report:#}\n")
}

fn page(
    topic: Topic,
    machine: &Machine,
    plan: &Plan,
    measured: &[Measured],
) -> Result<String, std::fmt::Error> {
    let mut page = String::new();
    writeln!(page, "# {}\n", topic.title)?;
    writeln!(
        page,
        "Written by `make bench`. {} turns of {} s each, after {} s of warm-up; who has no turn is frozen. {} × {}, {:.0} GB, Linux {}; {}.\n",
        plan.turns,
        plan.time.as_secs(),
        plan.warm_up.as_secs(),
        machine.processors,
        machine.processor,
        machine.memory_gb,
        machine.kernel,
        machine.versions.join(", "),
    )?;
    for plot in ["a-second", "median", "p99"] {
        writeln!(page, "![{plot}]({}-{plot}.svg)\n", topic.name)?;
    }
    page.push_str(&table(measured)?);
    Ok(page)
}

/// All figures, as a table in Markdown.
///
/// # Errors
/// None that happens: text is written to memory.
pub fn table(measured: &[Measured]) -> Result<String, std::fmt::Error> {
    let mut table = String::new();
    writeln!(
        table,
        "| | clients | a second | median ms | p99 ms | worst ms | processor, µs each |"
    )?;
    writeln!(table, "|---|---|---|---|---|---|---|")?;
    for one in measured {
        let figures = one.all().figures();
        let cpu = figures.cpu_us.iter();
        let cpu: Vec<String> = cpu
            .map(|(name, micros)| format!("{name} {micros:.0}"))
            .collect();
        writeln!(
            table,
            "| {} | {} | {:.0} | {:.2} | {:.2} | {:.1} | {} |",
            one.subject,
            one.clients,
            figures.per_second,
            figures.p50_ms,
            figures.p99_ms,
            figures.max_ms,
            cpu.join(", ")
        )?;
    }
    Ok(table)
}

/// Writes the page, the figures and the plots of a steady stream.
///
/// # Errors
/// A folder that cannot be written to.
pub fn sustained(
    folder: &Path,
    machine: &Machine,
    measured: &Sustained,
) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let line = |name: &str, points| Line {
        name: name.to_owned(),
        points,
    };
    let seconds = measured.seconds.iter();
    let latency = |value: fn(&(u64, f64, f64)) -> f64| -> Vec<(f64, f64)> {
        seconds
            .clone()
            .map(|second| (second.0 as f64, value(second)))
            .collect()
    };
    plot::over_time(
        &folder.join("sustained-latency.svg"),
        "latency second by second, ms",
        &[
            line("worst", latency(|second| second.2)),
            line("median", latency(|second| second.1)),
        ],
    )?;
    let replicas = measured.memory_mb.first().map_or(0, |(_, each)| each.len());
    let memory: Vec<Line> = (0..replicas)
        .map(|place| {
            let samples = measured.memory_mb.iter();
            let points = samples.filter_map(|(at, each)| Some((*at, *each.get(place)?)));
            line(&format!("replica {}", place + 1), points.collect())
        })
        .collect();
    plot::over_time(
        &folder.join("sustained-memory.svg"),
        "resident memory, MB",
        &memory,
    )?;
    let figures = json!({ "machine": machine, "sustained": measured });
    fs::write(folder.join("sustained.json"), format!("{figures:#}\n"))?;
    let most = |from: usize| {
        let samples = measured.memory_mb.iter().skip(from);
        samples
            .flat_map(|(_, each)| each.iter().copied())
            .fold(0.0, f64::max)
    };
    let idle = measured
        .memory_mb
        .first()
        .map_or(0.0, |(_, each)| each.iter().copied().fold(0.0, f64::max));
    let all = &measured.all;
    let page = format!(
        "# A steady stream\n\nWritten by `make bench`: `addExpense` on PostgreSQL, acknowledged by `all`, at half the rate that 64 clients \
         reached just before ({:.0} of {:.0} a second) for {:.0} s. The clock of each mutation starts when it was due.\n\n\
         | median ms | p99 ms | p99.9 ms | worst ms | idle replica, MB | most under load, MB |\n|---|---|---|---|---|---|\n\
         | {:.2} | {:.2} | {:.2} | {:.1} | {:.0} | {:.0} |\n\n\
         ![latency](sustained-latency.svg)\n\n![memory](sustained-memory.svg)\n",
        measured.rate,
        measured.top_rate,
        all.seconds,
        all.p50_ms,
        all.p99_ms,
        all.p999_ms,
        all.max_ms,
        idle,
        most(0),
    );
    fs::write(folder.join("sustained.md"), page)?;
    Ok(())
}

/// Writes the page and the figures of what many expenses cost.
///
/// # Errors
/// A folder that cannot be written to.
pub fn scale(folder: &Path, machine: &Machine, measured: &Scale) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let figures = json!({ "machine": machine, "scale": measured });
    fs::write(folder.join("scale.json"), format!("{figures:#}\n"))?;
    let mut page = String::new();
    writeln!(
        page,
        "# Many expenses\n\nWritten by `make bench`, on PostgreSQL.\n"
    )?;
    for (rows, seconds) in [measured.first_import, measured.import] {
        writeln!(page, "- `threefold import` of {rows} rows: {seconds:.1} s")?;
    }
    let [before, after] = measured.writes;
    writeln!(
        page,
        "- `addExpense` by 64 clients, acknowledged by all: {before:.0} a second before the second import, {after:.0} after it"
    )?;
    let [idle, most] = measured.memory_mb;
    writeln!(
        page,
        "- Memory of a replica: {idle:.0} MB idle, {most:.0} MB at the end\n"
    )?;
    for (what, all) in [("Pages", &measured.pages), ("Totals", &measured.summaries)] {
        writeln!(
            page,
            "| {what} | median ms | p95 ms | worst ms |\n|---|---|---|---|"
        )?;
        for (asked, [median, p95, worst]) in all {
            writeln!(page, "| `{asked}` | {median:.1} | {p95:.1} | {worst:.1} |")?;
        }
        writeln!(page)?;
    }
    fs::write(folder.join("scale.md"), page)?;
    Ok(())
}

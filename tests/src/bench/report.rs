//! Puts what was measured into a folder: a page with a table, the figures as JSON, plots.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::json;

use super::figures::Figures;
use super::machine::Machine;
use super::plot::{self, Line};
use super::turns::{Measured, Plan};

/// Writes the page, the figures and the plots of a comparison of writes.
///
/// # Errors
/// A folder that cannot be written to.
pub fn writes(
    folder: &Path,
    machine: &Machine,
    plan: &Plan,
    measured: &[Measured],
) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let lines = |value: fn(&Figures) -> f64| lines(plan, measured, value);
    plot::by_clients(
        &folder.join("writes-a-second.svg"),
        "writes a second",
        &plan.clients,
        &lines(|figures| figures.per_second),
    )?;
    plot::by_clients(
        &folder.join("writes-median.svg"),
        "median latency, ms",
        &plan.clients,
        &lines(|figures| figures.p50_ms),
    )?;
    plot::by_clients(
        &folder.join("writes-p99.svg"),
        "99th percentile of the latency, ms",
        &plan.clients,
        &lines(|figures| figures.p99_ms),
    )?;
    fs::write(folder.join("writes.json"), as_json(machine, plan, measured))?;
    fs::write(folder.join("writes.md"), page(machine, plan, measured)?)?;
    Ok(())
}

fn lines(plan: &Plan, measured: &[Measured], value: fn(&Figures) -> f64) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for one in measured {
        let place = plan.clients.iter().position(|known| *known == one.clients);
        let point = (place.unwrap_or(0), value(&one.all().figures()));
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

fn as_json(machine: &Machine, plan: &Plan, measured: &[Measured]) -> String {
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
        "writes": results,
    });
    format!("{report:#}\n")
}

fn page(machine: &Machine, plan: &Plan, measured: &[Measured]) -> Result<String, std::fmt::Error> {
    let mut page = String::new();
    writeln!(page, "# Writes\n")?;
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
    for plot in ["writes-a-second", "writes-median", "writes-p99"] {
        writeln!(page, "![{plot}]({plot}.svg)\n")?;
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

//! Processor time that processes have taken, with all that they have started.

use std::collections::{BTreeMap, HashMap};

use procfs::process::all_processes;

/// Processes by what they are called in a report: the first of each family, by number.
pub type Families = BTreeMap<String, Vec<u32>>;

/// Seconds of processor time by family.
pub type Seconds = BTreeMap<String, f64>;

/// What each family has taken so far: its processes that live, and those that have ended and were waited for. Of this process only
/// itself and what has ended.
pub fn taken(families: &Families) -> Seconds {
    let ticks = procfs::ticks_per_second() as f64;
    let mut parents = HashMap::new();
    let mut own = HashMap::new();
    for process in all_processes().into_iter().flatten().flatten() {
        if let Ok(stat) = process.stat() {
            let children = u64::try_from(stat.cutime + stat.cstime).unwrap_or(0);
            parents.insert(stat.pid, stat.ppid);
            own.insert(stat.pid, (stat.utime + stat.stime, children));
        }
    }
    let this = i32::try_from(std::process::id()).ok();
    let belongs = |mut pid: i32, first: i32| {
        // What is measured was started from here.
        if this == Some(first) {
            return pid == first;
        }
        while pid != first {
            match parents.get(&pid) {
                Some(parent) => pid = *parent,
                None => return false,
            }
        }
        true
    };
    families
        .iter()
        .map(|(name, firsts)| {
            let ticked: u64 = firsts
                .iter()
                .filter_map(|first| i32::try_from(*first).ok())
                .flat_map(|first| {
                    own.iter()
                        .filter(move |(pid, _)| belongs(**pid, first))
                        .map(|(_, (own, ended))| own + ended)
                })
                .sum();
            (name.clone(), ticked as f64 / ticks)
        })
        .collect()
}

/// What each has taken between two looks.
pub fn between(before: &Seconds, after: &Seconds) -> Seconds {
    after
        .iter()
        .map(|(name, seconds)| {
            let before = before.get(name).copied().unwrap_or_default();
            (name.clone(), (seconds - before).max(0.0))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted_for_who_does_it() {
        let families: Families = [("own".to_owned(), vec![std::process::id()])].into();
        let before = taken(&families);
        let begun = std::time::Instant::now();
        while begun.elapsed().as_millis() < 200 {
            std::hint::black_box(begun.elapsed());
        }
        let seconds = between(&before, &taken(&families));
        assert!(seconds["own"] > 0.02, "{seconds:?}");
    }
}

//! What is looked at after every step of the simulation.

use std::collections::BTreeMap;

use threefold_replication::status::Role;

use crate::world::{Shared, guard};

/// What was seen of each replica's process last.
#[derive(Default)]
pub struct Invariants {
    last: BTreeMap<u64, Seen>,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    incarnation: u64,
    term: u64,
    applied: Option<u64>,
    revision: u64,
    leads: bool,
}

impl Invariants {
    /// Looks at every replica.
    pub fn check(&mut self, shared: &Shared) {
        let mut world = shared.lock();
        let mut ledger = guard(&shared.ledger);
        let world = &mut *world;
        let mut wrong: Vec<(&'static str, String)> = Vec::new();
        for (id, slot) in &world.replicas {
            let Some(probe) = slot.replica.as_ref().and_then(|replica| replica.probe()) else {
                continue;
            };
            let last = self.last.entry(*id).or_default();
            let same = last.incarnation == slot.incarnation;
            let revision = probe.revision.get();
            let leads = probe.role == Role::Leader;
            // Also over a restart: a vote is kept before it is told. A process that starts has not read it yet.
            if last.term > probe.term && (same || probe.term > 0) {
                wrong.push((
                    "a term never goes back",
                    format!("replica {id}: {} to {}", last.term, probe.term),
                ));
            }
            if same && (last.applied > probe.applied || last.revision > revision) {
                let detail = format!(
                    "replica {id}: entry {:?} to {:?}, revision {} to {revision}",
                    last.applied, probe.applied, last.revision
                );
                wrong.push(("what is applied never goes back", detail));
            }
            if let Some(reason) = &probe.quarantine {
                wrong.push(("no history differs", format!("replica {id}: {reason}")));
            }
            if !same || last.applied != probe.applied {
                if let Err(error) = world.history.hash_at(revision, probe.hash) {
                    wrong.push(error);
                }
                let known = if same { last.applied } else { None };
                slot.disk.seen(|contents| {
                    for index in known.map_or(0, |it| it + 1)..=probe.applied.unwrap_or(0) {
                        ledger.applied(*id, index, contents);
                    }
                });
                world.trace.event(format_args!(
                    "{id} is at entry {:?}, revision {revision}",
                    probe.applied
                ));
            }
            if leads && (!same || !last.leads || last.term != probe.term) {
                world
                    .trace
                    .event(format_args!("{id} leads term {}", probe.term));
                slot.disk
                    .seen(|contents| ledger.leads((probe.term, *id), probe.applied, contents));
            }
            *last = Seen {
                incarnation: slot.incarnation,
                term: last.term.max(probe.term),
                applied: probe.applied,
                revision,
                leads,
            };
        }
        wrong.extend(ledger.take_violations());
        drop(ledger);
        for (invariant, detail) in wrong {
            world.violated(invariant, detail);
        }
    }
}

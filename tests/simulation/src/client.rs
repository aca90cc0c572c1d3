//! Clients on one replica: they add, edit, delete and restore expenses, send again what was not answered, and read.

use std::time::Duration;

use rand::RngExt;
use sea_orm::EntityTrait;
use threefold_entity::expense;
use threefold_entity::ledger::DEFAULT_LEDGER_ID;
use threefold_replication::command::{Command, ExpenseDraft, ExpenseEdit};
use threefold_replication::outcome::Acknowledgement;
use threefold_replication::{ReadConsistency, Replica, ServiceError};
use uuid::Uuid;

use crate::history::{Fate, Operation, revision};
use crate::world::{Shared, World};

/// Sends and reads, one thing after the other, until everybody is to be quiet.
pub async fn run(shared: Shared, replica: Replica) {
    loop {
        let (pause, what, quiet) = {
            let mut world = shared.lock();
            let most = world.plan.think.as_micros() as u64;
            let pause = Duration::from_micros(world.rng.random_range(1..=most));
            (pause, world.rng.random_range(0..100), world.quiet)
        };
        tokio::time::sleep(pause).await;
        match what {
            _ if quiet => last(&shared, &replica).await,
            0..45 => mutate(&shared, &replica, false).await,
            45..60 => mutate(&shared, &replica, true).await,
            60..85 => read(&shared, &replica, ReadConsistency::Linearizable).await,
            85..95 => read(&shared, &replica, ReadConsistency::Local).await,
            _ => ask(&shared, &replica).await,
        }
    }
}

/// When all faults are over: on each replica a write and a read must succeed.
async fn last(shared: &Shared, replica: &Replica) {
    let id = replica.id();
    if !shared.lock().unproven.contains(&id) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        return;
    }
    let place = invent(&mut shared.lock());
    send(shared, replica, place).await;
    let read = replica.read(ReadConsistency::Linearizable, None).await;
    let mut world = shared.lock();
    let answered = matches!(
        world.history.operations[place].fate,
        Fate::Accepted(_) | Fate::Refused
    );
    if answered && read.is_ok() {
        world.unproven.remove(&id);
    }
}

/// Sends a new operation, or one that is in doubt once more.
async fn mutate(shared: &Shared, replica: &Replica, again: bool) {
    let place = {
        let mut world = shared.lock();
        if again {
            unsettled(&mut world)
        } else {
            Some(invent(&mut world))
        }
    };
    if let Some(place) = place {
        send(shared, replica, place).await;
    }
}

/// Sends one operation, and judges the answer.
async fn send(shared: &Shared, replica: &Replica, place: usize) {
    let (command, key, acknowledgement, attempt) = {
        let mut world = shared.lock();
        let acknowledgement = if world.rng.random_bool(0.5) {
            Acknowledgement::All
        } else {
            Acknowledgement::Quorum
        };
        let operation = &mut world.history.operations[place];
        operation.under_way += 1;
        operation.attempts += 1;
        let first = operation.fate == Fate::NotWritten;
        if first {
            // Whoever crashes while this waits leaves it in doubt.
            operation.fate = Fate::InDoubt;
        }
        let attempt = (operation.attempts, first);
        let (command, key) = (operation.command.clone(), operation.key);
        let id = replica.id();
        world
            .trace
            .event(format_args!("{place} to {id}: {command:?}"));
        (command, key, acknowledgement, attempt)
    };
    let (attempt, first) = attempt;
    let waiting = Waiting {
        shared: shared.clone(),
        place,
    };
    let answer = replica
        .propose(command, Some(key), "simulated", acknowledgement)
        .await;
    let disks: Vec<_> = {
        let world = shared.lock();
        let disks = world.replicas.values();
        disks.map(|slot| slot.disk.flushed(Clone::clone)).collect()
    };
    let flushed = crate::world::guard(&shared.ledger).flushed_on(key, &disks);
    drop(waiting);
    let mut world = shared.lock();
    match answer {
        Ok(settled) => {
            let told = world.history.told(place, &settled.outcome);
            world.judge(told);
            let fate = world.history.operations[place].fate.clone();
            let id = replica.id();
            world.trace.event(format_args!("{place} by {id}: {fate:?}"));
            if flushed < world.majority() {
                let detail = format!(
                    "operation {place} was answered with {fate:?}, and is on {flushed} disks"
                );
                world.violated("what is acknowledged is on a majority's disks", detail);
            }
        }
        Err(ServiceError::InDoubt { .. }) => world.trace.event(format_args!("{place}: in doubt")),
        Err(error) => {
            world.trace.event(format_args!("{place}: {error}"));
            let operation = &mut world.history.operations[place];
            // Another attempt may still be on its way.
            if first && operation.attempts == attempt && operation.fate == Fate::InDoubt {
                operation.fate = Fate::NotWritten;
            }
        }
    }
}

/// Somebody waits for the answer to an operation; until this is dropped, also in a crash.
struct Waiting {
    shared: Shared,
    place: usize,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.shared.lock().history.operations[self.place].under_way -= 1;
    }
}

/// Begins a new operation.
fn invent(world: &mut World) -> usize {
    let place = world.history.operations.len();
    let text = format!("operation {place}");
    let known = world.history.expenses.len();
    let one = |world: &mut World| {
        let chosen = world.rng.random_range(0..known.clamp(1, 12));
        world.history.expenses[known - 1 - chosen]
    };
    let amount = format!("{}.00", place + 1);
    let kind = if known == 0 {
        0
    } else {
        world.rng.random_range(0..10)
    };
    let command = match kind {
        0..4 => Command::add_expense(
            DEFAULT_LEDGER_ID,
            ExpenseDraft {
                id: Some(Uuid::from_u128(world.rng.random())),
                description: text,
                amount,
                currency: "EUR".to_owned(),
                spent_on: chrono::NaiveDate::default(),
                tags: vec!["simulated".to_owned()],
                ..ExpenseDraft::default()
            },
        )
        .expect("a valid expense"),
        4..8 => Command::update_expense(ExpenseEdit {
            id: one(world),
            description: Some(text),
            amount: Some(amount),
            ..ExpenseEdit::default()
        })
        .expect("a valid edit"),
        8 => Command::delete_expense(one(world), None),
        _ => Command::restore_expense(one(world)),
    };
    world.history.operations.push(Operation {
        key: Uuid::from_u128(world.rng.random()),
        command,
        fate: Fate::NotWritten,
        under_way: 0,
        attempts: 0,
    });
    place
}

/// An operation whose client does not know what became of it; or now and then one that is settled, for its first outcome.
fn unsettled(world: &mut World) -> Option<usize> {
    let settled_too = world.rng.random_bool(0.2);
    let candidates: Vec<usize> = (0..world.history.operations.len())
        .filter(|place| {
            let operation = &world.history.operations[*place];
            match operation.fate {
                Fate::NotWritten => false,
                Fate::InDoubt => operation.under_way == 0,
                Fate::Accepted(_) | Fate::Refused => settled_too,
            }
        })
        .collect();
    let chosen = world.rng.random_range(0..candidates.len().max(1));
    candidates.get(chosen).copied()
}

async fn read(shared: &Shared, replica: &Replica, consistency: ReadConsistency) {
    let (floor, expense, least) = {
        let mut world = shared.lock();
        let known = world.history.expenses.len();
        let chosen = world.rng.random_range(0..known.max(1));
        let Some(expense) = world.history.expenses.get(chosen).copied() else {
            return;
        };
        (world.history.floor, expense, world.history.least(expense))
    };
    let least_revision = match consistency {
        ReadConsistency::Linearizable => None,
        // Read your own writes, on any replica.
        ReadConsistency::Local => Some(revision(floor)),
    };
    let Ok(read_at) = replica.read(consistency, least_revision).await else {
        return;
    };
    let row = expense::Entity::find_by_id(expense)
        .one(replica.database())
        .await;
    let mut world = shared.lock();
    let id = replica.id();
    let (read_at, row) = (
        read_at.get(),
        row.map(|row| row.map(expense::Record::try_from)),
    );
    world.trace.event(format_args!(
        "{id} was read at {read_at}, {floor} had been told"
    ));
    if read_at < floor {
        let detail = format!("replica {id} was read at {read_at}, and {floor} had been told");
        world.violated("reads see what was answered", detail);
    }
    match row {
        Ok(row) => match row.transpose() {
            Ok(row) => {
                let right = world.history.read(least, row.as_ref(), expense);
                world.judge(right);
            }
            Err(error) => world.violated("rows can be read", error),
        },
        // The process is crashing.
        Err(error) => world
            .trace
            .event(format_args!("{id} cannot be read: {error}")),
    }
    world.history.floor = world.history.floor.max(read_at);
}

/// Asks what became of an operation.
async fn ask(shared: &Shared, replica: &Replica) {
    // What is told after the question may have happened after it.
    let (place, key, fate) = {
        let mut world = shared.lock();
        let Some(place) = unsettled(&mut world) else {
            return;
        };
        let operation = &world.history.operations[place];
        (place, operation.key, operation.fate.clone())
    };
    if replica
        .read(ReadConsistency::Linearizable, None)
        .await
        .is_err()
    {
        return;
    }
    let Ok(known) = replica.outcome(key).await else {
        return;
    };
    let mut world = shared.lock();
    match known {
        Some(settled) => {
            let told = world.history.told(place, &settled.outcome);
            world.judge(told);
        }
        None if matches!(fate, Fate::Accepted(_) | Fate::Refused) => {
            let detail = format!(
                "operation {place} was {fate:?}, and replica {} does not know it",
                replica.id()
            );
            world.violated("what is acknowledged is never lost", detail);
        }
        None => {}
    }
}

impl World {
    /// Takes a verdict.
    pub fn judge(&mut self, verdict: Result<(), crate::history::Wrong>) {
        if let Err((invariant, detail)) = verdict {
            self.violated(invariant, detail);
        }
    }
}

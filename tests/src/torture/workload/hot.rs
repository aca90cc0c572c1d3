//! Many clients on a few expenses: add, edit, delete, restore, read. Every few seconds others are taken, so that the
//! history of each is short enough to be judged exactly.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::worker::{Worker, generator};
use crate::torture::history::{Action, Answer, Freshness, Item};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// Clients that share their expenses.
pub(super) const GROUP: u16 = 10;
/// Expenses at a time.
const EXPENSES: usize = 5;
/// When the group moves on to others.
const LIFETIME: Duration = Duration::from_secs(3);
/// Operations after which it does so in any case: the bound of what has to be judged at once.
const OPERATIONS: u32 = 300;

/// The expenses that a group works on at the moment.
#[derive(Debug)]
pub(super) struct Shared {
    rng: ChaCha8Rng,
    ids: [Uuid; EXPENSES],
    since: Instant,
    operations: u32,
}

impl Shared {
    pub(super) fn new(seed: u64) -> Arc<Mutex<Self>> {
        let mut shared = Self {
            rng: generator(seed, u16::MAX),
            ids: [Uuid::nil(); EXPENSES],
            since: Instant::now(),
            operations: 0,
        };
        shared.renew();
        Arc::new(Mutex::new(shared))
    }

    fn renew(&mut self) {
        for id in &mut self.ids {
            let mut bytes = [0; 16];
            self.rng.fill_bytes(&mut bytes);
            *id = uuid::Builder::from_random_bytes(bytes).into_uuid();
        }
        self.since = Instant::now();
        self.operations = 0;
    }

    fn pick(&mut self, number: u64) -> Uuid {
        if self.since.elapsed() > LIFETIME || self.operations >= OPERATIONS {
            self.renew();
        }
        self.operations += 1;
        let count = u64::try_from(EXPENSES).expect("a few");
        self.ids[usize::try_from(number % count).expect("a few")]
    }
}

pub(super) async fn run(mut worker: Worker, shared: Arc<Mutex<Shared>>) {
    // What it knows of versions, which may be wrong by now: then it is refused, and should be.
    let mut known: Option<(Uuid, u32)> = None;
    while worker.goes_on().await {
        let number = worker.draw(u64::MAX);
        let id = shared.lock().expect("the group").pick(number);
        let expected = known
            .filter(|(known, _)| *known == id)
            .map(|(_, version)| version);
        let action = draw(&mut worker, id, expected);
        let answer = if matches!(action, Action::Read { .. }) {
            let endpoint = worker.any();
            worker.read(&endpoint, action).await
        } else {
            worker.mutate(action).await
        };
        let row = match answer {
            Answer::Accepted { rows, .. } => rows.first().copied(),
            Answer::Saw(row) => row,
            _ => None,
        };
        known = row.map(|row| (row.id, row.version)).or(known);
    }
}

fn draw(worker: &mut Worker, id: Uuid, known: Option<u32>) -> Action {
    let key = worker.uuid();
    let expected = if worker.chance(50) { known } else { None };
    match worker.draw(100) {
        0..15 => Action::Add {
            key,
            item: Item {
                id: Some(id),
                mark: worker.mark(),
            },
        },
        15..45 => {
            let mark = worker.mark();
            // One field, the other, or both: a field that an edit does not name has to stay.
            let (amount, label) = match worker.draw(3) {
                0 => (Some(mark), None),
                1 => (None, Some(mark)),
                _ => (Some(mark), Some(mark)),
            };
            Action::Edit {
                key,
                id,
                amount,
                label,
                expected,
            }
        }
        45..53 => Action::Delete { key, id, expected },
        53..60 => Action::Restore { key, id },
        _ => Action::Read {
            id,
            freshness: Freshness::Linearizable,
        },
    }
}

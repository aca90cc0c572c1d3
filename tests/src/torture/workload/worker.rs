//! What all workers have in common: a name, a die, a clock, and how they ask.

use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tokio::sync::watch;
use uuid::Uuid;

use super::Load;
use super::target::{Endpoint, Target};
use super::wire;
use crate::torture::history::{Action, Answer, Recorder};

/// How often it sends a mutation before it gives up.
const ATTEMPTS: usize = 4;
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// One logical client.
pub(super) struct Worker {
    number: u16,
    rng: ChaCha8Rng,
    target: Target,
    recorder: Arc<Recorder>,
    stopped: watch::Receiver<bool>,
    load: Load,
    marks: u64,
}

impl Worker {
    pub(super) fn new(
        number: u16,
        seed: u64,
        target: &Target,
        recorder: &Arc<Recorder>,
        stopped: &watch::Receiver<bool>,
        load: Load,
    ) -> Self {
        Self {
            number,
            rng: generator(seed, number),
            target: target.clone(),
            recorder: Arc::clone(recorder),
            stopped: stopped.clone(),
            load,
            marks: 0,
        }
    }

    /// Whether to begin another thing, after a pause.
    pub(super) async fn goes_on(&mut self) -> bool {
        let pause = Duration::from_micros(self.draw(2_000 * self.load.pause_ms + 1));
        let mut stopped = self.stopped.clone();
        // Sleeps, but not past the end.
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
        !*self.stopped.borrow()
    }

    /// A number below a bound.
    pub(super) fn draw(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound.max(1)
    }

    /// True that often in a hundred times.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.draw(100) < percent
    }

    /// An id or a key that nobody else draws.
    pub(super) fn uuid(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        self.rng.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// A number that no other operation writes.
    pub(super) fn mark(&mut self) -> u64 {
        self.marks += 1;
        // Room for four billion marks a worker, and for amounts that every currency can hold.
        (u64::from(self.number) + 1) << 32 | self.marks
    }

    /// Any replica.
    pub(super) fn any(&mut self) -> Endpoint {
        let number = self.rng.next_u64();
        self.target.pick(number)
    }

    /// The replica with that id, if it is still there.
    pub(super) fn replica(&self, id: u16) -> Option<Endpoint> {
        self.target
            .endpoints()
            .into_iter()
            .find(|endpoint| endpoint.id == id)
    }

    /// Every replica.
    pub(super) fn replicas(&self) -> Vec<Endpoint> {
        self.target.endpoints()
    }

    /// Nanoseconds since the start.
    pub(super) fn now(&self) -> u64 {
        self.recorder.now()
    }

    /// Sends a mutation until it is answered: a few times, to any replica, under the same key. A third of the clients is
    /// impatient and sends it once.
    pub(super) async fn mutate(&mut self, action: Action) -> Answer {
        let begin = self.now();
        let attempts = if self.chance(33) { 1 } else { ATTEMPTS };
        let mut lost = None;
        let mut last = None;
        let mut asked = 0;
        for attempt in 0..attempts {
            if attempt > 0 {
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            let endpoint = self.any();
            asked = endpoint.id;
            let quorum = self.chance(self.load.quorum_percent);
            match wire::ask(&endpoint, &action, quorum, self.patience()).await {
                Answer::Lost(why) => lost = Some(Answer::Lost(why)),
                Answer::NotDone(why) => last = Some(Answer::NotDone(why)),
                answer => {
                    last = Some(answer);
                    lost = None;
                    break;
                }
            }
            if *self.stopped.borrow() {
                break;
            }
        }
        // Once an answer was lost, a later fault promises nothing.
        let answer = lost.or(last).expect("one attempt at least");
        self.record(asked, begin, action, answer.clone());
        answer
    }

    /// Reads once, from that replica.
    pub(super) async fn read(&mut self, endpoint: &Endpoint, action: Action) -> Answer {
        let begin = self.now();
        let answer = wire::ask(endpoint, &action, false, self.patience()).await;
        self.record(endpoint.id, begin, action, answer.clone());
        answer
    }

    /// Sends a mutation once, to that replica, and says when it began and what came of it; the caller records it.
    pub(super) async fn send_once(&self, endpoint: &Endpoint, action: &Action) -> (u64, Answer) {
        let begin = self.now();
        (
            begin,
            wire::ask(endpoint, action, false, self.patience()).await,
        )
    }

    /// How long this client waits for an answer.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_millis(self.load.patience_ms)
    }

    /// Takes down an operation that has just ended.
    pub(super) fn record(&self, replica: u16, begin: u64, action: Action, answer: Answer) {
        self.recorder
            .operation(self.number, replica, begin, action, answer);
    }
}

/// A die of one worker: the seed decides all of them, and no two are alike.
pub(super) fn generator(seed: u64, number: u16) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(u64::from(number));
    generator
}

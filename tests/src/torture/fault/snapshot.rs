//! A replica that was away longer than the log, and an end or a wait on either side while it gets a snapshot: at several places, one
//! after the other.

use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::join_all;

use super::{Company, Deck, Dice, Fault, Healed, Injected, Scene};
use crate::wait::reach;

/// On the side of the leader.
const SENDING: [&str; 3] = ["snapshot.write", "snapshot.written", "snapshot.send"];
/// Every place, those of the one that is sent it as well.
pub(super) const PLACES: [&str; 10] = [
    SENDING[0],
    SENDING[1],
    SENDING[2],
    "snapshot.receive",
    "snapshot.received",
    "snapshot.install",
    "snapshot.cleared",
    "snapshot.commit",
    "snapshot.committed",
    "snapshot.installed",
];
/// Places in a round: in three rounds each comes once at least.
const STEPS: usize = 4;
/// How long it is away at most before each.
const AWAY: Duration = Duration::from_secs(120);
/// And how long then, when the others' logs no longer have what it needs.
const LATER: (u64, u64) = (0, 1_500);
/// Longest wait until it has come to the place.
const FIRE_TIMEOUT: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(200);

/// See the module.
#[derive(Debug)]
pub(super) struct BrokenSnapshot {
    steps: Vec<Step>,
    victim: Option<u16>,
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    action: &'static str,
    later: Duration,
}

impl BrokenSnapshot {
    pub(super) fn draw(dice: &mut Dice, places: &mut Deck<&'static str>) -> Self {
        let steps = (0..STEPS).map(|_| Step {
            name: places.deal(dice),
            action: dice.pick(&["1*crash", "1*crash", "1*crash", "1*sleep(3000)"]),
            later: dice.millis(LATER.0, LATER.1),
        });
        Self {
            steps: steps.collect(),
            victim: None,
        }
    }
}

impl Step {
    /// Has it happen, and says whether it did.
    async fn take(&self, scene: &Scene, victim: u16) -> bool {
        let others = || scene.members().into_iter().filter(|id| *id != victim);
        scene.kill(victim);
        let logs = async || {
            let asked = others().map(async |id| scene.cluster.replica(id).log_entries().await);
            join_all(asked)
                .await
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
        };
        // It may have all that there is now, and no more.
        let last = logs().await.iter().map(|(_, last)| *last).max();
        let cut = async || {
            let firsts: Vec<u64> = logs().await.iter().map(|(first, _)| *first).collect();
            let all = !firsts.is_empty() && firsts.iter().all(|first| Some(*first) > last);
            all.then_some(())
                .ok_or_else(|| format!("{firsts:?} after {last:?}"))
        };
        // Where they are not cut in time, it does not come to the place, and the diary says so.
        reach("the others' logs to be cut", AWAY, cut).await.ok();
        tokio::time::sleep(self.later).await;
        let where_it_is: Vec<u16> = match SENDING.contains(&self.name) {
            true => others().collect(),
            false => vec![victim],
        };
        let replica = scene.cluster.replica(victim);
        let mut before = Vec::new();
        for id in &where_it_is {
            before.push((*id, self.times(scene, *id).await));
            if *id != victim {
                scene.set_failpoint(*id, self.name, self.action).await;
            }
        }
        if where_it_is == [victim] {
            let setting = format!("{}={}", self.name, self.action);
            replica.set_environment("FAILPOINTS", &setting);
        }
        scene.start(victim);
        replica.reset_environment("FAILPOINTS");
        let begun = Instant::now();
        let mut happened = false;
        while !happened && begun.elapsed() < FIRE_TIMEOUT {
            tokio::time::sleep(POLL).await;
            for (id, (ended, acted)) in &before {
                let now = self.times(scene, *id).await;
                let begins = if *id == victim { 0 } else { *acted };
                happened |= now.0 > *ended || now.1 > begins;
            }
        }
        // One that sleeps there goes on as it likes; all others are let be.
        scene.count_failpoints().await;
        for id in others() {
            scene.set_failpoint(id, self.name, "off").await;
            scene.start(id);
        }
        happened
    }

    /// How often processes of a replica have ended there, and the present one has waited there.
    async fn times(&self, scene: &Scene, id: u16) -> (usize, u64) {
        let acted = scene.cluster.replica(id).failpoint_acted(self.name).await;
        (scene.ends_at(id, self.name), acted.unwrap_or(0))
    }
}

impl Fault for BrokenSnapshot {
    fn kind(&self) -> String {
        "snapshots broken off".to_owned()
    }

    fn company(&self) -> Company {
        Company::None
    }

    fn inject<'a>(&'a mut self, scene: &'a Scene) -> Injected<'a> {
        async {
            let order = scene.leader_first().await;
            let victim = order[order.len() - 1];
            self.victim = Some(victim);
            scene.count_failpoints().await;
            let mut done = Vec::new();
            for step in &self.steps {
                let happened = step.take(scene, victim).await;
                let note = if happened { "" } else { " (not come to)" };
                done.push(format!("{}={}{note}", step.name, step.action));
            }
            Ok(format!(
                "{victim} was away again and again, then {}",
                done.join(", ")
            ))
        }
        .boxed_local()
    }

    fn heal<'a>(&'a mut self, _scene: &'a Scene) -> Healed<'a> {
        std::future::ready(Ok(())).boxed_local()
    }
}

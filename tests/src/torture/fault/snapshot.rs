//! A replica that was away longer than the log, and an end on either side while it gets a snapshot.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::{Dice, Fault, Scene};

const SENDING: [&str; 3] = ["snapshot.write", "snapshot.written", "snapshot.send"];
const RECEIVING: [&str; 7] = [
    "snapshot.receive",
    "snapshot.received",
    "snapshot.install",
    "snapshot.cleared",
    "snapshot.commit",
    "snapshot.committed",
    "snapshot.installed",
];

/// See the module.
#[derive(Debug)]
pub(super) struct BrokenSnapshot {
    name: &'static str,
    action: &'static str,
    sending: bool,
    away: Duration,
    victim: Option<u16>,
}

impl BrokenSnapshot {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let sending = dice.chance(40);
        let name = match sending {
            true => dice.pick(&SENDING),
            false => dice.pick(&RECEIVING),
        };
        Self {
            name,
            action: dice.pick(&["1*crash", "1*crash", "1*sleep(3000)"]),
            sending,
            away: dice.millis(3_000, 8_000),
            victim: None,
        }
    }
}

impl Fault for BrokenSnapshot {
    fn kind(&self) -> String {
        let what = if self.action.contains("crash") {
            "crash"
        } else {
            "sleep"
        };
        format!("failpoint {} {what}", self.name)
    }

    fn is_exclusive(&self) -> bool {
        true
    }

    fn inject<'a>(&'a mut self, scene: &'a Scene) -> LocalBoxFuture<'a, String> {
        async {
            let order = scene.leader_first().await;
            let victim = *order.last().expect("a replica");
            self.victim = Some(victim);
            scene.kill(victim);
            tokio::time::sleep(self.away).await;
            if self.sending {
                for id in order.iter().filter(|id| **id != victim) {
                    scene.set_failpoint(*id, self.name, self.action).await;
                }
            } else {
                let setting = format!("{}={}", self.name, self.action);
                scene
                    .cluster
                    .replica(victim)
                    .set_environment("FAILPOINTS", &setting);
            }
            scene.start(victim);
            format!(
                "{victim} was away for {:?}, then {}={}",
                self.away, self.name, self.action
            )
        }
        .boxed_local()
    }

    fn heal<'a>(&'a mut self, scene: &'a Scene) -> LocalBoxFuture<'a, ()> {
        async {
            if let Some(victim) = self.victim {
                scene
                    .cluster
                    .replica(victim)
                    .reset_environment("FAILPOINTS");
            }
            for replica in scene.cluster.replicas() {
                scene.set_failpoint(replica.id(), self.name, "off").await;
            }
        }
        .boxed_local()
    }
}

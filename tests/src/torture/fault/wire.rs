//! Links that are slow or lose things.

use futures_util::FutureExt;

use super::{Dice, Fault, Healed, Injected, Scene};
use crate::cluster::links::Condition;

/// Bad wires, all of them or those of one replica.
#[derive(Debug)]
pub(super) struct BadWire {
    condition: Condition,
    everywhere: bool,
}

impl BadWire {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let slow = Condition::Slow {
            latency: dice.millis(10, 250),
            bytes_per_second: dice.pick(&[100_000, 1_000_000, 10_000_000]),
        };
        let lossy = Condition::Lossy {
            percent: 3 + dice.below(25),
        };
        Self {
            condition: dice.pick(&[slow, lossy]),
            everywhere: dice.chance(50),
        }
    }
}

impl Fault for BadWire {
    fn kind(&self) -> String {
        let how = match self.condition {
            Condition::Slow { .. } => "slow",
            _ => "lossy",
        };
        let all = if self.everywhere { "all" } else { "one" };
        format!("wire {how} {all}")
    }

    fn inject<'a>(&'a mut self, scene: &'a Scene) -> Injected<'a> {
        async {
            let (links, condition) = (scene.cluster.links(), self.condition);
            let order = scene.leader_first().await;
            if self.everywhere {
                links.set_all(condition);
                return Ok(format!("{condition:?} everywhere"));
            }
            let (leader, followers) = (order[0], &order[1..]);
            links.set_between_groups(&[leader], followers, condition);
            Ok(format!("{condition:?} around {leader}, who leads"))
        }
        .boxed_local()
    }

    fn heal<'a>(&'a mut self, scene: &'a Scene) -> Healed<'a> {
        async {
            scene.cluster.links().heal();
            Ok(())
        }
        .boxed_local()
    }
}

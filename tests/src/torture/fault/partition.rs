//! Replicas that cannot reach each other, while clients reach them all.

use futures_util::FutureExt;

use super::{Dice, Fault, Healed, Injected, Scene};
use crate::cluster::links::Condition;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// The leader is with too few.
    LeaderInMinority,
    /// The leader is with enough; the others are alone.
    LeaderInMajority,
    /// Nobody hears the leader, who hears everybody.
    LeaderUnheard,
    /// The leader hears nobody, who is heard by everybody.
    LeaderDeaf,
    /// One follower is not heard by anybody.
    FollowerUnheard,
    /// Two halves that only one replica reaches both of.
    Bridge,
    /// Nobody reaches anybody.
    Everybody,
}

/// Links cut in some shape.
#[derive(Debug)]
pub(super) struct Partition {
    shape: Shape,
    condition: Condition,
}

impl Partition {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let shapes = [
            Shape::LeaderInMinority,
            Shape::LeaderInMinority,
            Shape::LeaderInMajority,
            Shape::LeaderUnheard,
            Shape::LeaderDeaf,
            Shape::FollowerUnheard,
            Shape::Bridge,
            Shape::Bridge,
            Shape::Everybody,
        ];
        Self {
            shape: dice.pick(&shapes),
            condition: dice.pick(&[Condition::Cut, Condition::Cut, Condition::Refused]),
        }
    }
}

impl Fault for Partition {
    fn kind(&self) -> String {
        format!("partition {:?} {:?}", self.shape, self.condition).to_lowercase()
    }

    fn inject<'a>(&'a mut self, scene: &'a Scene) -> Injected<'a> {
        async {
            let order = scene.leader_first().await;
            let (links, condition) = (scene.cluster.links(), self.condition);
            let minority = (order.len() - 1) / 2;
            let (leader, followers) = (order[0], &order[1..]);
            match self.shape {
                Shape::LeaderInMinority => {
                    let (few, many) = order.split_at(minority);
                    links.set_between_groups(few, many, condition);
                }
                Shape::LeaderInMajority => {
                    let (many, few) = order.split_at(order.len() - minority);
                    links.set_between_groups(few, many, condition);
                }
                Shape::LeaderUnheard => {
                    followers
                        .iter()
                        .for_each(|id| links.set(leader, *id, condition));
                }
                Shape::LeaderDeaf => {
                    followers
                        .iter()
                        .for_each(|id| links.set(*id, leader, condition));
                }
                Shape::FollowerUnheard => {
                    let others = order.iter().filter(|id| **id != followers[0]);
                    others.for_each(|id| links.set(followers[0], *id, condition));
                }
                Shape::Bridge => {
                    // The last follower is the bridge.
                    let (ends, _bridge) = order.split_at(order.len() - 1);
                    let (one, other) = ends.split_at(ends.len() / 2);
                    links.set_between_groups(one, other, condition);
                }
                Shape::Everybody => links.set_all(condition),
            }
            Ok(format!(
                "partition {:?} by {condition:?}, leader first: {order:?}",
                self.shape
            ))
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

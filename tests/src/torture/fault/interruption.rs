//! A change of the membership that is interrupted half way: an end or a wait on the leader, on a follower, or on both.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::{Deck, Dice, Scene};
use crate::wait::reach;

/// Where the leader can be interrupted that changes the membership. One time in three it is let alone.
const ON_LEADER: [Option<&str>; 3] = [Some("membership.begin"), Some("membership.done"), None];
/// The same where the entries of a change come by, on any replica.
const AT_ENTRY: [&str; 2] = ["membership.joint", "membership.uniform"];
/// All of them.
pub(super) const PLACES: [&str; 4] = [
    "membership.begin",
    "membership.done",
    AT_ENTRY[0],
    AT_ENTRY[1],
];
/// Longest wait for somebody to lead.
const LEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// Deals failpoints at which changes of the membership are interrupted.
#[derive(Debug)]
pub(super) struct Places {
    /// None in a build without failpoints.
    decks: Option<(Deck<Option<&'static str>>, Deck<&'static str>)>,
}

impl Places {
    pub(super) fn new(failpoints: bool) -> Self {
        let decks = failpoints.then(|| (Deck::new(&ON_LEADER), Deck::new(&AT_ENTRY)));
        Self { decks }
    }

    fn deal(&mut self, dice: &mut Dice) -> Vec<Place> {
        let Some((on_leader, at_entry)) = &mut self.decks else {
            return Vec::new();
        };
        let action = |dice: &mut Dice| dice.pick(&["1*crash", "1*crash", "1*sleep(1500)"]);
        let mut places = Vec::new();
        if let Some(name) = on_leader.deal(dice) {
            places.push(Place {
                name,
                action: action(dice),
                on_follower: false,
            });
        }
        places.push(Place {
            name: at_entry.deal(dice),
            action: action(dice),
            on_follower: !places.is_empty() || dice.chance(50),
        });
        places
    }
}

/// One failpoint.
#[derive(Debug)]
struct Place {
    name: &'static str,
    action: &'static str,
    on_follower: bool,
}

/// Failpoints at which a change of the membership is interrupted, and how often they had acted before.
#[derive(Debug, Default)]
pub(super) struct Interruption {
    places: Vec<(Place, u64)>,
}

impl Interruption {
    pub(super) fn draw(dice: &mut Dice, places: &mut Places) -> Self {
        let places = places.deal(dice).into_iter();
        Self {
            places: places.map(|place| (place, 0)).collect(),
        }
    }

    /// Sets them on those that stay.
    pub(super) async fn arm(&mut self, scene: &Scene, go: &[u16]) {
        if self.places.is_empty() {
            return;
        }
        scene.count_failpoints().await;
        let acted = scene.acted();
        for (place, before) in &mut self.places {
            *before = acted.get(place.name).copied().unwrap_or(0);
        }
        self.set(scene, go, |_| true).await;
    }

    /// Sets those once more at which nothing has happened: a fault may have ended their process before it came there.
    pub(super) async fn arm_again(&self, scene: &Scene, go: &[u16]) {
        scene.count_failpoints().await;
        let acted = scene.acted();
        let has_acted = |place: &Place| acted.get(place.name).copied().unwrap_or(0);
        let left = |(place, before): &&(Place, u64)| has_acted(place) <= *before;
        if self.places.iter().any(|place| left(&place)) {
            self.set(scene, go, |place| left(&place)).await;
        }
    }

    async fn set(&self, scene: &Scene, go: &[u16], wanted: impl Fn(&(Place, u64)) -> bool) {
        let stay = async || {
            let order = scene.leader_first().await.into_iter();
            let stay = order.filter(|id| !go.contains(id));
            stay.collect::<Vec<u16>>()
        };
        // Whoever goes may have led.
        let led = async || scene.is_led_by(stay().await[0]).await;
        if go.iter().any(|id| !scene.cluster.replica(*id).is_running()) {
            reach("a leader", LEADER_TIMEOUT, led).await.ok();
        }
        let stay = stay().await;
        for (place, _) in self.places.iter().filter(|place| wanted(place)) {
            let index = usize::from(place.on_follower).min(stay.len() - 1);
            scene
                .set_failpoint(stay[index], place.name, place.action)
                .await;
        }
    }
}

impl Display for Interruption {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (place, _) in &self.places {
            let on = if place.on_follower {
                "a follower"
            } else {
                "the leader"
            };
            write!(f, ", {}={} on {on}", place.name, place.action)?;
        }
        Ok(())
    }
}

//! `threefold cluster replace`: for a replica that has lost everything or is alive and well, by itself, empty, or by another one.

use std::cell::Cell;
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use super::interruption::{Interruption, Places};
use super::members::{dispose, empty, wait_until_it_listens};
use super::{Company, Dice, Fault, Healed, Injected, Scene, Victims};
use crate::torture::scene::Errand;

/// What a replica says that was removed.
const REMOVED: &str = "no longer in the membership";
/// Until it is out, it is refused at every start.
const START_PAUSE: Duration = Duration::from_secs(1);
/// The roles of those who have a vote, and follow or lead.
const VOTES: [&str; 2] = ["LEADER", "FOLLOWER"];

/// See the module.
#[derive(Debug)]
pub(super) struct Replace {
    victims: Victims,
    /// Replaced while it lives: it finishes what its clients have begun, and stops.
    living: bool,
    by_another: bool,
    interruption: Interruption,
    begun: Option<Begun>,
}

#[derive(Debug)]
struct Begun {
    lost: u16,
    newcomer: Option<u16>,
    errand: Errand,
    /// How much the lost one had said before.
    said: usize,
}

impl Replace {
    pub(super) fn draw(dice: &mut Dice, places: &mut Places) -> Self {
        Self {
            victims: dice.pick(&[Victims::Leader, Victims::Follower]),
            living: dice.chance(40),
            by_another: dice.chance(50),
            interruption: Interruption::draw(dice, places),
            begun: None,
        }
    }
}

impl Fault for Replace {
    fn kind(&self) -> String {
        let how = if self.living { "living" } else { "lost" };
        let by = if self.by_another {
            "by another"
        } else {
            "in place"
        };
        format!("replace {how} {:?} {by}", self.victims).to_lowercase()
    }

    fn company(&self) -> Company {
        Company::Light
    }

    fn inject<'a>(&'a mut self, scene: &'a Scene) -> Injected<'a> {
        async {
            let lost = self.victims.find(scene).await[0];
            // A number that the others' flags know elsewhere is refused.
            let newcomers = scene.spares().into_iter();
            let mut newcomers = newcomers.filter(|id| !scene.is_founder(*id));
            let newcomer = newcomers.next().filter(|_| self.by_another);
            self.by_another = newcomer.is_some();
            let replica = scene.cluster.replica(lost);
            let said = replica.log().len();
            if self.living {
                scene.disturb(lost);
            } else {
                scene.kill(lost);
                empty(scene, lost).await;
            }
            self.interruption.arm(scene, &[lost]).await;
            let number = lost.to_string();
            let mut errand = match newcomer {
                Some(id) => {
                    scene.leave(lost);
                    scene.enter(id);
                    wait_until_it_listens(scene, id).await?;
                    let with = format!("{id}={}", scene.cluster.links().entry(id));
                    let arguments = ["replace", &number, "--with", &with, "--wait", "60"];
                    Errand::new(lost, &arguments)
                }
                None => Errand::new(lost, &["replace", &number, "--wait", "60"]),
            };
            errand.begin(scene);
            self.begun = Some(Begun {
                lost,
                newcomer,
                errand,
                said,
            });
            let state = if self.living {
                "lives"
            } else {
                "has lost everything"
            };
            let by = match newcomer {
                Some(id) => format!("by {id}"),
                None => "where it was".to_owned(),
            };
            Ok(format!(
                "{lost} {state} and is replaced {by}{}",
                self.interruption
            ))
        }
        .boxed_local()
    }

    fn heal<'a>(&'a mut self, scene: &'a Scene) -> Healed<'a> {
        async {
            let Some(mut begun) = self.begun.take() else {
                return Ok(());
            };
            let lost = begun.lost;
            self.interruption.arm_again(scene, &[lost]).await;
            if let Some(newcomer) = begun.newcomer {
                let done = async || {
                    scene.is_seen_as(newcomer, &VOTES).await?;
                    scene.is_seen_as(lost, &[]).await
                };
                let carried = scene.carry_through(&mut begun.errand, None, async || (), done);
                carried.await?;
                scene.open_to_clients(newcomer);
                scene.close_to_clients(lost);
                return dispose(scene, lost).await;
            }
            let (mut said, mut started) = (begun.said, None::<Instant>);
            let is_new = Cell::new(!self.living);
            let start_anew = async || {
                let replica = scene.cluster.replica(lost);
                let just_now = started.is_some_and(|at| at.elapsed() < START_PAUSE);
                if replica.is_running() || just_now {
                    return;
                }
                // What it has is not needed any more; before it says so, it may be.
                let log = replica.log();
                if log.get(said..).is_some_and(|news| news.contains(REMOVED)) {
                    empty(scene, lost).await;
                    said = log.len();
                    is_new.set(true);
                }
                scene.start(lost);
                started = Some(Instant::now());
            };
            let done = async || match is_new.get() {
                true => scene.is_seen_as(lost, &VOTES).await,
                false => Err("it has what it had before".to_owned()),
            };
            scene
                .carry_through(&mut begun.errand, Some(lost), start_anew, done)
                .await
        }
        .boxed_local()
    }
}

//! Members come and go under load: one that is empty and new is taken in and given a vote, one that lives is removed.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use futures_util::FutureExt;

use super::{Company, Deck, Dice, Fault, Healed, Injected, Scene, Victims};
use crate::operator;
use crate::torture::scene::{Errand, Unhealed};
use crate::wait::reach;

/// Where a change of the membership can be interrupted. One is left alone.
pub(super) const PLACES: [Option<&str>; 5] = [
    Some("membership.begin"),
    Some("membership.joint"),
    Some("membership.uniform"),
    Some("membership.done"),
    None,
];
/// Most members beyond those that were planned.
pub(in crate::torture) const MOST_MORE: u16 = 2;
const LISTEN_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait until one that was removed alive has stopped.
const END_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest wait for somebody to lead.
const LEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// Who comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// A newcomer, with a vote as soon as it has everything.
    JoinsAsVoter,
    /// A newcomer that serves without a vote first.
    JoinsAsLearner,
    /// The member that came last.
    NewestLeaves,
    /// Any other, such as the leader.
    Leaves(Victims),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Members {
    grows: Way,
    shrinks: Way,
    wants_growth: bool,
    place: Place,
    begun: Option<(Way, u16, Errand)>,
}

impl Members {
    pub(super) fn draw(dice: &mut Dice, places: &mut Deck<Option<&'static str>>) -> Self {
        let shrinks = [
            Way::NewestLeaves,
            Way::NewestLeaves,
            Way::Leaves(Victims::Leader),
            Way::Leaves(Victims::Follower),
        ];
        Self {
            grows: dice.pick(&[Way::JoinsAsVoter, Way::JoinsAsLearner]),
            shrinks: dice.pick(&shrinks),
            wants_growth: dice.chance(60),
            place: Place::draw(dice, places),
            begun: None,
        }
    }

    pub(super) fn newest_leaves() -> Self {
        Self {
            grows: Way::NewestLeaves,
            shrinks: Way::NewestLeaves,
            wants_growth: false,
            place: Place::default(),
            begun: None,
        }
    }

    /// What is possible of what was drawn.
    fn way(&self, scene: &Scene) -> Way {
        let more = scene.members().len().saturating_sub(scene.planned());
        match more {
            0 => self.grows,
            more if self.wants_growth && more < usize::from(MOST_MORE) => self.grows,
            _ => self.shrinks,
        }
    }

    async fn join(&self, scene: &Scene, way: Way) -> Result<(u16, Errand), Unhealed> {
        let spares = scene.spares();
        // One that the others' flags name is taken in unasked, and is given a vote.
        let founder = |id: &&u16| scene.is_founder(**id);
        let stranger = spares.iter().find(|id| !founder(id));
        let id = match way {
            Way::JoinsAsLearner => stranger.or(spares.first()),
            _ => spares.iter().find(founder).or(stranger),
        };
        let id = *id.ok_or_else(|| Unhealed("there is no spare replica".to_owned()))?;
        scene.enter(id);
        wait_until_it_listens(scene, id).await?;
        self.place.arm(scene, &[id]).await;
        let (number, url) = (id.to_string(), scene.cluster.links().entry(id));
        if scene.is_founder(id) {
            return Ok((id, Errand::new(id, &[])));
        }
        let add = ["add", &number, "--url", &url];
        if way == Way::JoinsAsVoter {
            let mut errand = Errand::new(id, &[&add[..], &["--voter", "--wait", "60"]].concat());
            errand.begin(scene);
            return Ok((id, errand));
        }
        let mut errand = Errand::new(id, &add);
        errand.begin(scene);
        let done = async || scene.is_seen_as(id, &["LEARNER"]).await;
        let carried = scene.carry_through(&mut errand, None, async || (), done);
        carried.await?;
        scene.open_to_clients(id);
        let mut errand = Errand::new(id, &["promote", &number]);
        errand.begin(scene);
        Ok((id, errand))
    }

    async fn leave(&self, scene: &Scene, way: Way) -> (u16, Errand) {
        let members = scene.members();
        let id = match way {
            Way::Leaves(victims) => victims.find(scene).await[0],
            _ => members[members.len() - 1],
        };
        scene.leave(id);
        self.place.arm(scene, &[id]).await;
        let mut errand = Errand::new(id, &["remove", &id.to_string()]);
        errand.begin(scene);
        (id, errand)
    }
}

impl Fault for Members {
    fn kind(&self) -> String {
        let way = self.begun.as_ref().map(|(way, ..)| *way);
        let what = match way {
            Some(Way::JoinsAsVoter) => "join as voter",
            Some(Way::JoinsAsLearner) => "join as learner",
            Some(Way::NewestLeaves) => "newest leaves",
            Some(Way::Leaves(Victims::Leader)) => "leader leaves",
            Some(Way::Leaves(_)) => "follower leaves",
            None => "",
        };
        format!("members {what}").trim_end().to_owned()
    }

    fn company(&self) -> Company {
        Company::Light
    }

    fn inject<'a>(&'a mut self, scene: &'a Scene) -> Injected<'a> {
        async {
            let way = self.way(scene);
            let (id, errand) = match way {
                Way::JoinsAsVoter | Way::JoinsAsLearner => self.join(scene, way).await?,
                Way::NewestLeaves | Way::Leaves(_) => self.leave(scene, way).await,
            };
            self.begun = Some((way, id, errand));
            Ok(format!("{id} {way:?}{}", self.place))
        }
        .boxed_local()
    }

    fn heal<'a>(&'a mut self, scene: &'a Scene) -> Healed<'a> {
        async {
            let Some((way, id, mut errand)) = self.begun.take() else {
                return Ok(());
            };
            let joins = matches!(way, Way::JoinsAsVoter | Way::JoinsAsLearner);
            let roles: &[&str] = if joins { &["LEADER", "FOLLOWER"] } else { &[] };
            let done = async || scene.is_seen_as(id, roles).await;
            let carried = scene.carry_through(&mut errand, None, async || (), done);
            carried.await?;
            if joins {
                scene.open_to_clients(id);
                return Ok(());
            }
            scene.close_to_clients(id);
            dispose(scene, id).await
        }
        .boxed_local()
    }
}

/// A failpoint at which a change of the membership is interrupted, on the leader or on a follower.
#[derive(Debug, Default)]
pub(super) struct Place {
    name: Option<&'static str>,
    action: &'static str,
    on_follower: bool,
}

impl Place {
    pub(super) fn draw(dice: &mut Dice, places: &mut Deck<Option<&'static str>>) -> Self {
        let on_follower = dice.chance(30);
        let name = places.deal(dice);
        // Only entries come by on a follower.
        let is_entry = |name: &str| ["membership.joint", "membership.uniform"].contains(&name);
        Self {
            name,
            action: dice.pick(&["1*crash", "1*crash", "1*sleep(1500)"]),
            on_follower: on_follower && name.is_some_and(is_entry),
        }
    }

    /// Sets it on one of those that stay.
    pub(super) async fn arm(&self, scene: &Scene, go: &[u16]) {
        let Some(name) = self.name else { return };
        let stay = async || {
            let order = scene.leader_first().await;
            let stay = order.into_iter().filter(|id| !go.contains(id));
            stay.collect::<Vec<u16>>()
        };
        if go.iter().any(|id| !scene.cluster.replica(*id).is_running()) {
            // It may have led.
            let led = async || scene.is_led_by(stay().await[0]).await;
            reach("a leader", LEADER_TIMEOUT, led).await.ok();
        }
        let stay = stay().await;
        let index = usize::from(self.on_follower).min(stay.len() - 1);
        scene.set_failpoint(stay[index], name, self.action).await;
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) if self.on_follower => write!(f, ", {name}={} on a follower", self.action),
            Some(name) => write!(f, ", {name}={} on the leader", self.action),
            None => Ok(()),
        }
    }
}

/// Takes everything from a replica that does not run.
pub(super) async fn empty(scene: &Scene, id: u16) {
    operator::empty(scene.cluster.replica(id)).await;
    scene.disturb(id);
}

/// Waits until one that has left has stopped, and makes it as good as new.
pub(super) async fn dispose(scene: &Scene, id: u16) -> Result<(), Unhealed> {
    let replica = scene.cluster.replica(id);
    let what = format!("replica {id}, which was removed, to stop");
    reach(&what, END_TIMEOUT, async || match replica.is_running() {
        true => Err("it runs".to_owned()),
        false => Ok(()),
    })
    .await?;
    empty(scene, id).await;
    Ok(())
}

/// Waits until an empty replica can be asked who it is.
pub(super) async fn wait_until_it_listens(scene: &Scene, id: u16) -> Result<(), Unhealed> {
    let replica = scene.cluster.replica(id);
    let what = format!("replica {id}, which is empty, to listen");
    let listening = reach(&what, LISTEN_TIMEOUT, async || {
        match replica.listens().await {
            true => Ok(()),
            false => Err("nobody does".to_owned()),
        }
    });
    Ok(listening.await?)
}

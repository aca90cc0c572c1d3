//! Members come and go under load: one that is empty and new is taken in and given a vote, one that lives is removed.

use std::time::Duration;

use futures_util::FutureExt;

use super::interruption::{Interruption, Places};
use super::{Company, Dice, Fault, Healed, Injected, Scene, Victims};
use crate::operator;
use crate::torture::scene::{Errand, Unhealed};
use crate::wait::reach;

/// Most members beyond those that were planned.
pub(in crate::torture) const MOST_MORE: u16 = 2;
const LISTEN_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait until one that was removed alive has stopped.
const END_TIMEOUT: Duration = Duration::from_secs(60);

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
    interruption: Interruption,
    begun: Option<(Way, u16, Errand)>,
}

impl Members {
    pub(super) fn draw(dice: &mut Dice, places: &mut Places) -> Self {
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
            interruption: Interruption::draw(dice, places),
            begun: None,
        }
    }

    pub(super) fn newest_leaves() -> Self {
        Self {
            grows: Way::NewestLeaves,
            shrinks: Way::NewestLeaves,
            wants_growth: false,
            interruption: Interruption::default(),
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

    async fn join(&mut self, scene: &Scene, way: Way) -> Result<(u16, Errand), Unhealed> {
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
        self.interruption.arm(scene, &[id]).await;
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

    async fn leave(&mut self, scene: &Scene, way: Way) -> (u16, Errand) {
        let members = scene.members();
        let id = match way {
            Way::Leaves(victims) => victims.find(scene).await[0],
            _ => members[members.len() - 1],
        };
        scene.leave(id);
        self.interruption.arm(scene, &[id]).await;
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
            Ok(format!("{id} {way:?}{}", self.interruption))
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
            self.interruption.arm_again(scene, &[id]).await;
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

//! `SIGSTOP`: a process that holds its connections and does nothing, as in a long pause of its machine.

use futures_util::FutureExt;

use super::{Dice, Fault, Healed, Injected, Scene, Victims};

/// Processes that stand still.
#[derive(Debug)]
pub(super) struct Freeze {
    victims: Victims,
}

impl Freeze {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let victims = [
            Victims::Leader,
            Victims::Leader,
            Victims::Follower,
            Victims::Two,
            Victims::All,
        ];
        Self {
            victims: dice.pick(&victims),
        }
    }
}

impl Fault for Freeze {
    fn kind(&self) -> String {
        format!("freeze {:?}", self.victims).to_lowercase()
    }

    fn inject<'a>(&'a mut self, scene: &'a Scene) -> Injected<'a> {
        async {
            let victims = self.victims.find(scene).await;
            for id in &victims {
                scene.freeze(*id);
            }
            Ok(format!("SIGSTOP of {victims:?}"))
        }
        .boxed_local()
    }

    fn heal<'a>(&'a mut self, scene: &'a Scene) -> Healed<'a> {
        async {
            scene.thaw();
            Ok(())
        }
        .boxed_local()
    }
}

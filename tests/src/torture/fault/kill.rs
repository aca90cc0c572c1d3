//! `kill -9`.

use futures_util::FutureExt;

use super::{Dice, Fault, Healed, Injected, Scene, Victims};

/// Processes gone at once, without a word.
#[derive(Debug)]
pub(super) struct Kill {
    victims: Victims,
}

impl Kill {
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

impl Fault for Kill {
    fn kind(&self) -> String {
        format!("kill {:?}", self.victims).to_lowercase()
    }

    fn inject<'a>(&'a mut self, scene: &'a Scene) -> Injected<'a> {
        async {
            let victims = self.victims.find(scene).await;
            if self.victims == Victims::Leader {
                scene.leader_goes(victims[0]);
            }
            for id in &victims {
                scene.kill(*id);
            }
            Ok(format!("kill -9 of {victims:?}"))
        }
        .boxed_local()
    }

    fn heal<'a>(&'a mut self, _scene: &'a Scene) -> Healed<'a> {
        std::future::ready(Ok(())).boxed_local()
    }
}

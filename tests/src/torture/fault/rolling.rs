//! Every replica stopped in order and started again, one after the other.

use futures_util::FutureExt;

use super::{Company, Fault, Healed, Injected, Scene};
use crate::torture::scene::Unhealed;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Rolling {}

impl Fault for Rolling {
    fn kind(&self) -> String {
        "rolling restart".to_owned()
    }

    fn company(&self) -> Company {
        Company::None
    }

    fn inject<'a>(&'a mut self, scene: &'a Scene) -> Injected<'a> {
        async {
            scene.count_failpoints().await;
            for replica in scene.replicas() {
                scene.disturb(replica.id());
                replica.stops_in_order().await.map_err(Unhealed)?;
                scene.start(replica.id());
                scene.become_whole().await?;
            }
            Ok("rolling restart".to_owned())
        }
        .boxed_local()
    }

    fn heal<'a>(&'a mut self, _scene: &'a Scene) -> Healed<'a> {
        std::future::ready(Ok(())).boxed_local()
    }
}

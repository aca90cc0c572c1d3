//! Every replica stopped in order and started again, one after the other.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Fault, Scene};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Rolling {}

impl Fault for Rolling {
    fn kind(&self) -> String {
        "rolling restart".to_owned()
    }

    fn is_exclusive(&self) -> bool {
        true
    }

    fn inject<'a>(&'a mut self, scene: &'a Scene) -> BoxFuture<'a, String> {
        async {
            let count = u16::try_from(scene.cluster.replicas().len()).expect("few replicas");
            for id in 1..=count {
                let replica = scene.cluster.replica(id);
                scene.disturb(replica.id());
                replica.terminate().await;
                scene.start(replica.id());
                replica.wait_until_ready().await;
                scene.cluster.wait_until_in_sync().await;
            }
            "rolling restart".to_owned()
        }
        .boxed()
    }

    fn heal<'a>(&'a mut self, _scene: &'a Scene) -> BoxFuture<'a, ()> {
        std::future::ready(()).boxed()
    }
}

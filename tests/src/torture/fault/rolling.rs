//! Every replica stopped in order and started again, one after the other.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

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

    fn inject<'a>(&'a mut self, scene: &'a Scene) -> LocalBoxFuture<'a, String> {
        async {
            for replica in scene.cluster.replicas() {
                scene.disturb(replica.id());
                replica.terminate().await;
                scene.start(replica.id());
                replica.wait_until_ready().await;
                scene.cluster.wait_until_in_sync().await;
            }
            "rolling restart".to_owned()
        }
        .boxed_local()
    }

    fn heal<'a>(&'a mut self, _scene: &'a Scene) -> LocalBoxFuture<'a, ()> {
        std::future::ready(()).boxed_local()
    }
}

//! A replica is removed under load, having lost everything or alive and well, and an empty one takes its place.

use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::{Dice, Fault, Scene, Victims};
use crate::binary;
use crate::operator;

const REMOVAL_TIMEOUT: Duration = Duration::from_secs(40);
/// Longest wait until one that was removed alive has stopped.
const END_TIMEOUT: Duration = Duration::from_secs(40);
const RETRY_PAUSE: Duration = Duration::from_millis(300);

/// See the module.
#[derive(Debug)]
pub(super) struct Replace {
    victims: Victims,
    /// Removed while it lives: it finishes what its clients have begun, and stops.
    alive: bool,
    lost: Option<u16>,
}

impl Replace {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        Self {
            victims: dice.pick(&[Victims::Leader, Victims::Follower]),
            alive: dice.chance(50),
            lost: None,
        }
    }
}

impl Fault for Replace {
    fn kind(&self) -> String {
        let how = if self.alive { "living" } else { "lost" };
        format!("replace {how} {:?}", self.victims).to_lowercase()
    }

    fn is_exclusive(&self) -> bool {
        true
    }

    fn inject<'a>(&'a mut self, scene: &'a Scene) -> LocalBoxFuture<'a, String> {
        async {
            let lost = self.victims.find(scene).await[0];
            self.lost = Some(lost);
            let replica = scene.cluster.replica(lost);
            if self.alive {
                scene.disturb(lost);
                remove(scene, lost).await;
                replica.wait_for_end(END_TIMEOUT).await;
                operator::empty(replica).await;
                return format!("{lost} is removed, stops by itself, and is emptied");
            }
            scene.kill(lost);
            operator::empty(replica).await;
            remove(scene, lost).await;
            format!("{lost} has lost everything and is removed")
        }
        .boxed_local()
    }

    fn heal<'a>(&'a mut self, scene: &'a Scene) -> LocalBoxFuture<'a, ()> {
        async {
            if let Some(lost) = self.lost.take() {
                scene.start(lost);
            }
        }
        .boxed_local()
    }
}

/// `threefold cluster remove`, until it succeeds: there may be no leader for a while.
async fn remove(scene: &Scene, lost: u16) {
    let replicas = scene.cluster.replicas();
    let left = replicas.iter().find(|replica| replica.id() != lost);
    let left = left.expect("a replica that is left");
    let mut flags = left.arguments();
    // The operator's way is not cut, and one entry of a replica's own flags leads nowhere.
    let addresses = replicas
        .iter()
        .map(|replica| format!("{}={}", replica.id(), replica.peer_url()));
    let addresses = addresses.collect::<Vec<_>>().join(",");
    let peers = flags.iter().position(|flag| flag == "--peer");
    flags[peers.expect("peers") + 1] = addresses;
    let begun = Instant::now();
    loop {
        let mut command = binary::command();
        command
            .args(["cluster", "remove", &lost.to_string()])
            .args(&flags[1..]);
        let ended = tokio::task::spawn_blocking(move || command.output()).await;
        let output = ended.expect("the task").expect("the command");
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() || said.contains("is not in the membership") {
            return;
        }
        assert!(
            begun.elapsed() < REMOVAL_TIMEOUT,
            "replica {lost} cannot be removed: {said}"
        );
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

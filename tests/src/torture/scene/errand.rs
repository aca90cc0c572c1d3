//! An operator's command, run beside whatever happens, and again where faults have made it fail.

use std::process::Output;
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::task::JoinSet;

use super::healing::Starts;
use super::{Scene, Unhealed};
use crate::cluster::Replica;
use crate::{binary, operator};

/// Longest time for everything that an operator has to do, from when faults are undone.
const TIMEOUT: Duration = Duration::from_secs(150);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// A command `threefold cluster`, and what became of it.
#[derive(Debug)]
pub struct Errand {
    /// Whom it is about: it is not given that one's settings.
    about: u16,
    arguments: Vec<String>,
    attempt: JoinSet<std::io::Result<Output>>,
    succeeded: bool,
    said: String,
}

impl Errand {
    /// The command, not yet begun. Without arguments there is nothing to do but wait.
    pub fn new(about: u16, arguments: &[&str]) -> Self {
        Self {
            about,
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            attempt: JoinSet::new(),
            succeeded: false,
            said: "it was not begun".to_owned(),
        }
    }

    /// Runs it, and does not wait.
    pub fn begin(&mut self, scene: &Scene) {
        let Some(command) = scene.command(self.about, &self.arguments) else {
            self.said = "no replica runs whose settings could be used".to_owned();
            return;
        };
        self.attempt.spawn(async move {
            let mut command = Command::from(command);
            command.kill_on_drop(true).output().await
        });
    }

    /// Takes what it has come to, if it has ended.
    fn look(&mut self) {
        let Some(ended) = self.attempt.try_join_next() else {
            return;
        };
        match ended {
            Ok(Ok(output)) => {
                self.succeeded = output.status.success();
                self.said = operator::said(&output);
            }
            Ok(Err(error)) => self.said = error.to_string(),
            Err(error) => self.said = error.to_string(),
        }
    }
}

impl Scene {
    /// The command with the settings of a member that runs.
    fn command(&self, about: u16, arguments: &[String]) -> Option<std::process::Command> {
        let replicas = self.replicas();
        let asked = replicas
            .iter()
            .find(|r| r.id() != about && r.is_running())?;
        // The operator's way is not cut. To whom it is about, it is the way that all others will take.
        let address = |replica: &&Replica| match replica.id() {
            id if id == about => format!("{id}={}", self.cluster.links().entry(id)),
            id => format!("{id}={}", replica.peer_url()),
        };
        let addresses: Vec<String> = replicas.iter().map(address).collect();
        let mut flags = asked.arguments();
        let peers = flags.iter().position(|flag| flag == "--peer")?;
        flags[peers + 1] = addresses.join(",");
        let mut command = binary::command();
        command.arg("cluster").args(arguments).args(&flags[1..]);
        Some(command)
    }

    /// Sees to it that something comes about, as an operator would, once faults are undone: starts members that are down, but for one that
    /// is `tended` to otherwise, and runs the command again where it fails.
    ///
    /// # Errors
    /// It does not come about in time.
    pub async fn carry_through(
        &self,
        errand: &mut Errand,
        tended: Option<u16>,
        mut tend: impl AsyncFnMut(),
        done: impl AsyncFn() -> Result<(), String>,
    ) -> Result<(), Unhealed> {
        let begun = Instant::now();
        let mut starts = Starts::new();
        loop {
            self.start_all_but(tended.as_slice(), &mut starts)?;
            tend().await;
            errand.look();
            let has_ended = errand.attempt.is_empty();
            let is_late = begun.elapsed() >= TIMEOUT;
            match done().await {
                Ok(()) if has_ended || is_late => return Ok(()),
                Err(reason) if is_late => {
                    let (arguments, said) = (&errand.arguments, &errand.said);
                    let reason = format!(
                        "{TIMEOUT:?} after everything was undone, {arguments:?}, which has said {said:?}, is not done: {reason}"
                    );
                    return Err(Unhealed(reason));
                }
                Err(_) if has_ended && !errand.succeeded && !errand.arguments.is_empty() => {
                    errand.begin(self);
                }
                _ => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Fails unless that replica says that it leads.
    pub async fn is_led_by(&self, id: u16) -> Result<(), String> {
        match self.find_leader(&[id]).await {
            Some(_) => Ok(()),
            None => Err(format!("replica {id} does not lead")),
        }
    }

    /// Fails unless whoever leads sees a replica in one of these roles, and in sync; without roles, unless it does not see it at all.
    pub async fn is_seen_as(&self, id: u16, roles: &[&str]) -> Result<(), String> {
        let leader = self.find_leader(&self.members()).await;
        let leader = self.cluster.replica(leader.ok_or("there is no leader")?);
        let client = leader.client().local().with_timeout(super::QUICK);
        let views = client.replicas().await.map_err(|error| error.to_string())?;
        let view = views.iter().find(|view| view.id == id.to_string());
        let is_so = match view {
            Some(view) => view.in_sync && roles.contains(&view.role.as_str()),
            None => roles.is_empty(),
        };
        is_so.then_some(()).ok_or_else(|| format!("{view:?}"))
    }
}

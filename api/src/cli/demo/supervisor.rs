//! Keeps the three members running, and stops them in order.

use std::convert::Infallible;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::future::{join_all, try_join_all};
use nix::sys::signal::Signal;

use crate::child_process::ChildProcess;
use crate::local_postgres::LocalPostgres;

use super::member::MemberPlan;
use super::{log_file, replica_process, say};

/// How long what died stays down: long enough to see the others carry on, and never a hot loop.
const RESTART_DELAY: Duration = Duration::from_secs(5);
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
const WATCH_INTERVAL: Duration = Duration::from_millis(100);

/// The three members and what is to be done about each.
pub(super) struct Supervisor {
    members: Vec<Member>,
}

struct Member {
    plan: MemberPlan,
    postgres: Option<LocalPostgres>,
    replica: Option<ChildProcess>,
    postgres_due: Option<Instant>,
    replica_due: Option<Instant>,
}

impl Supervisor {
    pub(super) fn new(plans: impl IntoIterator<Item = MemberPlan>) -> Self {
        let members = plans
            .into_iter()
            .map(|plan| Member {
                plan,
                postgres: None,
                replica: None,
                postgres_due: None,
                replica_due: None,
            })
            .collect();
        Self { members }
    }

    pub(super) fn plans(&self) -> impl Iterator<Item = &MemberPlan> {
        self.members.iter().map(|member| &member.plan)
    }

    /// Starts the PostgreSQL servers, if there are any, and returns once all take connections.
    pub(super) async fn start_databases(&mut self) -> anyhow::Result<()> {
        try_join_all(self.members.iter_mut().map(Member::start_postgres)).await?;
        Ok(())
    }

    pub(super) fn start_replicas(&mut self) -> anyhow::Result<()> {
        for member in &mut self.members {
            member.replica = Some(replica_process::start(&member.plan)?);
        }
        Ok(())
    }

    /// Starts again what dies, for as long as it is polled.
    pub(super) async fn watch(&mut self) -> Infallible {
        loop {
            for member in &mut self.members {
                member.watch_postgres().await;
                member.watch_replica();
            }
            tokio::time::sleep(WATCH_INTERVAL).await;
        }
    }

    /// Stops the replicas together, then their databases.
    pub(super) async fn stop(&mut self) {
        join_all(self.members.iter_mut().map(Member::stop_replica)).await;
        join_all(self.members.iter_mut().map(Member::stop_postgres)).await;
    }
}

impl Member {
    async fn start_postgres(&mut self) -> anyhow::Result<()> {
        if let Some(settings) = &self.plan.postgres {
            let server = LocalPostgres::start(settings.clone()).await;
            self.postgres =
                Some(server.with_context(|| format!("the database of replica {}", self.plan.id))?);
        }
        Ok(())
    }

    async fn watch_postgres(&mut self) {
        let Some(settings) = &self.plan.postgres else {
            return;
        };
        if let Some(server) = &mut self.postgres {
            if let Some(status) = ended(server.process()) {
                self.postgres = None;
                self.postgres_due = Some(Instant::now() + RESTART_DELAY);
                say(&died(
                    &format!("The PostgreSQL server of replica {}", self.plan.id),
                    status,
                    None,
                ));
            }
        } else if is_due(self.postgres_due) {
            match LocalPostgres::start(settings.clone()).await {
                Ok(server) => {
                    self.postgres = Some(server);
                    say(&format!(
                        "The PostgreSQL server of replica {} runs again.",
                        self.plan.id
                    ));
                }
                Err(error) => {
                    self.postgres_due = Some(Instant::now() + RESTART_DELAY);
                    say(&format!(
                        "The PostgreSQL server of replica {} does not start: {error}",
                        self.plan.id
                    ));
                }
            }
        }
    }

    fn watch_replica(&mut self) {
        if let Some(process) = &mut self.replica {
            if let Some(status) = ended(process) {
                self.replica = None;
                self.replica_due = Some(Instant::now() + RESTART_DELAY);
                say(&died(
                    &format!("Replica {}", self.plan.id),
                    status,
                    log_file::last_line(&self.plan.log),
                ));
            }
        } else if is_due(self.replica_due) {
            match replica_process::start(&self.plan) {
                Ok(process) => {
                    self.replica = Some(process);
                    say(&format!("Replica {} is started again.", self.plan.id));
                }
                Err(error) => {
                    self.replica_due = Some(Instant::now() + RESTART_DELAY);
                    say(&format!(
                        "Replica {} does not start: {error:#}",
                        self.plan.id
                    ));
                }
            }
        }
    }

    async fn stop_replica(&mut self) {
        if let Some(mut process) = self.replica.take()
            && let Err(error) = process.stop(Signal::SIGTERM, STOP_TIMEOUT).await
        {
            say(&format!("Replica {} does not stop: {error}", self.plan.id));
        }
    }

    async fn stop_postgres(&mut self) {
        if let Some(server) = self.postgres.take()
            && let Err(error) = server.stop().await
        {
            say(&format!(
                "The PostgreSQL server of replica {} does not stop: {error}",
                self.plan.id
            ));
        }
    }
}

/// A process that cannot be asked is taken to run; the next look asks again.
fn ended(process: &mut ChildProcess) -> Option<ExitStatus> {
    process.exited().ok().flatten()
}

fn is_due(due: Option<Instant>) -> bool {
    due.is_some_and(|due| Instant::now() >= due)
}

fn died(what: &str, status: ExitStatus, last_words: Option<String>) -> String {
    let why = last_words
        .map(|line| format!(" It said: {line}"))
        .unwrap_or_default();
    format!(
        "{what} died ({status}); it is started again in {} seconds.{why}",
        RESTART_DELAY.as_secs()
    )
}

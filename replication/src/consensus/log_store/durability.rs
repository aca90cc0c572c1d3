//! Waiting for what the log is cut behind: nothing goes that the database could yet need.

use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{LogStore, other};
use crate::consensus::state_machine::StateMachine;
use crate::database::is_transient;

/// Pause before a database that cannot be flushed is tried again.
const FLUSH_PAUSE: Duration = Duration::from_millis(200);

/// How often what a crash of the database took is applied again, before it is flushed.
const MOST_RELAPSES: u32 = 10;

impl LogStore {
    /// Waits until the state holds everything up to an index, durably. The engine purges the log when a snapshot is
    /// handed to the state machine, before it is installed: a crash in between would leave neither.
    ///
    /// A database that has crashed may have lost what it had confirmed. What is lost then is still in the log, and is applied again
    /// from there: here, since the engine has nothing applied while it waits for this.
    pub(super) async fn wait_for_state(&self, index: u64) -> Result<(), io::Error> {
        // What is durable stays so, whatever crashes.
        if index < self.shared.durable.load(Ordering::Acquire) {
            return Ok(());
        }
        self.wait_until_applied(index).await?;
        let (mut failing_since, mut relapses) = (Instant::now(), 0);
        loop {
            match self.shared.state.flush().await {
                Ok(Some(durable)) if durable >= index => {
                    let next = durable.saturating_add(1);
                    self.shared.durable.fetch_max(next, Ordering::AcqRel);
                    return Ok(());
                }
                Ok(durable) if relapses < MOST_RELAPSES => {
                    relapses += 1;
                    let Some(machine) = self.machine()? else {
                        return Ok(());
                    };
                    tracing::warn!(
                        ?durable,
                        index,
                        "the database lost commits before they were flushed"
                    );
                    machine.repair().await.map_err(io::Error::other)?;
                    failing_since = Instant::now();
                }
                Err(error)
                    if is_transient(&error) && failing_since.elapsed() < self.shared.patience =>
                {
                    tracing::warn!(%error, "the database cannot be flushed, trying again");
                    tokio::time::sleep(FLUSH_PAUSE).await;
                }
                Ok(_) => {
                    return Err(io::Error::other(
                        "the database loses its commits again and again",
                    ));
                }
                Err(error) => return Err(other(error)),
            }
        }
    }

    async fn wait_until_applied(&self, index: u64) -> Result<(), io::Error> {
        let Some(machine) = self.machine()? else {
            return Ok(());
        };
        let mut applied = machine.applied();
        drop(machine);
        tokio::select! {
            held = applied.wait_for(|applied| applied.index >= Some(index)) => {
                held.map(|_| ()).map_err(other)
            }
            () = self.shared.given_up.cancelled() => {
                Err(io::Error::other("the state machine failed before the log could be purged"))
            }
        }
    }

    fn machine(&self) -> Result<Option<StateMachine>, io::Error> {
        let Some(machine) = self.shared.machine.get() else {
            return Ok(None);
        };
        let gone = || io::Error::other("the state machine has stopped");
        machine.upgrade().map(Some).ok_or_else(gone)
    }
}

//! Asks what became of every mutation whose answer was lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use serde_json::json;

use super::target::Target;
use super::wire;
use crate::client::ClientError;
use crate::torture::history::{InDoubt, Recorder, Settlement};
use crate::wait::{Unreached, reach};

/// Longest wait for an answer from replicas that have healed.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Questions at once.
const PARALLEL: usize = 8;

/// Settles what is in doubt. A mutation of which nothing is known may yet come, for so many milliseconds after its client gave up; then it
/// is asked for once more. What nobody tells in time stays in doubt.
pub(super) async fn settle(target: &Target, recorder: &Recorder, settle_ms: u64) {
    let in_doubt = recorder.take_in_doubt();
    let is_mute = AtomicBool::new(false);
    stream::iter(in_doubt)
        .for_each_concurrent(PARALLEL, async |doubt| {
            let last = Duration::from_millis(settle_ms) + Duration::from_nanos(doubt.end);
            let settled = async {
                let mut settlement = ask(target, &doubt).await?;
                let left = last.saturating_sub(Duration::from_nanos(recorder.now()));
                if settlement == Settlement::Never && !left.is_zero() {
                    tokio::time::sleep(left).await;
                    settlement = ask(target, &doubt).await?;
                }
                Ok::<_, Unreached>(settlement)
            };
            // Whoever is not told in time is the last to ask.
            if is_mute.load(Ordering::Relaxed) {
                return;
            }
            match settled.await {
                Ok(settlement) => recorder.settled(doubt.number, settlement),
                Err(_) => is_mute.store(true, Ordering::Relaxed),
            }
        })
        .await;
}

/// The last revision there is.
///
/// # Errors
/// Nobody tells in time.
pub(super) async fn last_revision(target: &Target) -> Result<u64, Unreached> {
    let mut turn = 0;
    reach("the last revision", TIMEOUT, async || {
        turn += 1;
        let document = "{ expenses(first: 1) { revision } }";
        let client = target.pick(turn).client;
        let data = client.execute(document, json!({})).await;
        let data = data.map_err(|error: ClientError| error.to_string())?;
        wire::revision(&data["expenses"]["revision"]).ok_or_else(|| data.to_string())
    })
    .await
}

async fn ask(target: &Target, doubt: &InDoubt) -> Result<Settlement, Unreached> {
    let mut turn = doubt.number;
    let outcome = reach("an outcome", TIMEOUT, async || {
        turn += 1;
        let outcome = target.pick(turn).client.outcome(doubt.key).await;
        outcome.map_err(|error| error.to_string())
    })
    .await?;
    let Some(outcome) = outcome else {
        return Ok(Settlement::Never);
    };
    Ok(
        match (outcome.receipt, outcome.user_errors.into_iter().next()) {
            (Some(receipt), _) => Settlement::Accepted(receipt.revision),
            (None, Some(error)) => Settlement::Refused(error.code),
            (None, None) => Settlement::Refused("no reason".to_owned()),
        },
    )
}

//! Asks what became of every mutation whose answer was lost.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use serde_json::json;

use super::target::Target;
use super::wire;
use crate::client::ClientError;
use crate::torture::history::{InDoubt, Recorder, Settlement};
use crate::wait::until;

/// Longest wait for an answer from replicas that have healed.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Questions at once.
const PARALLEL: usize = 8;

/// Settles what is in doubt, and returns the last revision. A mutation of which nothing is known may yet come, for so many milliseconds
/// after its client gave up; then it is asked for once more.
pub(super) async fn settle(target: &Target, recorder: &Recorder, settle_ms: u64) -> u64 {
    let in_doubt = recorder.take_in_doubt();
    stream::iter(in_doubt)
        .for_each_concurrent(PARALLEL, async |doubt| {
            let last = Duration::from_millis(settle_ms) + Duration::from_nanos(doubt.end);
            let mut settlement = ask(target, &doubt).await;
            let left = last.saturating_sub(Duration::from_nanos(recorder.now()));
            if settlement == Settlement::Never && !left.is_zero() {
                tokio::time::sleep(left).await;
                settlement = ask(target, &doubt).await;
            }
            recorder.settled(doubt.number, settlement);
        })
        .await;
    let mut turn = 0;
    until("the last revision", TIMEOUT, async || {
        turn += 1;
        let document = "{ expenses(first: 1) { revision } }";
        let client = target.pick(turn).client;
        let data = client.execute(document, json!({})).await;
        let data = data.map_err(|error: ClientError| error.to_string())?;
        wire::revision(&data["expenses"]["revision"]).ok_or_else(|| data.to_string())
    })
    .await
}

async fn ask(target: &Target, doubt: &InDoubt) -> Settlement {
    let mut turn = doubt.number;
    let outcome = until("an outcome", TIMEOUT, async || {
        turn += 1;
        let outcome = target.pick(turn).client.outcome(doubt.key).await;
        outcome.map_err(|error| error.to_string())
    })
    .await;
    let Some(outcome) = outcome else {
        return Settlement::Never;
    };
    match (outcome.receipt, outcome.user_errors.into_iter().next()) {
        (Some(receipt), _) => Settlement::Accepted(receipt.revision),
        (None, Some(error)) => Settlement::Refused(error.code),
        (None, None) => Settlement::Refused("no reason".to_owned()),
    }
}

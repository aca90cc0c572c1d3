//! Asks what became of every mutation whose answer was lost.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use serde_json::json;

use super::target::Target;
use super::wire;
use crate::client::ClientError;
use crate::torture::history::{Recorder, Settlement};
use crate::wait::until;

/// Longest wait for an answer from replicas that have healed.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Questions at once.
const PARALLEL: usize = 8;

/// A mutation that was still on its way when its client gave up is carried out, or has been given up by its replica, within
/// this time: a replica tries for `--write-timeout-ms`, ten seconds unless set.
const UNDER_WAY: Duration = Duration::from_secs(11);

/// Settles what is in doubt, and returns the last revision.
pub(super) async fn settle(target: &Target, recorder: &Recorder) -> u64 {
    let in_doubt = recorder.take_in_doubt();
    if !in_doubt.is_empty() {
        tokio::time::sleep(UNDER_WAY).await;
    }
    stream::iter(in_doubt)
        .for_each_concurrent(PARALLEL, async |(number, key)| {
            let mut turn = number;
            let outcome = until("an outcome", TIMEOUT, async || {
                turn += 1;
                let outcome = target.pick(turn).client.outcome(key).await;
                outcome.map_err(|error| error.to_string())
            })
            .await;
            let settlement = match outcome {
                None => Settlement::Never,
                Some(outcome) => match (outcome.receipt, outcome.user_errors.into_iter().next()) {
                    (Some(receipt), _) => Settlement::Accepted(receipt.revision),
                    (None, Some(error)) => Settlement::Refused(error.code),
                    (None, None) => Settlement::Refused("no reason".to_owned()),
                },
            };
            recorder.settled(number, settlement);
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

//! Says how many lines were left out, now and then.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::rate_limit::{LeftOut, RateLimit};

/// How often it is looked whether there is something to say.
const INTERVAL: Duration = Duration::from_secs(10);

/// Says it for ever. This is a task of its own: while a line is being written, no other can be.
pub(super) async fn report(limit: Arc<RateLimit>) {
    let mut interval = interval(INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        tell(limit.take_over());
    }
}

/// One line for each place.
pub(super) fn tell(left_out: Vec<LeftOut>) {
    for LeftOut {
        place,
        level,
        lines,
    } in left_out
    {
        tracing::warn!(%place, %level, lines, "log lines were left out, as too many came from one place within a minute");
    }
}

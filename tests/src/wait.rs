//! Waiting for something to become true: bounded, and saying what was missing.

use std::time::{Duration, Instant};

const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// Something did not become true in time.
#[derive(Debug, thiserror::Error)]
#[error("waited {timeout:?} for {what}, and still: {reason}")]
pub struct Unreached {
    what: String,
    timeout: Duration,
    reason: String,
}

/// Asks until the answer is `Ok`.
///
/// # Errors
/// The last reason, after the timeout.
pub async fn reach<T>(
    what: &str,
    timeout: Duration,
    mut probe: impl AsyncFnMut() -> Result<T, String>,
) -> Result<T, Unreached> {
    let deadline = Instant::now() + timeout;
    loop {
        match probe().await {
            Ok(value) => return Ok(value),
            Err(reason) if Instant::now() >= deadline => {
                return Err(Unreached {
                    what: what.to_owned(),
                    timeout,
                    reason,
                });
            }
            Err(_) => tokio::time::sleep(POLL_INTERVAL).await,
        }
    }
}

/// Asks until the answer is `Ok`. After the timeout the test fails with the last reason.
pub async fn until<T>(
    what: &str,
    timeout: Duration,
    probe: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    match reach(what, timeout, probe).await {
        Ok(value) => value,
        Err(unreached) => panic!("{unreached}"),
    }
}

/// Waits for a future to end.
///
/// # Errors
/// It takes longer.
pub async fn ended<T>(
    what: &str,
    timeout: Duration,
    future: impl Future<Output = T>,
) -> Result<T, Unreached> {
    let ended = tokio::time::timeout(timeout, future).await;
    ended.map_err(|_| Unreached {
        what: what.to_owned(),
        timeout,
        reason: "it goes on".to_owned(),
    })
}

/// Fails the test if the future takes longer.
pub async fn within<T>(what: &str, timeout: Duration, future: impl Future<Output = T>) -> T {
    match ended(what, timeout, future).await {
        Ok(value) => value,
        Err(unreached) => panic!("{unreached}"),
    }
}

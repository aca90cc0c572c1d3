//! Waiting until every replica has a leader.

use std::time::{Duration, Instant};

use anyhow::bail;

const TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// Returns once all replicas say that they serve; an error after a minute names those that do not.
pub(super) async fn wait_until_ready(urls: &[String]) -> anyhow::Result<()> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(REQUEST_TIMEOUT)
        .build()?;
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let mut waiting = Vec::new();
        for url in urls {
            if !is_ready(&client, url).await {
                waiting.push(url.as_str());
            }
        }
        if waiting.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            bail!(
                "not ready after {} seconds: {}; the logs in the demo's folder say why",
                TIMEOUT.as_secs(),
                waiting.join(", ")
            );
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

async fn is_ready(client: &reqwest::Client, url: &str) -> bool {
    match client.get(format!("{url}/readyz")).send().await {
        Ok(response) => response.status().is_success(),
        Err(_) => false,
    }
}

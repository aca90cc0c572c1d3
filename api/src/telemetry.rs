//! Logs: text or JSON lines on standard error, filtered by `THREEFOLD_LOG`.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// Environment variable with the filter, such as `info` or `threefold_replication=debug,info`.
const FILTER_VARIABLE: &str = "THREEFOLD_LOG";

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// Starts logging for this process; a second start is ignored.
///
/// # Errors
/// A filter that cannot be read.
pub fn start(format: LogFormat) -> Result<(), String> {
    let filter = match std::env::var(FILTER_VARIABLE) {
        Ok(text) => EnvFilter::try_new(&text)
            .map_err(|e| format!("{FILTER_VARIABLE}={text:?} is no log filter: {e}"))?,
        Err(_) => EnvFilter::new("info"),
    };
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => logs.try_init(),
        LogFormat::Json => logs.json().try_init(),
    };
    if let Err(error) = started {
        // Only where a subscriber exists already, as in a test; that one stays.
        tracing::debug!(%error, "logging had been started before");
    }
    Ok(())
}

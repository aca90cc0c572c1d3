//! What a replica says of itself: logs on standard error, filtered, and traces for a collector.
//! docs/logging.md is the manual.

mod filter;
mod left_out;
mod line;
mod otlp;
mod panic;
mod rate_limit;

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::task::JoinHandle;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, registry};

pub use self::filter::LogFilter;
use self::filter::{Lines, Spans};
use self::line::LineFormat;
use self::rate_limit::RateLimit;

/// Longest wait for the last spans to reach the collector when the replica stops.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// What is to be logged, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which replica says it; every line names it.
    pub replica: u64,
    /// Which lines.
    pub filter: LogFilter,
    /// How lines are written.
    pub format: LogFormat,
    /// Most lines that one place in the code writes in a minute; 0 for no bound.
    pub lines_a_minute: u32,
}

/// Logging and tracing of this process, for as long as it runs.
#[derive(Debug)]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
    limit: Arc<RateLimit>,
    reports: JoinHandle<()>,
}

/// Starts logging, and tracing where the environment names a collector. A second start in one process changes nothing.
///
/// # Errors
/// A setting of tracing that cannot be used; the message says which and what may stand there.
pub fn start(settings: Settings) -> Result<Telemetry, String> {
    let provider = otlp::provider(settings.replica)?;
    let limit = Arc::new(RateLimit::new(settings.lines_a_minute));
    let format = LineFormat {
        replica: settings.replica,
        format: settings.format,
        limit: limit.clone(),
    };
    let lines = tracing_subscriber::fmt::layer()
        .event_format(format.clone())
        .with_ansi(settings.format == LogFormat::Text && std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .with_filter(Lines::new(&settings.filter));
    let spans = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("threefold"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(Spans)
    });
    panic::hook(format);
    if let Err(error) = registry().with(lines).with(spans).try_init() {
        // Only where a subscriber exists already, as in a test; that one stays.
        tracing::debug!(%error, "logging had been started before");
    }
    let reports = tokio::spawn(left_out::report(limit.clone()));
    Ok(Telemetry {
        provider,
        limit,
        reports,
    })
}

impl Telemetry {
    /// Says what was left out so far, and sends the last spans, for two seconds at most.
    pub async fn stop(self) {
        self.reports.abort();
        left_out::tell(self.limit.take_all());
        let Some(provider) = self.provider else {
            return;
        };
        // Waits on a thread of its own: the exporter needs this runtime meanwhile.
        let stopped =
            tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_TIMEOUT));
        if let Ok(Err(error)) = stopped.await {
            tracing::debug!(%error, "the last spans did not reach the collector");
        }
    }
}

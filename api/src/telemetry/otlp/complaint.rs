//! Says that the collector takes no spans: once, and then once in a while.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// Time between two complaints.
const PAUSE: Duration = Duration::from_secs(60);

/// An exporter whose failures are logged, and go no further.
#[derive(Debug)]
pub(super) struct Complaining<E> {
    exporter: E,
    failures: Mutex<Failures>,
}

/// Since the collector last took spans.
#[derive(Debug, Default)]
struct Failures {
    lost: u64,
    last_said: Option<Instant>,
}

impl Failures {
    /// Notes a failure; returns how many spans are lost when it is time to say so.
    fn failed(&mut self, spans: usize, now: Instant) -> Option<u64> {
        self.lost += spans as u64;
        let due = self
            .last_said
            .is_none_or(|said| now.duration_since(said) >= PAUSE);
        due.then(|| {
            self.last_said = Some(now);
            self.lost
        })
    }

    /// Notes a success; returns how many spans were lost before, if that had been said.
    fn succeeded(&mut self) -> Option<u64> {
        let failures = std::mem::take(self);
        failures.last_said.map(|_| failures.lost)
    }
}

impl<E> Complaining<E> {
    pub(super) fn new(exporter: E) -> Self {
        Self {
            exporter,
            failures: Mutex::default(),
        }
    }

    fn note<T>(&self, note: impl FnOnce(&mut Failures) -> T) -> T {
        note(&mut self.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<E: SpanExporter> SpanExporter for Complaining<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let exported = self.exporter.export(batch).await;
        match &exported {
            Ok(()) => {
                if let Some(lost) = self.note(Failures::succeeded) {
                    tracing::info!(lost, "the collector takes traces again");
                }
            }
            Err(error) => {
                if let Some(lost) = self.note(|failures| failures.failed(spans, Instant::now())) {
                    tracing::warn!(
                        %error, lost,
                        "the collector takes no traces, so spans are lost; nothing else waits for it: check OTEL_EXPORTER_OTLP_ENDPOINT"
                    );
                }
            }
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lasting_failure_is_told_once_in_a_while_and_its_end_once() {
        let (mut failures, start) = (Failures::default(), Instant::now());
        assert_eq!(failures.succeeded(), None);
        assert_eq!(failures.failed(5, start), Some(5));
        assert_eq!(failures.failed(7, start + PAUSE / 2), None);
        assert_eq!(failures.failed(1, start + PAUSE), Some(13));
        assert_eq!(failures.succeeded(), Some(13));
        assert_eq!(failures.succeeded(), None);
        assert_eq!(failures.failed(2, start + PAUSE), Some(2));
    }
}

//! Traces: the trace context that travels beside a proposal, and the spans that follow the proposal by it.
//!
//! Every span has the target [`TARGET`], which is switched off unless traces are exported. Then there is no context
//! either, and what is here costs a look at a flag. A context is never part of a proposal: what is applied, and the
//! history's hash, cannot see it.

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use serde::{Deserialize, Serialize};
use tracing::{Span, field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Target of all spans that are exported.
pub const TARGET: &str = "threefold_trace";
/// Most traces that are followed through one log entry, and one transaction; more proposals may be sampled than that.
const MAX_TRACES: usize = 64;

/// Which trace a sampled proposal belongs to, and the span that what comes next belongs to: 16 and 8 bytes, as W3C has
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct TraceContext(#[serde(with = "serde_bytes")] [u8; 24]);

impl TraceContext {
    /// The current span's, if its trace is sampled.
    pub(crate) fn current() -> Option<Self> {
        opentelemetry::Context::map_current(|current| Self::of(current.span().span_context()))
    }

    fn of(span: &SpanContext) -> Option<Self> {
        if !span.is_valid() || !span.is_sampled() {
            return None;
        }
        let mut bytes = [0; 24];
        bytes[..16].copy_from_slice(&span.trace_id().to_bytes());
        bytes[16..].copy_from_slice(&span.span_id().to_bytes());
        Some(Self(bytes))
    }

    /// The current span where it belongs to the same trace, which is then nearer than what came with the proposal.
    pub(crate) fn or_current(self) -> Self {
        match Self::current() {
            Some(current) if current.0[..16] == self.0[..16] => current,
            _ => self,
        }
    }

    fn span_context(self) -> SpanContext {
        let (mut trace, mut span) = ([0; 16], [0; 8]);
        trace.copy_from_slice(&self.0[..16]);
        span.copy_from_slice(&self.0[16..]);
        SpanContext::new(
            TraceId::from_bytes(trace),
            SpanId::from_bytes(span),
            TraceFlags::SAMPLED,
            true,
            TraceState::NONE,
        )
    }
}

/// Puts a span under a context. Fails only where traces are not exported, and then there is no span.
fn put_under(span: &Span, context: TraceContext) {
    let parent = opentelemetry::Context::new().with_remote_span_context(context.span_context());
    let _not_exported = span.set_parent(parent);
}

/// The span of a call to a peer on behalf of these proposals: in the first one's trace, with links to the others. No span
/// where none is sampled, so that heartbeats leave no trace.
pub(crate) fn call(
    name: &'static str,
    peer: u64,
    contexts: impl IntoIterator<Item = TraceContext>,
) -> Span {
    let mut contexts = contexts.into_iter().take(MAX_TRACES);
    let Some(first) = contexts.next() else {
        return Span::none();
    };
    let span = info_span!(
        target: TARGET, parent: None, "call",
        otel.name = name, otel.kind = "client", peer.id = peer, otel.status_code = field::Empty,
    );
    put_under(&span, first);
    contexts.for_each(|other| span.add_link(other.span_context()));
    span
}

/// Says in a span that what it is about failed.
pub(crate) fn fail(span: &Span) {
    span.record("otel.status_code", "ERROR");
}

/// One step that is taken for many proposals together, as a span in the trace of each. The first of them stands for the
/// step: it has links to the others. They end when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Step {
    spans: Vec<Span>,
}

impl Step {
    /// Begins a step under these contexts; without any it is nothing.
    pub(crate) fn begin(
        name: &'static str,
        contexts: impl IntoIterator<Item = TraceContext>,
    ) -> Self {
        let contexts: Vec<TraceContext> = contexts.into_iter().take(MAX_TRACES).collect();
        let spans: Vec<Span> = contexts
            .iter()
            .map(|context| {
                let span = info_span!(
                    target: TARGET, parent: None, "step",
                    otel.name = name, otel.kind = "internal", otel.status_code = field::Empty,
                    log.index = field::Empty, log.proposals = field::Empty, log.entries = field::Empty,
                );
                put_under(&span, *context);
                span
            })
            .collect();
        if let Some(first) = spans.first() {
            let others = contexts.iter().skip(1);
            others.for_each(|other| first.add_link(other.span_context()));
        }
        Self { spans }
    }

    /// Begins a transaction of the database as a part of this step.
    pub(crate) fn transaction(&self, system: &'static str) -> Self {
        let child = |span: &Span| {
            info_span!(
                target: TARGET, parent: span, "transaction",
                otel.name = "database transaction", otel.kind = "client", otel.status_code = field::Empty,
                db.system.name = system,
            )
        };
        Self {
            spans: self.spans.iter().map(child).collect(),
        }
    }

    /// What comes next belongs under these.
    pub(crate) fn contexts(&self) -> Vec<TraceContext> {
        let context = |span: &Span| TraceContext::of(span.context().span().span_context());
        self.spans.iter().filter_map(context).collect()
    }

    /// The span that stands for the step.
    pub(crate) fn span(&self) -> Span {
        self.spans.first().cloned().unwrap_or_else(Span::none)
    }

    /// Notes a number about the step, such as `log.index`.
    pub(crate) fn note(&self, field: &'static str, number: u64) {
        for span in &self.spans {
            span.record(field, number);
        }
    }

    /// Says that the step failed.
    pub(crate) fn fail(&self) {
        self.spans.iter().for_each(fail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::{decode, encode};

    #[test]
    fn a_context_is_26_bytes_in_the_log() {
        let context = TraceContext([7; 24]);
        let encoded = encode(&context);
        assert_eq!(encoded.len(), 26);
        assert_eq!(decode::<TraceContext>(&encoded).unwrap(), context);
        assert!(decode::<TraceContext>(&encode(&serde_bytes::Bytes::new(&[7; 23]))).is_err());
    }

    #[test]
    fn without_exported_traces_there_is_nothing() {
        assert_eq!(TraceContext::current(), None);
        assert!(Step::begin("commit", []).spans.is_empty());
        assert!(call("peer propose", 1, []).is_none());
        // A leader that exports traces may send contexts to a follower that does not.
        let step = Step::begin("append", [TraceContext([7; 24])]);
        assert!(step.contexts().is_empty());
    }

    #[test]
    fn what_is_not_sampled_has_no_context() {
        let context = |flags| {
            let (trace, span) = (TraceId::from_bytes([1; 16]), SpanId::from_bytes([2; 8]));
            TraceContext::of(&SpanContext::new(
                trace,
                span,
                flags,
                true,
                TraceState::NONE,
            ))
        };
        assert!(context(TraceFlags::default()).is_none());
        let sampled = context(TraceFlags::SAMPLED).unwrap();
        assert_eq!(TraceContext::of(&sampled.span_context()), Some(sampled));
    }
}

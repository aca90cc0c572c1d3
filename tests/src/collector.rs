//! A collector of traces, by OTLP over HTTP, that keeps what it is sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Router, serve};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as SpanStatus;
use prost::Message;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A span as the collector was sent it; ids in hexadecimal.
#[derive(Debug, Clone)]
pub struct CollectedSpan {
    /// `service.instance.id` of who sent it.
    pub replica: String,
    /// Everything that was said of who sent it.
    pub resource: BTreeMap<String, String>,
    /// Its trace.
    pub trace_id: String,
    /// Its own id.
    pub span_id: String,
    /// The span it belongs to; empty for none.
    pub parent_span_id: String,
    /// The client's `tracestate`, where it has one.
    pub trace_state: String,
    /// What it is about.
    pub name: String,
    /// Server, client or internal.
    pub kind: SpanKind,
    /// True where it says that it failed.
    pub failed: bool,
    /// What else it says.
    pub attributes: BTreeMap<String, String>,
    /// Spans of other traces that it has to do with.
    pub links: Vec<(String, String)>,
    /// How many events it holds.
    pub events: usize,
    /// From when to when, in nanoseconds.
    pub time: (u64, u64),
}

/// The collector: stopped when it is dropped.
#[derive(Debug)]
pub struct Collector {
    endpoint: String,
    kept: Arc<Mutex<Kept>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Kept {
    spans: Vec<CollectedSpan>,
    bytes: Vec<u8>,
}

impl Collector {
    /// Starts it on a port of its own.
    pub async fn start() -> Self {
        let kept = Arc::<Mutex<Kept>>::default();
        let router = Router::new()
            .route("/v1/traces", post(take))
            .with_state(kept.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("its address");
        let task = tokio::spawn(async move {
            serve(listener, router).await.expect("the collector serves");
        });
        Self {
            endpoint: format!("http://{address}"),
            kept,
            task,
        }
    }

    /// Its address, for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What it was sent so far.
    pub fn spans(&self) -> Vec<CollectedSpan> {
        self.kept.lock().expect("the spans").spans.clone()
    }

    /// The spans of one trace.
    pub fn trace(&self, trace_id: &str) -> Vec<CollectedSpan> {
        let spans = self.spans().into_iter();
        spans.filter(|span| span.trace_id == trace_id).collect()
    }

    /// True if this is anywhere in what it was sent.
    pub fn has_seen(&self, text: &str) -> bool {
        let kept = self.kept.lock().expect("the spans");
        let mut windows = kept.bytes.windows(text.len());
        windows.any(|window| window == text.as_bytes())
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(State(kept): State<Arc<Mutex<Kept>>>, body: Bytes) -> (StatusCode, Vec<u8>) {
    let Ok(request) = ExportTraceServiceRequest::decode(body.clone()) else {
        return (StatusCode::BAD_REQUEST, Vec::new());
    };
    let mut kept = kept.lock().expect("the spans");
    kept.bytes.extend_from_slice(&body);
    for resource_spans in request.resource_spans {
        let resource = attributes(&resource_spans.resource.unwrap_or_default().attributes);
        let spans = resource_spans
            .scope_spans
            .into_iter()
            .flat_map(|scope| scope.spans);
        for span in spans {
            kept.spans.push(CollectedSpan {
                replica: resource
                    .get("service.instance.id")
                    .cloned()
                    .unwrap_or_default(),
                resource: resource.clone(),
                trace_id: hex(&span.trace_id),
                span_id: hex(&span.span_id),
                parent_span_id: hex(&span.parent_span_id),
                trace_state: span.trace_state.clone(),
                kind: span.kind(),
                failed: span
                    .status
                    .as_ref()
                    .is_some_and(|status| status.code() == SpanStatus::Error),
                attributes: attributes(&span.attributes),
                links: span
                    .links
                    .iter()
                    .map(|link| (hex(&link.trace_id), hex(&link.span_id)))
                    .collect(),
                events: span.events.len(),
                time: (span.start_time_unix_nano, span.end_time_unix_nano),
                name: span.name,
            });
        }
    }
    (StatusCode::OK, Vec::new())
}

fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|any| any.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes
        .iter()
        .map(|attribute| (attribute.key.clone(), text(&attribute.value)))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

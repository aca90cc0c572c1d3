//! Traces across HTTP and WebSocket: the context that clients and peers send, and the spans of what they asked for.
//!
//! All of it is off, and costs a look at a flag, unless traces are exported. docs/logging.md names the spans.

use std::collections::HashSet;

use async_graphql::parser::types::{OperationType, Selection};
use async_graphql::{Request, Response, Value};
use axum::http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use threefold_replication::peer::PeerMethod;
use threefold_replication::trace::TARGET;
use tracing::{Level, Span, field, info_span, span_enabled};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Headers of W3C trace context, and members of a request's `extensions`.
pub(crate) const CONTEXT_NAMES: [&str; 2] = ["traceparent", "tracestate"];
/// Longest value of either; what is longer is ignored.
const MAX_CONTEXT_BYTES: usize = 512;
/// Most fields of one operation that its span names.
const MAX_FIELDS: usize = 8;

/// The trace context in the headers of a request. It goes before what `extensions` say.
pub(crate) fn from_headers(headers: &HeaderMap) -> Vec<(&'static str, String)> {
    let value = |name: &'static str| {
        let value = headers.get(name)?.to_str().ok()?;
        Some((name, value.to_owned()))
    };
    CONTEXT_NAMES.into_iter().filter_map(value).collect()
}

/// Puts a trace context into a request, in place of its own.
pub(crate) fn put_into(request: &mut Request, context: Vec<(&'static str, String)>) {
    for (name, value) in context {
        request
            .extensions
            .insert(name.to_owned(), Value::from(value));
    }
}

/// What a request's `extensions` say of the trace.
struct Extensions<'a>(&'a Request);

impl Extractor for Extensions<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match self.0.extensions.get(key) {
            Some(Value::String(text)) if text.len() <= MAX_CONTEXT_BYTES => Some(text),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        CONTEXT_NAMES.to_vec()
    }
}

/// The context that is carried, if it is valid.
fn read(carrier: &dyn Extractor) -> Option<Context> {
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), carrier);
    let valid = context.span().span_context().is_valid();
    valid.then_some(context)
}

fn put_under(span: &Span, context: Context) {
    // Fails only where traces are not exported, and then there is no span.
    let _not_exported = span.set_parent(context);
}

/// The span of a client's query or mutation, whose document was parsed already. It names fields of the schema, `known`,
/// and nothing else that the document says. Subscriptions have none: they may last for days.
pub(crate) fn operation(request: &mut Request, known: &HashSet<String>) -> Span {
    if !span_enabled!(target: TARGET, Level::INFO) {
        return Span::none();
    }
    let Some((kind, fields)) = describe(request, known) else {
        return Span::none();
    };
    let name = match fields.first() {
        Some(first) => format!("graphql {kind} {first}"),
        None => format!("graphql {kind}"),
    };
    let span = info_span!(
        target: TARGET, parent: None, "operation",
        otel.name = name, otel.kind = "server", otel.status_code = field::Empty,
        graphql.operation.r#type = kind, graphql.fields = fields.join(","), error.r#type = field::Empty,
    );
    if let Some(context) = read(&Extensions(request)) {
        put_under(&span, context);
    }
    span
}

fn describe(request: &mut Request, known: &HashSet<String>) -> Option<(&'static str, Vec<String>)> {
    let chosen = request.operation_name.clone();
    let document = request.parsed_query().ok()?;
    let mut operations = document.operations.iter();
    let (_, operation) = match chosen {
        Some(chosen) => operations.find(|(name, _)| name.is_some_and(|name| *name == chosen))?,
        None => operations.next()?,
    };
    let kind = match operation.node.ty {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => return None,
    };
    let fields = operation.node.selection_set.node.items.iter();
    let fields = fields.filter_map(|item| match &item.node {
        Selection::Field(field) => Some(field.node.name.node.as_str()),
        _ => None,
    });
    // A field that is none could be anything.
    let fields = fields.filter(|name| known.contains(*name)).take(MAX_FIELDS);
    Some((kind, fields.map(str::to_owned).collect()))
}

/// Notes in an operation's span how it ended: the code of its first error.
pub(crate) fn answered(span: &Span, response: &Response) {
    if let Some(error) = response.errors.first() {
        let code = error.extensions.as_ref().and_then(|all| all.get("code"));
        if let Some(Value::String(code)) = code {
            span.record("error.type", code.as_str());
        }
        span.record("otel.status_code", "ERROR");
    }
}

/// The trace that a call belongs to, if its headers name one.
pub(crate) fn context_of(headers: &HeaderMap) -> Option<Context> {
    headers.get(CONTEXT_NAMES[0])?;
    read(&HeaderExtractor(headers))
}

/// The span of a peer's call, where the peer sent the context of a sampled trace.
pub(crate) fn peer_call(context: Option<Context>, method: Option<PeerMethod>) -> Span {
    let Some(context) = context else {
        return Span::none();
    };
    let name = match method {
        Some(PeerMethod::Propose) => "peer propose",
        Some(PeerMethod::AppendEntries) => "peer appendEntries",
        _ => "peer call",
    };
    let span =
        info_span!(target: TARGET, parent: None, "served", otel.name = name, otel.kind = "server");
    put_under(&span, context);
    span
}

/// Puts the current trace into the headers of a call to a peer, if it is sampled.
pub(crate) fn into_headers(headers: &mut HeaderMap) {
    Context::map_current(|current| {
        if current.span().span_context().is_sampled() {
            let mut carrier = HeaderInjector(headers);
            TraceContextPropagator::new().inject_context(current, &mut carrier);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(document: &str, chosen: Option<&str>) -> Option<(&'static str, Vec<String>)> {
        let mut request = Request::new(document);
        request.operation_name = chosen.map(str::to_owned);
        let known = ["addExpense", "expenses"].map(str::to_owned);
        describe(&mut request, &HashSet::from(known))
    }

    #[test]
    fn a_span_names_fields_of_the_schema_and_nothing_else_of_a_document() {
        let document =
            "mutation Rent { money: addExpense(input: \"secret\") { id } secret { id } }";
        let expected = Some(("mutation", vec!["addExpense".to_owned()]));
        assert_eq!(described(document, None), expected);
        let two = "query A { expenses { id } } subscription B { changes { id } }";
        let expected = Some(("query", vec!["expenses".to_owned()]));
        assert_eq!(described(two, Some("A")), expected);
        assert_eq!(described(two, Some("B")), None);
        assert_eq!(described(two, Some("C")), None);
    }

    #[test]
    fn a_context_that_is_none_is_ignored() {
        let valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let parent = |value: Value| {
            let mut request = Request::new("{ expenses { id } }");
            request.extensions.insert("traceparent".to_owned(), value);
            read(&Extensions(&request)).is_some()
        };
        assert!(parent(Value::from(valid)));
        assert!(!parent(Value::from(7)));
        assert!(!parent(Value::from("00-0-0-01")));
        assert!(!parent(Value::from(format!(
            "{valid}{}",
            "0".repeat(MAX_CONTEXT_BYTES)
        ))));
    }
}

//! The private listener: the peer schema over HTTP, and its subscription as GraphQL over server-sent events.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Name, Request, Response as Answer, Value, Variables};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::{StreamExt, stream};
use prometheus_client::registry::Registry;
use serde::Deserialize;
use threefold_replication::Replica;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use super::schema::{BirthMark, Format, PeerSchema, build};
use super::{BIRTH_MARK, DOCUMENTS, FORMAT, MAX_CALL_BYTES, REPORTS_DOCUMENT, method_of};
use crate::graphql::error::{ErrorCode, request_error};
use crate::http::{health, metrics};
use crate::secret::Secret;
use crate::trace;

/// A comment is sent over an idle stream this often, so that a dead connection shows.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Peers {
    schema: PeerSchema,
    secret: Secret,
    /// The documents that peers send, parsed once.
    documents: Arc<HashMap<&'static str, ExecutableDocument>>,
}

/// The private listener's routes: the peer schema for those who have the secret, health and metrics for everybody who
/// reaches it.
pub fn router(
    replica: Replica,
    secret: Secret,
    stopping: CancellationToken,
    registry: Registry,
) -> Router {
    let known = DOCUMENTS
        .iter()
        .map(|(_, document)| *document)
        .chain([REPORTS_DOCUMENT]);
    let documents = known
        .filter_map(|document| Some((document, parse_query(document).ok()?)))
        .collect();
    let peers = Peers {
        schema: build(replica.clone()),
        secret,
        documents: Arc::new(documents),
    };
    Router::new()
        .route("/graphql", post(graphql))
        .layer(DefaultBodyLimit::max(MAX_CALL_BYTES))
        .with_state(peers)
        .merge(health::router(replica, stopping))
        .merge(metrics::router(registry))
}

/// A call as peers write it. Variables are read straight into the schema's values.
#[derive(Deserialize)]
struct Call {
    query: String,
    #[serde(default)]
    variables: HashMap<Name, Value>,
}

async fn graphql(State(peers): State<Peers>, request: axum::extract::Request) -> Response {
    if !peers.secret.is_in(request.headers()) {
        let message = "the cluster secret is missing or another one: check --cluster-secret-file";
        return refusal(
            StatusCode::UNAUTHORIZED,
            ErrorCode::Unauthenticated,
            message,
        );
    }
    let streams = wants_stream(request.headers());
    let context = trace::context_of(request.headers());
    let format = format_of(request.headers());
    let birth_mark = birth_mark_of(request.headers());
    let body = match Bytes::from_request(request, &()).await {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("the call has more than {MAX_CALL_BYTES} bytes");
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::TooLarge, message);
        }
        Err(rejection) => {
            return refusal(
                StatusCode::BAD_REQUEST,
                ErrorCode::BadUserInput,
                rejection.body_text(),
            );
        }
    };
    let call: Call = match serde_json::from_slice(&body) {
        Ok(call) => call,
        Err(error) => {
            return refusal(
                StatusCode::BAD_REQUEST,
                ErrorCode::BadUserInput,
                error.to_string(),
            );
        }
    };
    drop(body);
    let span = trace::peer_call(context, method_of(&call.query));
    let request = peers.request(call);
    let request = request.data(Format(format)).data(BirthMark(birth_mark));
    if streams {
        follow(&peers.schema, request)
    } else {
        let answer = peers.schema.execute(request).instrument(span).await;
        write(StatusCode::OK, &answer)
    }
}

impl Peers {
    fn request(&self, call: Call) -> Request {
        let document = self.documents.get(call.query.as_str()).cloned();
        let mut variables = Variables::default();
        variables.extend(call.variables);
        let mut request = Request::new(call.query).variables(variables);
        if let Some(document) = document {
            request.set_parsed_query(document);
        }
        request
    }
}

/// GraphQL over server-sent events, one connection an operation.
fn follow(schema: &PeerSchema, request: Request) -> Response {
    let event = |name: &'static str, data: String| {
        Ok::<_, Infallible>(Event::default().event(name).data(data))
    };
    let answers = schema
        .execute_stream(request)
        .filter_map(move |answer| async move {
            match serde_json::to_string(&answer) {
                Ok(text) => Some(event("next", text)),
                Err(error) => {
                    tracing::error!(%error, "a report could not be written");
                    None
                }
            }
        });
    let complete = stream::once(async move { event("complete", String::new()) });
    Sse::new(answers.chain(complete))
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response()
}

/// The format that a call says it is of; 1 where it says none. One that is no number is newer than all that are known.
fn format_of(headers: &HeaderMap) -> u32 {
    let Some(value) = headers.get(FORMAT) else {
        return 1;
    };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number.unwrap_or(u32::MAX)
}

/// The birth mark that a call is meant for. One that cannot be read is nobody's.
fn birth_mark_of(headers: &HeaderMap) -> Option<Uuid> {
    let value = headers.get(BIRTH_MARK)?;
    let mark = value.to_str().ok().and_then(|text| text.parse().ok());
    Some(mark.unwrap_or_default())
}

fn wants_stream(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .is_some_and(|value| value.as_bytes() == b"text/event-stream")
}

fn refusal(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Response {
    write(
        status,
        &Answer::from_errors(vec![request_error(code, message)]),
    )
}

fn write(status: StatusCode, answer: &Answer) -> Response {
    match serde_json::to_vec(answer) {
        Ok(bytes) => (status, [(CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

//! Answers, as bytes and with their status.

use async_graphql::{Response as Answer, ServerError, Value};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::negotiate::MediaType;
use crate::graphql::error::{ErrorCode, request_error};

/// An answer as GraphQL over HTTP wants it: `data` only where the request was executed.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "<[ServerError]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
}

/// True where the request was not executed at all: errors of execution have a path.
pub(crate) fn is_request_error(answer: &Answer) -> bool {
    answer.is_err()
        && answer.data == Value::Null
        && answer.errors.iter().all(|error| error.path.is_empty())
}

/// The answer of an executed request, or of one that the schema refused.
pub(super) fn answer(media: MediaType, answer: Answer) -> Response {
    let refused = is_request_error(&answer);
    let status = if refused && media == MediaType::GraphQlResponse {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    let data = (!refused).then_some(&answer.data);
    write(
        media,
        status,
        &Body {
            errors: &answer.errors,
            data,
        },
    )
}

/// The answer of a request that never reached the schema.
pub(super) fn refusal(
    media: MediaType,
    status: StatusCode,
    code: ErrorCode,
    message: impl Into<String>,
) -> Response {
    write(
        media,
        status,
        &Body {
            errors: &[request_error(code, message)],
            data: None,
        },
    )
}

fn write(media: MediaType, status: StatusCode, body: &Body<'_>) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static(media.as_str())),
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (status, headers, bytes).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

//! `POST /backup`: everything that this replica has, as one file, for whoever has the access token.
//!
//! By POST, since it is no page: nothing prefetches, caches or repeats it, and a browser says whose page asks.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use threefold_replication::backup::{Backup, BackupError};

use super::body::refusal;
use super::negotiate::MediaType;
use super::{Public, text, unauthenticated};
use crate::graphql::RequestSettings;
use crate::graphql::error::{ApiError, ErrorCode};

/// The revision that the file holds.
pub(crate) const REVISION: HeaderName = HeaderName::from_static("threefold-revision");
/// How many expenses it holds; deleted ones do not count.
pub(crate) const EXPENSES: HeaderName = HeaderName::from_static("threefold-expenses");

/// Streams a backup. Its end is told by the seal in it: a connection that breaks leaves a file that is refused.
pub(super) async fn backup(State(public): State<Public>, headers: HeaderMap) -> Response {
    let refuse = |status, code, message: String| refusal(MediaType::Json, status, code, message);
    if public.is_foreign(&headers) {
        let message = "pages of this origin may not take backups".to_owned();
        return refuse(StatusCode::FORBIDDEN, ErrorCode::Forbidden, message);
    }
    if public
        .access
        .actor(text(&headers, "authorization"))
        .is_none()
    {
        return unauthenticated(MediaType::Json);
    }
    let settings = match RequestSettings::parse(|name| text(&headers, name)) {
        Ok(settings) => settings,
        Err(message) => return refuse(StatusCode::BAD_REQUEST, ErrorCode::BadUserInput, message),
    };
    let stopping = public.drain.stopping.clone().cancelled_owned();
    match public.replica.backup(settings.consistency, stopping).await {
        Ok(backup) => stream(backup),
        Err(error @ BackupError::Busy) => refuse(
            StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::RateLimited,
            error.to_string(),
        ),
        Err(BackupError::Service(error)) => {
            let error = ApiError::Service(error);
            let status = StatusCode::SERVICE_UNAVAILABLE;
            refuse(status, error.code(), error.client_message())
        }
    }
}

fn stream(backup: Backup) -> Response {
    let content = &backup.content;
    let name = format!("threefold-{}.backup", content.revision);
    let named = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/zstd")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            CONTENT_DISPOSITION,
            named.unwrap_or(HeaderValue::from_static("attachment")),
        ),
        (REVISION, content.revision.get().into()),
        (EXPENSES, content.expense_count.into()),
    ];
    // An error ends the connection without the end that HTTP promises.
    let pieces = backup
        .pieces
        .map(|piece| piece.map_err(std::io::Error::other));
    (headers, Body::from_stream(pieces)).into_response()
}

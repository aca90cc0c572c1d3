//! Failpoints on the private listener, for whoever has the cluster secret: `PUT /failpoints/NAME` with an action as the body
//! sets one, `GET /failpoints` says how all are set and how often each has acted. In builds with the feature only.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::json;
use threefold_replication::failpoint;

use crate::secret::Secret;

/// The routes.
pub fn router(secret: Secret) -> Router {
    Router::new()
        .route("/failpoints", get(list))
        .route("/failpoints/{name}", put(set))
        .with_state(secret)
}

async fn list(State(secret): State<Secret>, headers: HeaderMap) -> Response {
    if !secret.is_in(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let states = failpoint::states().into_iter().map(|state| {
        json!({
            "name": state.point.name,
            "kind": format!("{:?}", state.point.kind).to_lowercase(),
            "meaning": state.point.meaning,
            "action": state.action,
            "acted": state.acted,
        })
    });
    Json(states.collect::<Vec<_>>()).into_response()
}

async fn set(
    State(secret): State<Secret>,
    Path(name): Path<String>,
    headers: HeaderMap,
    action: String,
) -> Response {
    if !secret.is_in(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match failpoint::set(&name, action.trim()) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    }
}

//! Two questions of supervisors and load balancers, answered by both listeners, to everybody, in one line.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use threefold_replication::Replica;
use tokio_util::sync::CancellationToken;

#[derive(Clone)]
struct Health {
    replica: Replica,
    /// Told when the server stops.
    stopping: CancellationToken,
}

/// `/healthz`: the process lives. `/readyz`: it has a leader, has caught up and serves; otherwise 503 and why not.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(
    replica: Replica,
    stopping: CancellationToken,
) -> Router<S> {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(Health { replica, stopping })
}

async fn healthz() -> &'static str {
    "alive\n"
}

async fn readyz(State(health): State<Health>) -> Response {
    let ready = if health.stopping.is_cancelled() {
        Err("this replica is stopping; use another replica".to_owned())
    } else {
        health.replica.ready()
    };
    match ready {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

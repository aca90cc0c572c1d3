//! `/metrics`: everything measured, as OpenMetrics for those who ask for it, and in Prometheus' own text format.

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The page, for a listener that only operators and replicas reach.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(registry: Registry) -> Router<S> {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(Arc::new(registry))
}

async fn metrics(State(registry): State<Arc<Registry>>, headers: HeaderMap) -> Response {
    let open = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("application/openmetrics-text"));
    // It looks at files: not on a thread that others wait for.
    let page = tokio::task::spawn_blocking(move || {
        let mut page = String::new();
        text::encode(&mut page, &registry).map(|()| page)
    });
    match page.await {
        Ok(Ok(page)) if open => ([(CONTENT_TYPE, OPEN_METRICS)], page).into_response(),
        Ok(Ok(page)) => ([(CONTENT_TYPE, PROMETHEUS)], to_prometheus(&page)).into_response(),
        Ok(Err(_)) | Err(_) => {
            tracing::error!("the metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The same page in the older format. There a counter or an info is called by the name that its samples have, an info is
/// a gauge, and neither units nor an end are written.
fn to_prometheus(page: &str) -> String {
    let mut converted = String::with_capacity(page.len());
    // The help comes before the type, which decides about the name.
    let mut help = "";
    for line in page.lines() {
        if line.starts_with("# HELP ") {
            help = line.trim_start_matches("# HELP ");
        } else if let Some(described) = line.strip_prefix("# TYPE ") {
            let (name, kind) = described.split_once(' ').unwrap_or((described, "untyped"));
            let text = help.split_once(' ').map_or("", |(_, text)| text);
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                kind => ("", kind),
            };
            let lines = write!(
                converted,
                "# HELP {name}{suffix} {text}\n# TYPE {name}{suffix} {kind}\n"
            );
            debug_assert!(lines.is_ok(), "writing to memory does not fail");
        } else if !line.starts_with('#') {
            converted.push_str(line);
            converted.push('\n');
        }
    }
    converted
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::metrics::info::Info;
    use prometheus_client::registry::Unit;

    use super::*;

    #[test]
    fn the_older_format_names_families_as_their_samples() {
        let mut registry = Registry::default();
        registry.register("things", "Things seen", Counter::<u64>::default());
        registry.register_with_unit("log", "Its size", Unit::Bytes, Gauge::<i64>::default());
        registry.register("build", "What runs", Info::new([("version", "1")]));
        let mut page = String::new();
        text::encode(&mut page, &registry).unwrap();
        let expected = "\
# HELP things_total Things seen.
# TYPE things_total counter
things_total 0
# HELP log_bytes Its size.
# TYPE log_bytes gauge
log_bytes 0
# HELP build_info What runs.
# TYPE build_info gauge
build_info{version=\"1\"} 1
";
        assert_eq!(to_prometheus(&page), expected);
    }
}

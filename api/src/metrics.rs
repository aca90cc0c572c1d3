//! What the API measures: requests by what they ask and what they came to, and who is connected.
//!
//! Clients choose the names of their operations, so a name never becomes a label. What a request asks is told by the root
//! field of the schema that it selects.

mod disk;
mod process;
mod roots;

use std::sync::Arc;
use std::time::Instant;

use async_graphql::{Request, Response};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use threefold_replication::Replica;
use threefold_replication::metrics::SECONDS;

use self::disk::DiskCollector;
use self::process::ProcessCollector;
use self::roots::{NONE, Roots};
use crate::graphql::error::outcome_of;

/// What a request asks for, in words of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// `query`, `mutation`, `subscription`; `none` where the document could not be read.
    pub(crate) kind: &'static str,
    /// The root field; `several`, `introspection`, `unknown` or `none` otherwise.
    pub(crate) field: &'static str,
}

type Labels = [(&'static str, &'static str); 2];
type Outcomes = [(&'static str, &'static str); 3];

/// See the module. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub struct ApiMetrics {
    roots: Arc<Roots>,
    requests: Family<Outcomes, Counter>,
    durations: Family<Labels, Histogram, fn() -> Histogram>,
    subscriptions: Family<[(&'static str, &'static str); 1], Gauge>,
    http: Family<[(&'static str, u16); 1], Counter>,
    sockets: Gauge,
}

impl ApiMetrics {
    /// Nothing measured yet, for requests of the schema with this definition.
    pub fn new(sdl: &str) -> Self {
        let metrics = Self {
            roots: Arc::new(Roots::of(sdl)),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            subscriptions: Family::default(),
            http: Family::default(),
            sockets: Gauge::default(),
        };
        for asked in metrics.roots.all() {
            drop(metrics.requests.get_or_create(&asked.came_to("ok")));
            match asked.kind {
                "subscription" => drop(metrics.subscriptions.get_or_create(&[asked.labels()[1]])),
                _ => drop(metrics.durations.get_or_create(&asked.labels())),
            }
        }
        metrics
    }

    /// A query or mutation begins, or a subscription. A document that was not `admitted` is not looked at.
    pub(crate) fn begin(&self, request: &mut Request, admitted: bool) -> Measured {
        let asked = if admitted {
            self.roots.asked(request)
        } else {
            NONE
        };
        let running = (asked.kind == "subscription").then(|| {
            let running = self.subscriptions.get_or_create_owned(&[asked.labels()[1]]);
            running.inc();
            running
        });
        Measured {
            metrics: self.clone(),
            asked,
            begun: Instant::now(),
            running,
            outcome: None,
        }
    }

    /// A socket is open, until this is dropped.
    pub(crate) fn socket(&self) -> OpenSocket {
        self.sockets.inc();
        OpenSocket(self.sockets.clone())
    }

    /// The public listener has answered with this status.
    pub(crate) fn answered(&self, status: u16) {
        self.http.get_or_create(&[("code", status)]).inc();
    }

    /// Everything that this process measures: of the API, of the replica and of itself.
    pub fn registry(&self, replica: &Replica) -> Registry {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(ProcessCollector::default()));
        let own = registry.sub_registry_with_prefix("threefold");
        own.register(
            "build",
            "This program and this replica's number in the cluster",
            Info::new([
                ("version", env!("CARGO_PKG_VERSION").to_owned()),
                ("replica_id", replica.id().to_string()),
            ]),
        );
        own.register(
            "graphql_requests",
            "GraphQL requests by kind, root field and what they came to: ok, user_errors, an error code, or abandoned by the client; a subscription when it ends",
            self.requests.clone(),
        );
        own.register_with_unit(
            "graphql_request",
            "From a query or mutation until its answer is there",
            Unit::Seconds,
            self.durations.clone(),
        );
        own.register(
            "graphql_subscriptions",
            "Subscriptions that run now, by root field",
            self.subscriptions.clone(),
        );
        own.register(
            "websocket_connections",
            "Open sockets of clients",
            self.sockets.clone(),
        );
        own.register(
            "http_responses",
            "Answers of the public listener by status: pages and refusals among them",
            self.http.clone(),
        );
        let folder = replica.data_folder().to_owned();
        own.register_collector(Box::new(DiskCollector { folder }));
        replica.register_metrics(own);
        registry
    }
}

impl Asked {
    fn labels(self) -> Labels {
        [("kind", self.kind), ("field", self.field)]
    }

    fn came_to(self, outcome: &'static str) -> Outcomes {
        let [kind, field] = self.labels();
        [kind, field, ("outcome", outcome)]
    }
}

/// One open socket.
pub(crate) struct OpenSocket(Gauge);

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A request under way. It is counted when this is dropped.
pub(crate) struct Measured {
    metrics: ApiMetrics,
    asked: Asked,
    begun: Instant,
    running: Option<Gauge>,
    outcome: Option<&'static str>,
}

impl Measured {
    /// It has an answer, or a subscription one more.
    pub(crate) fn answered(&mut self, answer: &Response) {
        self.outcome = Some(outcome_of(answer));
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let outcome = match (&self.running, self.outcome) {
            (_, Some(outcome)) => outcome,
            // One that nothing happened to, while it ran.
            (Some(_), None) => "ok",
            (None, None) => "abandoned",
        };
        let requests = &self.metrics.requests;
        requests.get_or_create(&self.asked.came_to(outcome)).inc();
        match &self.running {
            Some(running) => {
                running.dec();
            }
            None if self.outcome.is_some() => {
                let durations = &self.metrics.durations;
                let seconds = self.begun.elapsed().as_secs_f64();
                durations
                    .get_or_create(&self.asked.labels())
                    .observe(seconds);
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(metrics: &ApiMetrics) -> usize {
        let mut registry = Registry::default();
        registry.register("requests", "", metrics.requests.clone());
        registry.register("seconds", "", metrics.durations.clone());
        let mut page = String::new();
        prometheus_client::encoding::text::encode(&mut page, &registry).unwrap();
        page.lines().count()
    }

    #[test]
    fn what_clients_call_their_operations_is_no_label() {
        let metrics = ApiMetrics::new(&crate::graphql::sdl());
        let before = series(&metrics);
        for number in 0..1_000 {
            let query = format!("query Name{number} {{ alias{number}: replicas {{ id }} }}");
            let mut request = Request::new(query);
            metrics
                .begin(&mut request, true)
                .answered(&Response::default());
        }
        assert_eq!(series(&metrics), before);
        let asked = Asked {
            kind: "query",
            field: "replicas",
        };
        let count = metrics.requests.get_or_create(&asked.came_to("ok")).get();
        assert_eq!(count, 1_000);
    }

    #[test]
    fn a_request_that_nobody_waits_for_is_abandoned_and_a_subscription_ends() {
        let metrics = ApiMetrics::new(&crate::graphql::sdl());
        drop(metrics.begin(&mut Request::new("{ replicas { id } }"), true));
        let running = || {
            let label = [("field", "replicas")];
            metrics.subscriptions.get_or_create(&label).get()
        };
        let subscription =
            metrics.begin(&mut Request::new("subscription { replicas { id } }"), true);
        assert_eq!(running(), 1);
        drop(subscription);
        assert_eq!(running(), 0);
        let count = |kind, outcome| {
            let field = "replicas";
            let asked = Asked { kind, field };
            metrics
                .requests
                .get_or_create(&asked.came_to(outcome))
                .get()
        };
        assert_eq!(count("query", "abandoned"), 1);
        assert_eq!(count("subscription", "ok"), 1);
    }
}

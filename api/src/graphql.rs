//! The public GraphQL schema, put together.
//!
//! [`Api`] is what transports program against: it takes a request and its context, and answers with every error
//! coded. Resolvers parse and delegate: reads go to [`crate::read`], mutations become commands of the replica.

mod context;
mod documents;
pub mod error;
mod guard;
mod input;
mod limits;
mod loader;
mod mutation;
mod object;
mod query;
pub mod scalar;
mod subscription;

use std::collections::HashSet;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, SDLExportOptions, Schema, SchemaBuilder};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use threefold_replication::Replica;
use tracing::{Instrument, Span};

pub use self::context::{Actor, RequestContext, RequestSettings};
use self::documents::Documents;
use self::loader::Loaders;
pub use self::mutation::Mutation;
pub use self::query::Query;
pub use self::subscription::Subscription;
use crate::metrics::ApiMetrics;
use crate::trace;

/// The public schema over one replica. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    schema: Schema<Query, Mutation, Subscription>,
    documents: Documents,
    metrics: ApiMetrics,
    /// Every name in the schema; only these may be told of a document.
    names: Arc<HashSet<String>>,
}

impl Api {
    /// The schema that reads from and writes to this replica.
    pub fn new(replica: Replica, metrics: ApiMetrics) -> Self {
        let loaders = Loaders::new(replica.database());
        let schema = builder().data(loaders).data(replica).finish();
        let names = Arc::new(schema.names().into_iter().collect());
        Self {
            schema,
            documents: Documents::new(),
            metrics,
            names,
        }
    }

    /// Executes a query or mutation.
    pub async fn execute(&self, mut request: Request, context: RequestContext) -> Response {
        let admitted = self.documents.admit(&mut request);
        let mut measured = self.metrics.begin(&mut request, admitted.is_ok());
        let answer = match admitted {
            Ok(()) => {
                let span = trace::operation(&mut request, &self.names);
                self.run(request.data(context), span).await
            }
            Err(error) => complete(Response::from_errors(vec![error])),
        };
        measured.answered(&answer);
        answer
    }

    /// Executes an admitted query or mutation in its span.
    async fn run(&self, request: Request, span: Span) -> Response {
        let response = self.schema.execute(request).instrument(span.clone()).await;
        let response = complete(response);
        trace::answered(&span, &response);
        response
    }

    /// Executes any operation as a stream of responses.
    pub fn execute_stream(&self, mut request: Request, context: RequestContext) -> Execution {
        let admitted = self.documents.admit(&mut request);
        let mut measured = self.metrics.begin(&mut request, admitted.is_ok());
        if let Err(error) = admitted {
            let refused = complete(Response::from_errors(vec![error]));
            measured.answered(&refused);
            return Execution {
                lasting: false,
                responses: stream::iter([refused]).boxed(),
            };
        }
        let lasting = is_subscription(&mut request);
        let span = trace::operation(&mut request, &self.names);
        let responses = if span.is_none() {
            let responses = self.schema.execute_stream(request.data(context));
            responses.map(complete).boxed()
        } else {
            let api = self.clone();
            stream::once(async move { api.run(request.data(context), span).await }).boxed()
        };
        let responses = responses.inspect(move |answer| measured.answered(answer));
        Execution {
            lasting,
            responses: responses.boxed(),
        }
    }
}

/// An operation under way.
pub struct Execution {
    /// True for a subscription, which goes on until somebody ends it. Others answer once.
    pub lasting: bool,
    /// What it answers.
    pub responses: BoxStream<'static, Response>,
}

fn is_subscription(request: &mut Request) -> bool {
    let name = request.operation_name.clone();
    let Ok(document) = request.parsed_query() else {
        return false;
    };
    let mut operations = document.operations.iter();
    let chosen = match name {
        Some(name) => operations.find(|(other, _)| other.is_some_and(|other| **other == name)),
        None => operations.next(),
    };
    chosen.is_some_and(|(_, operation)| operation.node.ty == OperationType::Subscription)
}

/// The public schema's definition, as committed in `api/schema.graphql`.
pub fn sdl() -> String {
    export(&builder().finish())
}

/// A schema's definition as text.
pub(crate) fn export<Q, M, S>(schema: &Schema<Q, M, S>) -> String
where
    Q: async_graphql::ObjectType + 'static,
    M: async_graphql::ObjectType + 'static,
    S: async_graphql::SubscriptionType + 'static,
{
    let options = SDLExportOptions::new()
        .include_specified_by()
        .prefer_single_line_descriptions()
        .use_space_ident();
    let sdl = schema.sdl_with_options(options);
    let lines: Vec<&str> = sdl.trim().lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(
        Query::default(),
        Mutation::default(),
        Subscription::default(),
    )
    .limit_depth(limits::MAX_DEPTH)
    .limit_complexity(limits::MAX_COMPLEXITY)
    .limit_recursive_depth(limits::MAX_NESTING)
    .limit_directives(limits::MAX_DIRECTIVES)
}

fn complete(mut response: Response) -> Response {
    error::complete(&mut response.errors);
    response
}

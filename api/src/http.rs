//! The public listener: GraphQL over HTTP, the door to the WebSocket, the questions of a load balancer, and the pages.

mod asset;
pub(crate) mod backup;
pub(crate) mod body;
mod cors;
mod graphiql;
pub(crate) mod health;
pub(crate) mod metrics;
mod negotiate;
pub(crate) mod origin;
mod page;
pub(crate) mod request;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::header::{ALLOW, HeaderValue, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::post;
use threefold_replication::Replica;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

use self::body::{answer, refusal};
use self::negotiate::MediaType;
use self::origin::Pages;
pub use self::origin::{Origin, OriginError};
use crate::graphql::error::ErrorCode;
use crate::graphql::{Actor, Api, RequestContext, RequestSettings};
use crate::metrics::ApiMetrics;
use crate::secret::Secret;
use crate::{trace, ws};

/// Most bytes of a request.
pub const MAX_REQUEST_BYTES: usize = 4 << 20;

/// Who may use the API.
#[derive(Clone, Debug)]
pub enum Access {
    /// Everybody who reaches the listener.
    Open,
    /// Whoever brings the token.
    Token(Secret),
}

impl Access {
    /// Who asks, if an `Authorization` header or a socket's payload lets them in.
    pub fn actor(&self, authorization: Option<&str>) -> Option<Actor> {
        match self {
            Self::Open => Some(Actor("anyone".into())),
            Self::Token(token) => authorization
                .filter(|value| token.is_bearer(value))
                .map(|_| Actor("token".into())),
        }
    }
}

/// How a listener stops in order: requests under way are answered, sockets are closed.
#[derive(Clone, Debug, Default)]
pub struct Drain {
    /// Tells that no more is taken.
    pub stopping: CancellationToken,
    /// The sockets that are open.
    pub sockets: TaskTracker,
}

/// What every handler of the public listener has.
#[derive(Clone)]
pub(crate) struct Public {
    pub(crate) api: Api,
    pub(crate) replica: Replica,
    pub(crate) access: Arc<Access>,
    pub(crate) drain: Drain,
    pages: Pages,
    pub(crate) metrics: ApiMetrics,
}

impl Public {
    /// True for a page that has no business here. Where a token is asked for it may try: it has none.
    pub(crate) fn is_foreign(&self, headers: &HeaderMap) -> bool {
        matches!(*self.access, Access::Open) && !self.pages.admit(headers)
    }
}

/// The public listener's routes. Pages of the replicas themselves are let in, and those of the allowed origins.
pub fn router(
    replica: Replica,
    access: Access,
    allowed_origins: Vec<Origin>,
    drain: Drain,
    metrics: ApiMetrics,
) -> Router {
    let known = replica.clone();
    let pages = Pages::new(move || known.public_urls(), allowed_origins);
    let cors = cors::layer(pages.clone());
    let files = page::router(pages.clone())
        .merge(graphiql::router())
        .layer(compression());
    let public = Public {
        api: Api::new(replica.clone(), metrics.clone()),
        replica: replica.clone(),
        access: Arc::new(access),
        drain: drain.clone(),
        pages,
        metrics: metrics.clone(),
    };
    Router::new()
        .route(
            "/graphql",
            post(graphql).get(ws::upgrade).fallback(method_not_allowed),
        )
        .route("/backup", post(backup::backup))
        .merge(health::router(replica, drain.stopping))
        .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
        // Outermost, so that a page can read refusals, too.
        .layer(cors)
        .with_state(public)
        .merge(files)
        .layer(map_response(move |response: Response| {
            metrics.answered(response.status().as_u16());
            std::future::ready(response)
        }))
}

/// Compresses the files of the pages. Answers of the API are never compressed: beside a token or an expense, a text
/// that somebody else chose could be told from the length.
fn compression() -> CompressionLayer<impl Predicate> {
    let compressed_already = NotForContentType::const_new("font/");
    CompressionLayer::new().compress_when(DefaultPredicate::new().and(compressed_already))
}

async fn graphql(State(public): State<Public>, request: Request) -> Response {
    let headers = request.headers();
    let Some(media) = negotiate::accepted(headers) else {
        let message = "this API answers with application/graphql-response+json or application/json";
        return refusal(
            MediaType::Json,
            StatusCode::NOT_ACCEPTABLE,
            ErrorCode::BadUserInput,
            message,
        );
    };
    if public.is_foreign(headers) {
        let message = "pages of this origin may not use this API; to let them in, start every replica with --allow-origin and their origin";
        return refusal(media, StatusCode::FORBIDDEN, ErrorCode::Forbidden, message);
    }
    let Some(actor) = public.access.actor(text(headers, "authorization")) else {
        return unauthenticated(media);
    };
    if !negotiate::is_json(headers) {
        let message = "send the request as JSON, with Content-Type: application/json";
        return refusal(
            media,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ErrorCode::BadUserInput,
            message,
        );
    }
    let settings = match RequestSettings::parse(|name| text(headers, name)) {
        Ok(settings) => settings,
        Err(message) => {
            return refusal(
                media,
                StatusCode::BAD_REQUEST,
                ErrorCode::BadUserInput,
                message,
            );
        }
    };
    let context = trace::from_headers(headers);
    // Only now, so that nobody without a token makes us read.
    let body = match Bytes::from_request(request, &()).await {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!(
                "the request has more than {MAX_REQUEST_BYTES} bytes; send it in smaller parts"
            );
            return refusal(
                media,
                StatusCode::PAYLOAD_TOO_LARGE,
                ErrorCode::TooLarge,
                message,
            );
        }
        Err(rejection) => {
            return refusal(
                media,
                StatusCode::BAD_REQUEST,
                ErrorCode::BadUserInput,
                rejection.body_text(),
            );
        }
    };
    let mut request = match request::parse(&body) {
        Ok(request) => request,
        Err(message) => {
            return refusal(
                media,
                StatusCode::BAD_REQUEST,
                ErrorCode::BadUserInput,
                message,
            );
        }
    };
    trace::put_into(&mut request, context);
    answer(
        media,
        public
            .api
            .execute(request, RequestContext::new(settings, actor))
            .await,
    )
}

fn unauthenticated(media: MediaType) -> Response {
    let message = "this API asks for an access token: send it as Authorization: Bearer ...";
    let mut response = refusal(
        media,
        StatusCode::UNAUTHORIZED,
        ErrorCode::Unauthenticated,
        message,
    );
    response
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

pub(crate) async fn method_not_allowed() -> Response {
    let message = "send queries and mutations by POST; GET opens a WebSocket";
    let mut response = refusal(
        MediaType::Json,
        StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::BadUserInput,
        message,
    );
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("POST, GET"));
    response
}

/// A header as text; one that is no visible ASCII reads as empty, so that it is refused and not ignored.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get(name)
        .map(|value| value.to_str().unwrap_or_default())
}

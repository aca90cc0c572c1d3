//! GraphQL over HTTP, as the subcommands that talk to a running replica need it.
//!
//! [`Client::request`] is the one way to ask; [`ClientError::retryable`] says whether asking again, here or on
//! another replica, can help. What a client asked for and may not have is no error here: it comes as
//! `userErrors` in the data.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{StatusCode, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Answers of more bytes than this are refused rather than held in memory.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// Longest wait for a connection; much less than for an answer, so that a machine that is gone costs little.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time that a backup may take; the replica has a bound of its own, which is shorter.
const LONGEST_BACKUP: Duration = Duration::from_secs(2 * 3_600);
const READ_CONSISTENCY: HeaderName = HeaderName::from_static("read-consistency");

/// Where a replica answers: its base address, without `/graphql`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    base: String,
}

impl Endpoint {
    fn graphql(&self) -> String {
        format!("{}/graphql", self.base)
    }
}

/// Why a text is not the address of a replica.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("{0}")]
    Url(String),
    #[error("the address must begin with http:// or https://")]
    Scheme,
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    /// Reads `http://host:port`; a `/graphql` at its end is welcome and makes no difference.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let text = text.trim().trim_end_matches('/');
        let base = text.strip_suffix("/graphql").unwrap_or(text).to_owned();
        let endpoint = Self { base };
        let url = Url::parse(&endpoint.graphql())
            .map_err(|error| EndpointError::Url(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EndpointError::Scheme);
        }
        Ok(endpoint)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

/// Why a request brought no data.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection, or it broke before the whole answer was here: the request may have taken effect.
    #[error("{endpoint} cannot be reached: {cause}")]
    Unreachable { endpoint: Endpoint, cause: String },
    /// No answer in time: the request may have taken effect.
    #[error("{endpoint} did not answer in time")]
    TimedOut { endpoint: Endpoint },
    /// An HTTP status other than success, and no GraphQL in the body.
    #[error("{endpoint} answered HTTP {status}")]
    Status {
        endpoint: Endpoint,
        status: StatusCode,
    },
    /// A GraphQL error. `code` is its `extensions.code`, empty if it had none.
    #[error("{endpoint} refused the request: {message} ({code})")]
    Refused {
        endpoint: Endpoint,
        code: String,
        message: String,
    },
    /// Something other than Threefold answers there.
    #[error("{endpoint} gave an answer that is not Threefold's: {reason}")]
    Malformed { endpoint: Endpoint, reason: String },
}

impl ClientError {
    /// Whether the same request can succeed later, or on another replica, without anybody changing it.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } => true,
            Self::Status { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Refused { code, .. } => matches!(
                code.as_str(),
                "NO_LEADER"
                    | "TIMEOUT"
                    | "NOT_ENOUGH_REPLICAS"
                    | "REPLICA_QUARANTINED"
                    | "RATE_LIMITED"
                    | "INTERNAL"
            ),
            Self::Malformed { .. } => false,
        }
    }
}

/// Sends GraphQL requests over kept-alive connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
}

/// How a [`Client`] asks.
#[derive(Debug, Default)]
pub struct Options<'a> {
    /// Longest wait for a whole answer.
    pub timeout: Duration,
    /// File with the access token; spaces and line ends around it are ignored.
    pub access_token_file: Option<&'a Path>,
    /// Reads answer from the replica's own database, however far it is, and need no leader.
    pub local_reads: bool,
}

impl Client {
    /// A client that asks as `options` say.
    ///
    /// # Errors
    /// The token file cannot be read or does not hold a token.
    pub fn new(options: &Options<'_>) -> anyhow::Result<Self> {
        let mut headers = HeaderMap::new();
        if let Some(path) = options.access_token_file {
            headers.insert(AUTHORIZATION, bearer(path)?);
        }
        if options.local_reads {
            headers.insert(READ_CONSISTENCY, HeaderValue::from_static("local"));
        }
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .timeout(options.timeout)
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("threefold/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("the HTTP client cannot start")?;
        Ok(Self { http })
    }

    /// Sends one operation and returns its data.
    ///
    /// # Errors
    /// See [`ClientError`]; data that came together with errors is dropped.
    pub async fn request<D: DeserializeOwned>(
        &self,
        endpoint: &Endpoint,
        query: &str,
        variables: &impl Serialize,
    ) -> Result<D, ClientError> {
        let broken = |error| transport_error(endpoint, &error);
        let request = self.http.post(endpoint.graphql());
        let mut answer = request
            .json(&Request { query, variables })
            .send()
            .await
            .map_err(broken)?;
        let status = answer.status();
        let body = read_body(endpoint, &mut answer).await?;
        read_answer(endpoint, status, &body)
    }

    /// Asks for a backup, and returns the answer once it begins to come. The bound on a whole answer does not hold for it.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn backup(&self, endpoint: &Endpoint) -> Result<reqwest::Response, ClientError> {
        let request = self.http.post(format!("{}/backup", endpoint.base));
        let request = request.timeout(LONGEST_BACKUP);
        let mut answer = request
            .send()
            .await
            .map_err(|error| transport_error(endpoint, &error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = read_body(endpoint, &mut answer).await?;
        // An answer without an error in it, and no success either, is told by its status.
        match read_answer::<serde_json::Value>(endpoint, status, &body) {
            Err(error) => Err(error),
            Ok(_) => Err(ClientError::Status {
                endpoint: endpoint.clone(),
                status,
            }),
        }
    }
}

async fn read_body(
    endpoint: &Endpoint,
    answer: &mut reqwest::Response,
) -> Result<Vec<u8>, ClientError> {
    let broken = |error| transport_error(endpoint, &error);
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(broken)? {
        if body.len() + part.len() > MAX_ANSWER_BYTES {
            let reason = format!("it is longer than {MAX_ANSWER_BYTES} bytes");
            return Err(ClientError::Malformed {
                endpoint: endpoint.clone(),
                reason,
            });
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

#[derive(Serialize)]
struct Request<'a, V> {
    query: &'a str,
    variables: &'a V,
}

#[derive(Deserialize)]
struct Answer<D> {
    data: Option<D>,
}

/// The other part of an answer. It is read on its own, as data beside errors need not have its full shape.
#[derive(Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<GraphQlError>,
}

#[derive(Deserialize)]
struct GraphQlError {
    message: String,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Default, Deserialize)]
struct Extensions {
    #[serde(default)]
    code: String,
}

fn read_answer<D: DeserializeOwned>(
    endpoint: &Endpoint,
    status: StatusCode,
    body: &[u8],
) -> Result<D, ClientError> {
    let endpoint = || endpoint.clone();
    let errors = serde_json::from_slice(body).map_or(Vec::new(), |Errors { errors }| errors);
    if let Some(error) = errors.into_iter().next() {
        let (code, message) = (error.extensions.code, error.message);
        return Err(ClientError::Refused {
            endpoint: endpoint(),
            code,
            message,
        });
    }
    if !status.is_success() {
        return Err(ClientError::Status {
            endpoint: endpoint(),
            status,
        });
    }
    let malformed = |reason| ClientError::Malformed {
        endpoint: endpoint(),
        reason,
    };
    let Answer { data } =
        serde_json::from_slice(body).map_err(|error| malformed(error.to_string()))?;
    data.ok_or_else(|| malformed("it has neither data nor errors".to_owned()))
}

pub(super) fn transport_error(endpoint: &Endpoint, error: &reqwest::Error) -> ClientError {
    let endpoint = endpoint.clone();
    if error.is_timeout() && !error.is_connect() {
        return ClientError::TimedOut { endpoint };
    }
    // The innermost cause is the one that people understand: "Connection refused".
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    ClientError::Unreachable {
        endpoint,
        cause: cause.to_string(),
    }
}

fn bearer(path: &Path) -> anyhow::Result<HeaderValue> {
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the access token file {name} cannot be read"))?;
    let token = text.trim();
    anyhow::ensure!(!token.is_empty(), "the access token file {name} is empty");
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).with_context(|| {
        format!("the access token file {name} holds characters that no header can carry")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;

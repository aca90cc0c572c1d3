//! Sends what the exporter has to say, with the HTTP client that replicas have anyway.

use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::runtime::Handle;

/// Most bytes of a collector's answer.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// The exporter has a thread without a runtime, so requests run on the one that made this.
#[derive(Debug)]
pub(super) struct Carrier {
    client: Client,
    runtime: Handle,
}

impl Carrier {
    /// A client that waits so long for an answer.
    pub(super) fn new(timeout: Duration) -> Result<Self, String> {
        let client = Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(Policy::none())
            .pool_max_idle_per_host(1)
            .timeout(timeout)
            .build()
            .map_err(|error| format!("no HTTP client for traces: {error}"))?;
        let runtime = Handle::try_current()
            .map_err(|error| format!("traces are exported from an async runtime only: {error}"))?;
        Ok(Self { client, runtime })
    }
}

#[async_trait]
impl HttpClient for Carrier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let client = self.client.clone();
        self.runtime
            .spawn(async move { send(&client, request).await })
            .await?
    }
}

async fn send(client: &Client, request: reqwest::Request) -> Result<Response<Bytes>, HttpError> {
    let mut response = client.execute(request).await?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err("the collector's answer is too long".into());
        }
        body.extend_from_slice(&chunk);
    }
    let mut answer = Response::builder().status(response.status());
    if let Some(headers) = answer.headers_mut() {
        std::mem::swap(headers, response.headers_mut());
    }
    Ok(answer.body(Bytes::from(body))?)
}

//! One kept connection of a client, as light as can be: what it costs is taken from what is measured.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Where requests go.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// On this machine.
    pub address: SocketAddr,
    /// Of every request.
    pub path: &'static str,
    /// Beside the content type, which is JSON.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// See the module.
#[derive(Debug)]
pub struct Connection {
    endpoint: Endpoint,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub async fn open(endpoint: Endpoint) -> Result<Self, String> {
        let stream = TcpStream::connect(endpoint.address).await;
        let stream = stream.map_err(|error| error.to_string())?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        Ok(Self { endpoint, sender })
    }

    /// Sends one request, and returns the body of the answer.
    ///
    /// # Errors
    /// The connection failed, or the status is not 200.
    pub async fn post(&mut self, body: Bytes) -> Result<Bytes, String> {
        let mut request = Request::post(self.endpoint.path)
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, "application/json");
        for (name, value) in &self.endpoint.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body)).map_err(|e| e.to_string())?;
        let answer = self.sender.send_request(request).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let status = answer.status();
        let body = answer.into_body().collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        match status {
            StatusCode::OK => Ok(body),
            status => Err(format!("{status}: {}", String::from_utf8_lossy(&body))),
        }
    }
}

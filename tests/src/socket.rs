//! A client of the protocol `graphql-transport-ws`, written by hand so that it hides nothing.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PROTOCOL: &str = "graphql-transport-ws";
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const OPERATION_ID: &str = "1";

/// The subscription that most tests are about.
pub const CHANGES: &str = "subscription ($after: Revision) { changes(after: $after) { __typename \
    ... on ChangeBatch { revision committedAt changes { __typename \
      ... on ExpenseAdded { expense { id description version } } \
      ... on ExpenseUpdated { expense { id description version } before { id description version } } \
      ... on ExpenseDeleted { expense { id description version } } \
      ... on ExpenseRestored { expense { id description version } } } } \
    ... on Bookmark { revision } \
    ... on ResyncRequired { oldestRevision headRevision } } }";

/// One connection, carrying one operation.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// Why a connection carries nothing more.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The connection was refused or broke.
    #[error("the connection failed: {0}")]
    Connection(Box<tungstenite::Error>),
    /// The replica closed it.
    #[error("closed with {code}: {reason}")]
    Closed {
        /// The protocol's code, 1005 where there was none.
        code: u16,
        /// For people.
        reason: String,
    },
    /// The operation failed.
    #[error("the operation failed: {0}")]
    Failed(Value),
    /// The operation ended.
    #[error("the operation is complete")]
    Complete,
    /// The replica said what the protocol does not know.
    #[error("not understood: {0}")]
    Protocol(String),
    /// Nothing came in time.
    #[error("the handshake took too long")]
    Timeout,
}

impl From<tungstenite::Error> for SocketError {
    fn from(error: tungstenite::Error) -> Self {
        Self::Connection(Box::new(error))
    }
}

impl Socket {
    /// Connects to a replica; `payload` goes into `connection_init`.
    pub async fn connect(url: &str, payload: Value) -> Result<Self, SocketError> {
        Self::open(url, None, payload).await
    }

    /// Connects as a web page of that origin does.
    pub async fn connect_from(
        origin: &str,
        url: &str,
        payload: Value,
    ) -> Result<Self, SocketError> {
        Self::open(url, Some(origin), payload).await
    }

    async fn open(url: &str, origin: Option<&str>, payload: Value) -> Result<Self, SocketError> {
        tokio::time::timeout(HANDSHAKE_TIMEOUT, Self::shake_hands(url, origin, payload))
            .await
            .map_err(|_| SocketError::Timeout)?
    }

    /// Starts the connection's operation.
    pub async fn subscribe(&mut self, query: &str, variables: Value) -> Result<(), SocketError> {
        self.start(json!({ "query": query, "variables": variables }))
            .await
    }

    /// Starts the connection's operation with a request of any shape.
    pub async fn start(&mut self, payload: Value) -> Result<(), SocketError> {
        self.send(json!({ "type": "subscribe", "id": OPERATION_ID, "payload": payload }))
            .await
    }

    /// The `data` of the operation's next result.
    pub async fn next(&mut self) -> Result<Value, SocketError> {
        loop {
            let mut message = self.receive().await?;
            match message["type"].as_str() {
                Some("next") => {
                    let mut payload = message["payload"].take();
                    if payload["errors"].is_array() {
                        return Err(SocketError::Failed(payload["errors"].take()));
                    }
                    return Ok(payload["data"].take());
                }
                Some("error") => return Err(SocketError::Failed(message["payload"].take())),
                Some("complete") => return Err(SocketError::Complete),
                Some("ping") => self.send(json!({ "type": "pong" })).await?,
                Some("pong") => {}
                _ => return Err(SocketError::Protocol(message.to_string())),
            }
        }
    }

    async fn shake_hands(
        url: &str,
        origin: Option<&str>,
        payload: Value,
    ) -> Result<Self, SocketError> {
        let address = format!("{}/graphql", url.replacen("http", "ws", 1));
        let mut request = address.into_client_request()?;
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", HeaderValue::from_static(PROTOCOL));
        if let Some(origin) = origin {
            let origin = HeaderValue::from_str(origin).expect("an origin is ASCII");
            request.headers_mut().insert("Origin", origin);
        }
        let (stream, _) = connect_async(request).await?;
        let mut socket = Self { stream };
        socket
            .send(json!({ "type": "connection_init", "payload": payload }))
            .await?;
        loop {
            let message = socket.receive().await?;
            match message["type"].as_str() {
                Some("connection_ack") => return Ok(socket),
                Some("ping") => socket.send(json!({ "type": "pong" })).await?,
                _ => return Err(SocketError::Protocol(message.to_string())),
            }
        }
    }

    async fn send(&mut self, message: Value) -> Result<(), SocketError> {
        Ok(self.stream.send(Message::text(message.to_string())).await?)
    }

    async fn receive(&mut self) -> Result<Value, SocketError> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    return serde_json::from_str(&text)
                        .map_err(|_| SocketError::Protocol(text.to_string()));
                }
                Some(Ok(Message::Close(frame))) => {
                    let (code, reason) = frame.map_or((1005, String::new()), |frame| {
                        (frame.code.into(), frame.reason.to_string())
                    });
                    return Err(SocketError::Closed { code, reason });
                }
                // Pings of WebSocket itself are answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Binary(_))) => {
                    return Err(SocketError::Protocol("binary data".to_owned()));
                }
                Some(Err(error)) => return Err(error.into()),
                None => {
                    return Err(SocketError::Closed {
                        code: 1006,
                        reason: String::new(),
                    });
                }
            }
        }
    }
}

//! The WebSocket: queries, mutations and subscriptions by the protocol graphql-transport-ws.
//!
//! One task serves a socket. It polls the socket's operations in turn, beginning anywhere, so that a busy
//! subscription does not starve its neighbours; and it stops when one message cannot be sent for
//! [`SEND_TIMEOUT`], so that a client that does not read holds nothing up.

mod message;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_graphql::{Request, Response as Answer};
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, Stream, StreamExt, stream};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_stream::StreamMap;

use self::message::{Incoming, InitPayload, Outgoing};
use crate::graphql::error::{ErrorCode, request_error};
use crate::graphql::{Actor, RequestContext, RequestSettings};
use crate::http::body::is_request_error;
use crate::http::{MAX_REQUEST_BYTES, Public, method_not_allowed, text};

/// The only protocol that is spoken.
const PROTOCOL: &str = "graphql-transport-ws";
/// Longest wait for `connection_init`.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
/// A client that says nothing for this long is asked whether it is there; twice this long, and it is given up.
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// Longest time that one message takes to send.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Most operations of one socket at the same time.
const MAX_OPERATIONS: usize = 100;

/// Opens a socket.
pub(crate) async fn upgrade(
    State(public): State<Public>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return method_not_allowed().await;
    };
    // Browsers ask no permission for sockets, so this is the only look at where the page is from.
    if public.is_foreign(&headers) {
        return (
            StatusCode::FORBIDDEN,
            "a page of another origin may not open this socket\n",
        )
            .into_response();
    }
    let authorization = text(&headers, "authorization").map(str::to_owned);
    let sockets = public.drain.sockets.clone();
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(MAX_REQUEST_BYTES)
        .max_frame_size(MAX_REQUEST_BYTES)
        .on_upgrade(move |socket| sockets.track_future(serve(socket, public, authorization)))
}

/// Why a socket is closed; the codes are the protocol's.
#[derive(Debug)]
struct Close(u16, String);

impl Close {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        Self(code, reason.into())
    }
}

/// The client is gone, or is told to go.
type Step<T> = Result<T, Option<Close>>;

async fn serve(socket: WebSocket, public: Public, authorization: Option<String>) {
    let _open = public.metrics.socket();
    let spoken = socket
        .protocol()
        .is_some_and(|protocol| protocol == PROTOCOL);
    let (sink, stream) = socket.split();
    let mut session = Session {
        public,
        sink,
        stream,
    };
    let ended = if spoken {
        session.run(authorization).await
    } else {
        Err(Some(Close::new(
            4406,
            format!("Subprotocol not acceptable: speak {PROTOCOL}"),
        )))
    };
    if let Err(Some(Close(code, mut reason))) = ended {
        // A close frame has room for 123 bytes of reason.
        while reason.len() > 123 {
            reason.pop();
        }
        let frame = Message::Close(Some(CloseFrame {
            code,
            reason: reason.into(),
        }));
        if !matches!(
            timeout(SEND_TIMEOUT, session.sink.send(frame)).await,
            Ok(Ok(()))
        ) {
            tracing::debug!(code, "a socket ended before it could be closed");
        }
    }
}

enum Event {
    Answer(Box<Answer>),
    Complete,
}

/// An operation of a socket.
struct Operation {
    /// A subscription, which goes on until somebody ends it.
    lasting: bool,
    events: Pin<Box<dyn Stream<Item = Event> + Send>>,
}

impl Stream for Operation {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.events.as_mut().poll_next(context)
    }
}

struct Session {
    public: Public,
    sink: SplitSink<WebSocket, Message>,
    stream: SplitStream<WebSocket>,
}

impl Session {
    async fn run(&mut self, authorization: Option<String>) -> Step<()> {
        let stopping = self.public.drain.stopping.clone();
        let (settings, actor) = tokio::select! {
            accepted = self.handshake(authorization) => accepted?,
            () = stopping.cancelled() => {
                return Err(Some(Close::new(1012, "This replica is stopping")));
            }
        };
        let mut operations: StreamMap<String, Operation> = StreamMap::new();
        let mut ping = interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        let mut draining = false;
        loop {
            if draining && operations.is_empty() {
                return Err(Some(Close::new(1012, "This replica is stopping")));
            }
            tokio::select! {
                message = self.receive() => {
                    heard = Instant::now();
                    match message? {
                        // The client sends it again elsewhere: this socket is about to be closed.
                        Some(Incoming::Subscribe { .. }) if draining => {}
                        Some(Incoming::Subscribe { id, payload }) => {
                            if operations.contains_key(&id) {
                                return Err(Some(Close::new(4409, format!("Subscriber for {id} already exists"))));
                            }
                            if operations.len() >= MAX_OPERATIONS {
                                let message = format!("this socket has {MAX_OPERATIONS} operations already; end one first");
                                let errors = [request_error(ErrorCode::RateLimited, message)];
                                self.send(&Outgoing::Error { id: &id, payload: &errors }).await?;
                                continue;
                            }
                            let context = RequestContext::new(settings.clone(), actor.clone());
                            operations.insert(id, self.operation(payload.into(), context));
                        }
                        Some(Incoming::Complete { id }) => {
                            operations.remove(&id);
                        }
                        Some(Incoming::Ping {}) => self.send(&Outgoing::Pong).await?,
                        Some(Incoming::Pong {}) | None => {}
                        Some(Incoming::ConnectionInit { .. }) => {
                            return Err(Some(Close::new(4429, "Too many initialisation requests")));
                        }
                    }
                }
                Some((id, event)) = operations.next(), if !operations.is_empty() => match event {
                    Event::Answer(answer) if is_request_error(&answer) => {
                        operations.remove(&id);
                        self.send(&Outgoing::Error { id: &id, payload: &answer.errors }).await?;
                    }
                    Event::Answer(answer) => self.send(&Outgoing::Next { id: &id, payload: &answer }).await?,
                    Event::Complete => {
                        operations.remove(&id);
                        self.send(&Outgoing::Complete { id: &id }).await?;
                    }
                },
                _ = ping.tick() => {
                    if heard.elapsed() > PING_INTERVAL * 2 {
                        return Err(Some(Close::new(4408, "No answer to a ping")));
                    }
                    self.send(&Outgoing::Ping).await?;
                }
                () = stopping.cancelled(), if !draining => {
                    // What was taken is answered first.
                    draining = true;
                    let lasting = operations.iter().filter(|(_, operation)| operation.lasting);
                    let lasting: Vec<String> = lasting.map(|(id, _)| id.clone()).collect();
                    for id in lasting {
                        operations.remove(&id);
                    }
                }
            }
        }
    }

    /// Waits for `connection_init` and answers it: who the client is, and how it wants its requests served.
    async fn handshake(&mut self, authorization: Option<String>) -> Step<(RequestSettings, Actor)> {
        let deadline = Instant::now() + INIT_TIMEOUT;
        let payload = loop {
            let message = tokio::time::timeout_at(deadline, self.receive()).await;
            match message.map_err(|_| Close::new(4408, "Connection initialisation timeout"))?? {
                Some(Incoming::ConnectionInit { payload }) => break payload.unwrap_or_default(),
                Some(Incoming::Subscribe { .. }) => {
                    return Err(Some(Close::new(4401, "Unauthorized")));
                }
                Some(Incoming::Ping {}) => self.send(&Outgoing::Pong).await?,
                Some(Incoming::Pong {} | Incoming::Complete { .. }) | None => {}
            }
        };
        let payload = InitPayload::new(payload);
        let authorization = payload.get("authorization").or(authorization.as_deref());
        let actor = self
            .public
            .access
            .actor(authorization)
            .ok_or_else(|| Close::new(4403, "Forbidden"))?;
        let settings = RequestSettings::parse(|name| payload.get(name))
            .map_err(|reason| Close::new(4400, reason))?;
        self.send(&Outgoing::ConnectionAck).await?;
        Ok((settings, actor))
    }

    fn operation(&self, request: Request, context: RequestContext) -> Operation {
        let execution = self.public.api.execute_stream(request, context);
        let events = execution
            .responses
            .map(|answer| Event::Answer(Box::new(answer)));
        Operation {
            lasting: execution.lasting,
            events: Box::pin(events.chain(stream::once(async { Event::Complete }))),
        }
    }

    /// The next message of the protocol; none for frames of the WebSocket itself.
    async fn receive(&mut self) -> Step<Option<Incoming>> {
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => {
                let message = serde_json::from_str(&text);
                message
                    .map(Some)
                    .map_err(|e| Some(Close::new(4400, format!("Invalid message: {e}"))))
            }
            Some(Ok(Message::Binary(_))) => Err(Some(Close::new(4400, "Invalid message: binary"))),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Close(_)) | Err(_)) | None => Err(None),
        }
    }

    async fn send(&mut self, message: &Outgoing<'_>) -> Step<()> {
        let text = serde_json::to_string(message).map_err(|error| {
            tracing::error!(%error, "an answer could not be written");
            Close::new(1011, "Internal error")
        })?;
        match timeout(SEND_TIMEOUT, self.sink.send(Message::Text(text.into()))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(None),
            Err(_) => Err(Some(Close::new(
                1013,
                "The client does not read what it asked for",
            ))),
        }
    }
}

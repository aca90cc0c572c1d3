//! A place between replicas that passes every call on, and remembers some of each kind: how messages become fixtures.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Most messages of one kind that are remembered.
const MOST: usize = 4;
/// Longest message that is remembered, in base64.
const LONGEST: usize = 40 << 10;

/// A call and its answer, in base64 as they travel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The field of the peer schema.
    pub method: String,
    /// What was asked.
    pub request: String,
    /// What came back; of the subscription, the first report.
    pub answer: String,
}

/// What several recorders remember together.
pub type Messages = Arc<Mutex<BTreeMap<String, Vec<Message>>>>;

/// See the module. Stops when it is dropped.
#[derive(Debug)]
pub struct Recorder {
    /// Where it is to be called.
    pub url: String,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Passage {
    to: String,
    http: reqwest::Client,
    messages: Messages,
}

impl Recorder {
    /// Stands before a peer endpoint.
    pub async fn start(to: &str, messages: Messages) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let passage = Passage {
            to: to.to_owned(),
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("an HTTP client"),
            messages,
        };
        let router = Router::new().fallback(pass).with_state(passage);
        let router = router.layer(axum::extract::DefaultBodyLimit::disable());
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("a listener");
        });
        Self { url, task }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(State(passage): State<Passage>, headers: HeaderMap, body: Bytes) -> Response {
    let mut call = passage
        .http
        .post(format!("{}/graphql", passage.to))
        .body(body.clone());
    for name in ["authorization", "content-type", "accept", "traceparent"] {
        if let Some(value) = headers.get(name) {
            call = call.header(name, value);
        }
    }
    // Whoever is not there is not reached through here either.
    let Ok(answer) = call.send().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let status = answer.status();
    let kind = answer.headers().get("content-type").cloned();
    let streams = headers
        .get("accept")
        .is_some_and(|accept| accept.as_bytes() == b"text/event-stream");
    let content = if streams {
        let pieces = answer.bytes_stream().map(move |piece| {
            if let Ok(piece) = &piece {
                let text = String::from_utf8_lossy(piece);
                let report = text.lines().find_map(|line| line.strip_prefix("data: "));
                if let Some(report) = report {
                    passage.remember(&body, report.as_bytes());
                }
            }
            piece
        });
        Body::from_stream(pieces)
    } else {
        match answer.bytes().await {
            Ok(bytes) => {
                passage.remember(&body, &bytes);
                Body::from(bytes)
            }
            Err(_) => return StatusCode::BAD_GATEWAY.into_response(),
        }
    };
    let mut response = (status, content).into_response();
    if let Some(kind) = kind {
        response.headers_mut().insert("content-type", kind);
    }
    response
}

impl Passage {
    /// Keeps the first messages of a kind, and then in place of the last one whatever is longer.
    fn remember(&self, request: &[u8], answer: &[u8]) {
        let Some(message) = message(request, answer) else {
            return;
        };
        let length = |message: &Message| message.request.len() + message.answer.len();
        if length(&message) > LONGEST {
            return;
        }
        let mut messages = self.messages.lock().expect("the messages");
        let known = messages.entry(message.method.clone()).or_default();
        if known.contains(&message) {
        } else if known.len() < MOST {
            known.push(message);
        } else if known.last().map(length) < Some(length(&message)) {
            known.pop();
            known.push(message);
        }
    }
}

fn message(request: &[u8], answer: &[u8]) -> Option<Message> {
    let request: Value = serde_json::from_slice(request).ok()?;
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let document = request["query"].as_str()?;
    let method = document.split("result: ").nth(1)?.split('(').next()?;
    Some(Message {
        method: method.to_owned(),
        request: request["variables"]["payload"].as_str()?.to_owned(),
        answer: answer["data"]["result"].as_str()?.to_owned(),
    })
}

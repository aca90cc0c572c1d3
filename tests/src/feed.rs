//! A subscriber of `changes` that carries on from its last revision, on another replica if need be.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::socket::{CHANGES, Socket, SocketError};
use crate::wait::until;

const RECONNECT_DELAY: Duration = Duration::from_millis(100);

/// All changes of one revision, as they came.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The revision.
    pub revision: u64,
    /// The changes, one or more.
    pub changes: Vec<Value>,
}

impl Batch {
    /// The descriptions of the expenses that were added.
    pub fn added(&self) -> impl Iterator<Item = &str> {
        self.changes
            .iter()
            .filter(|change| change["__typename"] == "ExpenseAdded")
            .filter_map(|change| change["expense"]["description"].as_str())
    }
}

/// A subscriber at work in the background until it is dropped.
#[derive(Debug)]
pub struct Subscriber {
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Seen {
    /// Exactly what came, in the order in which it came: what is wrong shows.
    batches: Vec<Batch>,
    /// The last revision or bookmark: what a reconnect asks to follow.
    position: u64,
    connections: usize,
    /// Whether the position was told once: the subscription is live from then on.
    caught_up: bool,
    last_error: Option<String>,
    resync_required: bool,
}

impl Subscriber {
    /// Follows one replica from after a revision.
    pub fn of(url: &str, after: u64) -> Self {
        Self::of_any(&[url.to_owned()], after)
    }

    /// Follows the first of these replicas, and the next one whenever the connection is lost.
    pub fn of_any(urls: &[String], after: u64) -> Self {
        let seen = Arc::new(Mutex::new(Seen {
            batches: Vec::new(),
            position: after,
            connections: 0,
            caught_up: false,
            last_error: None,
            resync_required: false,
        }));
        let task = tokio::spawn(follow(urls.to_vec(), Arc::clone(&seen)));
        Self { seen, task }
    }

    /// Everything that came, in order.
    pub fn batches(&self) -> Vec<Batch> {
        self.seen().batches.clone()
    }

    /// The revisions of everything that came, in order.
    pub fn revisions(&self) -> Vec<u64> {
        self.seen()
            .batches
            .iter()
            .map(|batch| batch.revision)
            .collect()
    }

    /// The last revision it knows of.
    pub fn position(&self) -> u64 {
        self.seen().position
    }

    /// How often it has connected.
    pub fn connections(&self) -> usize {
        self.seen().connections
    }

    /// Waits until the replica has told where it is: nothing that follows is missed.
    pub async fn wait_until_live(&self) {
        until(
            "a subscription to be live",
            Duration::from_secs(20),
            async || {
                let seen = self.seen();
                if seen.caught_up {
                    Ok(())
                } else {
                    Err(format!("{:?}", seen.last_error))
                }
            },
        )
        .await;
    }

    /// Waits until that revision has come.
    pub async fn wait_for(&self, revision: u64, timeout: Duration) {
        until(
            &format!("revision {revision} on a subscription"),
            timeout,
            async || {
                let seen = self.seen();
                assert!(
                    !seen.resync_required,
                    "the subscriber was told to read again after revision {}",
                    seen.position
                );
                match seen.batches.last() {
                    Some(batch) if batch.revision >= revision => Ok(()),
                    last => Err(format!(
                        "the last is {:?}, {:?}",
                        last.map(|batch| batch.revision),
                        seen.last_error
                    )),
                }
            },
        )
        .await;
    }

    /// Ends the subscription and returns everything that came.
    pub fn finish(self) -> Vec<Batch> {
        self.task.abort();
        self.batches()
    }

    /// Fails the test unless exactly the revisions from `first` to `last` came, each once and in order.
    #[track_caller]
    pub fn assert_complete(&self, first: u64, last: u64) {
        let revisions = self.revisions();
        let expected: Vec<u64> = (first..=last).collect();
        let difference = revisions
            .iter()
            .zip(&expected)
            .find(|(seen, wanted)| seen != wanted);
        assert_eq!(
            difference, None,
            "first revision (seen, wanted) out of order on a subscription"
        );
        assert_eq!(
            revisions.len(),
            expected.len(),
            "revisions {first} to {last} on a subscription"
        );
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().expect("what was seen")
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(urls: Vec<String>, seen: Arc<Mutex<Seen>>) {
    for url in urls.iter().cycle() {
        let error = follow_once(url, &seen).await;
        {
            let mut seen = seen.lock().expect("what was seen");
            seen.last_error = Some(error.to_string());
            if seen.resync_required {
                return;
            }
        }
        tokio::time::sleep(RECONNECT_DELAY).await;
    }
}

async fn follow_once(url: &str, seen: &Mutex<Seen>) -> SocketError {
    match try_follow(url, seen).await {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

async fn try_follow(
    url: &str,
    seen: &Mutex<Seen>,
) -> Result<std::convert::Infallible, SocketError> {
    let mut socket = Socket::connect(url, json!({})).await?;
    let after = {
        let mut seen = seen.lock().expect("what was seen");
        seen.connections += 1;
        seen.position
    };
    socket
        .subscribe(CHANGES, json!({ "after": after.to_string() }))
        .await?;
    loop {
        let mut data = socket.next().await?;
        take_in(
            data["changes"].take(),
            &mut seen.lock().expect("what was seen"),
        )?;
    }
}

fn take_in(mut event: Value, seen: &mut Seen) -> Result<(), SocketError> {
    let out_of_shape = |event: &Value| SocketError::Protocol(event.to_string());
    match event["__typename"].as_str() {
        Some("ChangeBatch") => {
            let revision = revision(&event).ok_or_else(|| out_of_shape(&event))?;
            let Value::Array(changes) = event["changes"].take() else {
                return Err(out_of_shape(&event));
            };
            seen.position = revision;
            seen.batches.push(Batch { revision, changes });
            Ok(())
        }
        Some("Bookmark") => {
            seen.position = revision(&event).ok_or_else(|| out_of_shape(&event))?;
            seen.caught_up = true;
            Ok(())
        }
        Some("ResyncRequired") => {
            seen.resync_required = true;
            Ok(())
        }
        _ => Err(out_of_shape(&event)),
    }
}

fn revision(event: &Value) -> Option<u64> {
    event["revision"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use futures_util::{SinkExt, StreamExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
    use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_broken_connection_is_taken_up_from_the_last_revision() {
        let (listener, url) = listen().await;
        let subscriber = Subscriber::of(&url, 0);

        let mut first = accept(&listener, "0").await;
        send(&mut first, json!({ "type": "ping" })).await;
        assert_eq!(receive(&mut first).await["type"], "pong");
        send_batch(&mut first, 1).await;
        send_batch(&mut first, 2).await;
        send_bookmark(&mut first, 2).await;
        subscriber.wait_until_live().await;
        drop(first);

        let mut second = accept(&listener, "2").await;
        send_batch(&mut second, 3).await;
        subscriber.wait_for(3, TIMEOUT).await;
        subscriber.assert_complete(1, 3);
        assert_eq!(subscriber.connections(), 2);
    }

    #[tokio::test]
    async fn what_comes_twice_or_late_shows() {
        let (listener, url) = listen().await;
        let subscriber = Subscriber::of(&url, 0);
        let mut socket = accept(&listener, "0").await;
        for revision in [1, 3, 2, 2] {
            send_batch(&mut socket, revision).await;
        }
        send_batch(&mut socket, 4).await;
        subscriber.wait_for(4, TIMEOUT).await;
        assert_eq!(subscriber.revisions(), [1, 3, 2, 2, 4]);
        let complaint = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            subscriber.assert_complete(1, 4);
        }));
        assert!(
            complaint.is_err(),
            "a feed out of order was taken for complete"
        );
    }

    async fn listen() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        (listener, url)
    }

    /// Plays a replica up to the subscription, and checks what it is asked to follow.
    async fn accept(listener: &TcpListener, after: &str) -> WebSocketStream<TcpStream> {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_hdr_async(stream, speak_the_protocol).await.unwrap();
        assert_eq!(receive(&mut socket).await["type"], "connection_init");
        send(&mut socket, json!({ "type": "connection_ack" })).await;
        let subscribe = receive(&mut socket).await;
        assert_eq!(subscribe["payload"]["variables"], json!({ "after": after }));
        socket
    }

    #[expect(clippy::result_large_err, reason = "the library's signature")]
    fn speak_the_protocol(
        request: &Request,
        mut response: Response,
    ) -> Result<Response, tokio_tungstenite::tungstenite::handshake::server::ErrorResponse> {
        let protocol = request.headers()["Sec-WebSocket-Protocol"].clone();
        response
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", protocol);
        Ok(response)
    }

    async fn send_batch(socket: &mut WebSocketStream<TcpStream>, revision: u64) {
        let event =
            json!({ "__typename": "ChangeBatch", "revision": revision.to_string(), "changes": [] });
        send_next(socket, event).await;
    }

    async fn send_bookmark(socket: &mut WebSocketStream<TcpStream>, revision: u64) {
        send_next(
            socket,
            json!({ "__typename": "Bookmark", "revision": revision.to_string() }),
        )
        .await;
    }

    async fn send_next(socket: &mut WebSocketStream<TcpStream>, event: Value) {
        let payload = json!({ "data": { "changes": event } });
        send(
            socket,
            json!({ "type": "next", "id": "1", "payload": payload }),
        )
        .await;
    }

    async fn send(socket: &mut WebSocketStream<TcpStream>, message: Value) {
        socket
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    async fn receive(socket: &mut WebSocketStream<TcpStream>) -> Value {
        let message = socket.next().await.unwrap().unwrap();
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    }
}

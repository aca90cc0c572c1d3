//! Calls to the peers' GraphQL endpoints.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use eventsource_stream::Eventsource;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use threefold_replication::peer::{
    Envelope, PeerAddress, PeerError, PeerFault, PeerMethod, PeerTransport,
};

use super::{BIRTH_MARK, FORMAT, REPORTS_DOCUMENT, document_of};
use crate::trace;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// A stream of reports that is silent for this long, comments included, is dead.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections that are kept to each peer.
const IDLE_CONNECTIONS: usize = 16;

/// Carries the replication's calls as GraphQL over HTTP.
pub struct GraphQlPeerTransport {
    client: Client,
}

impl GraphQlPeerTransport {
    /// A transport that shows this cluster secret.
    ///
    /// # Errors
    /// A secret that no header can carry, or no client.
    pub fn new(cluster_secret: &str) -> Result<Self, String> {
        let mut bearer =
            HeaderValue::from_str(&format!("Bearer {cluster_secret}")).map_err(|_| {
                "the cluster secret holds characters that no header can carry".to_owned()
            })?;
        bearer.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, bearer);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let client = Client::builder()
            .default_headers(headers)
            .http1_only()
            .tcp_nodelay(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(Duration::from_secs(60))
            .build()
            .map_err(|e| format!("no HTTP client: {}", reason(&e)))?;
        Ok(Self { client })
    }

    fn request(&self, peer: &PeerAddress, document: &str, envelope: &Envelope) -> RequestBuilder {
        let url = format!("{}/graphql", peer.url.trim_end_matches('/'));
        let mut headers = HeaderMap::new();
        trace::into_headers(&mut headers);
        let call = self.client.post(url).headers(headers);
        // One that says nothing is of format 1.
        let call = call.header(FORMAT, envelope.format);
        let call = match envelope.birth_mark {
            Some(mark) => call.header(BIRTH_MARK, mark.to_string()),
            None => call,
        };
        call.body(body(document, envelope))
    }
}

/// The JSON of a call, written in one go: the payload is encoded once, straight into its place.
fn body(document: &str, envelope: &Envelope) -> String {
    let Envelope {
        cluster_id,
        from,
        to,
        payload,
        ..
    } = envelope;
    let cluster_id = match cluster_id {
        Some(id) => format!("\"{id}\""),
        None => "null".to_owned(),
    };
    let head = format!(
        r#"{{"query":"{document}","variables":{{"clusterId":{cluster_id},"from":"{from}","to":"{to}","payload":""#
    );
    let mut body = String::with_capacity(head.len() + payload.len().div_ceil(3) * 4 + 3);
    body.push_str(&head);
    STANDARD.encode_string(payload, &mut body);
    body.push_str(r#""}}"#);
    body
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Option<AnswerData<'a>>,
    #[serde(default)]
    errors: Vec<AnswerError>,
}

#[derive(Deserialize)]
struct AnswerData<'a> {
    #[serde(borrow)]
    result: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct AnswerError {
    message: String,
    #[serde(default)]
    extensions: BTreeMap<String, serde_json::Value>,
}

/// What is said of a peer that does not know a call.
const UNKNOWN_CALL: &str =
    "it runs an earlier version, which does not know this call; upgrade that replica";

/// What a peer answered: a payload, or why not.
fn read(peer: u64, answer: &[u8]) -> Result<Bytes, PeerError> {
    let unreadable = |reason: String| PeerError::Unreachable { peer, reason };
    let answer: Answer<'_> = serde_json::from_slice(answer)
        .map_err(|e| unreadable(format!("its answer is not one of a peer: {e}")))?;
    if let Some(error) = answer.errors.into_iter().next() {
        let fault = error
            .extensions
            .get("fault")
            .and_then(serde_json::Value::as_str);
        return Err(
            match fault.and_then(|fault| serde_json::from_str::<PeerFault>(fault).ok()) {
                Some(fault) => PeerError::Refused { peer, fault },
                None => unreadable(error.message),
            },
        );
    }
    let data = answer
        .data
        .ok_or_else(|| unreadable("its answer is empty".into()))?;
    // Every call of the peer schema has a result: one that is nothing, without an error, is of a field that is not there.
    let payload = data.result.ok_or_else(|| PeerError::Refused {
        peer,
        fault: PeerFault::Malformed(UNKNOWN_CALL.to_owned()),
    })?;
    let bytes = STANDARD
        .decode(payload.as_bytes())
        .map_err(|_| unreadable("its answer is no base64".into()))?;
    Ok(bytes.into())
}

/// An HTTP error with its causes, and without the URL, which the reader knows.
fn reason(error: &reqwest::Error) -> String {
    let mut reason = if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        String::new()
    };
    let mut source = error.source();
    while let Some(cause) = source {
        if !reason.is_empty() {
            reason.push_str(": ");
        }
        reason.push_str(&cause.to_string());
        source = cause.source();
    }
    if reason.is_empty() {
        error.to_string()
    } else {
        reason
    }
}

#[async_trait]
impl PeerTransport for GraphQlPeerTransport {
    async fn call(
        &self,
        peer: &PeerAddress,
        method: PeerMethod,
        envelope: Envelope,
        timeout: Duration,
    ) -> Result<Bytes, PeerError> {
        let unreachable = |error: reqwest::Error| failed(peer.id, &error);
        let request = self
            .request(peer, document_of(method), &envelope)
            .timeout(timeout);
        let response = request.send().await.map_err(unreachable)?;
        if let Some(error) = refused(peer, response.status()) {
            return Err(error);
        }
        read(peer.id, &response.bytes().await.map_err(unreachable)?)
    }

    async fn reports(
        &self,
        peer: &PeerAddress,
        envelope: Envelope,
    ) -> Result<BoxStream<'static, Result<Bytes, PeerError>>, PeerError> {
        let id = peer.id;
        let unreachable = move |reason: String| PeerError::Unreachable { peer: id, reason };
        let request = self
            .request(peer, REPORTS_DOCUMENT, &envelope)
            .header(ACCEPT, "text/event-stream");
        let response = tokio::time::timeout(SILENCE_TIMEOUT, request.send()).await;
        let response = response.map_err(|_| unreachable("no answer in time".into()))?;
        let response = response.map_err(|error| failed(id, &error))?;
        if let Some(error) = refused(peer, response.status()) {
            return Err(error);
        }
        // Comments keep the stream of bytes alive, so silence is judged there and not between events.
        let bytes = tokio_stream::StreamExt::timeout(response.bytes_stream(), SILENCE_TIMEOUT);
        let bytes = bytes.map(|chunk| match chunk {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(reason(&error)),
            Err(_) => Err(format!("silent for {} s", SILENCE_TIMEOUT.as_secs())),
        });
        let reports = async_stream::stream! {
            let mut events = Box::pin(bytes.eventsource());
            while let Some(event) = events.next().await {
                match event {
                    Ok(event) if event.event == "complete" => break,
                    Ok(event) if event.event == "next" => yield read(id, event.data.as_bytes()),
                    Ok(_) => {}
                    Err(error) => {
                        yield Err(unreachable(error.to_string()));
                        break;
                    }
                }
            }
        };
        Ok(reports.boxed())
    }
}

/// A call that was not answered, told apart by whether there was a connection to send it over.
fn failed(peer: u64, error: &reqwest::Error) -> PeerError {
    let reason = reason(error);
    if error.is_connect() {
        PeerError::NotSent { peer, reason }
    } else {
        PeerError::Unreachable { peer, reason }
    }
}

/// Statuses that say more than the body does.
fn refused(peer: &PeerAddress, status: StatusCode) -> Option<PeerError> {
    let reason = match status {
        StatusCode::OK => return None,
        StatusCode::UNAUTHORIZED => {
            "it has another cluster secret: check --cluster-secret-file on both".to_owned()
        }
        other => format!("it answered with status {other}: check the --peer addresses"),
    };
    let peer = peer.id;
    Some(if status == StatusCode::UNAUTHORIZED {
        PeerError::NotSent { peer, reason }
    } else {
        PeerError::Unreachable { peer, reason }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_call_is_json() {
        for cluster_id in [None, Some(Uuid::from_u128(1))] {
            let payload = Bytes::from_static(&[0, 255, 62, 63]);
            let envelope = Envelope {
                cluster_id,
                from: 1,
                to: u64::MAX,
                birth_mark: None,
                format: 1,
                payload,
            };
            let text = body(document_of(PeerMethod::Vote), &envelope);
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(json["query"], document_of(PeerMethod::Vote));
            assert_eq!(json["variables"]["to"], u64::MAX.to_string());
            assert_eq!(json["variables"]["payload"], "AP8+Pw==");
            assert_eq!(
                json["variables"]["clusterId"].is_null(),
                cluster_id.is_none()
            );
        }
    }

    #[test]
    fn answers_are_told_apart() {
        assert_eq!(
            read(2, br#"{"data":{"result":"AP8="}}"#).unwrap().as_ref(),
            [0, 255]
        );
        let fault = PeerFault::NotLeader(2, Some(3));
        let text = serde_json::to_string(&fault).unwrap();
        let answer = serde_json::json!({ "data": null, "errors": [{ "message": "no", "extensions": { "fault": text } }] });
        let error = read(2, answer.to_string().as_bytes()).unwrap_err();
        assert_eq!(error, PeerError::Refused { peer: 2, fault });
        // What a build answers that does not know the field.
        let unknown = read(2, br#"{"data":{"result":null}}"#).unwrap_err();
        assert!(unknown.to_string().contains("upgrade that replica"));
        for other in [
            &b"<html>"[..],
            b"{}",
            br#"{"data":null}"#,
            br#"{"errors":[{"message":"x"}]}"#,
            br#"{"data":{"result":"*"}}"#,
        ] {
            assert!(matches!(
                read(2, other),
                Err(PeerError::Unreachable { peer: 2, .. })
            ));
        }
    }
}

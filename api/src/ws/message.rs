//! Messages of graphql-transport-ws.

use std::collections::HashMap;

use async_graphql::{Response, ServerError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::request::Body;

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Incoming {
    ConnectionInit {
        payload: Option<serde_json::Map<String, Value>>,
    },
    Subscribe {
        id: String,
        payload: Body,
    },
    Complete {
        id: String,
    },
    Ping {},
    Pong {},
}

/// What is said to a client.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Outgoing<'a> {
    ConnectionAck,
    Next {
        id: &'a str,
        payload: &'a Response,
    },
    Error {
        id: &'a str,
        payload: &'a [ServerError],
    },
    Complete {
        id: &'a str,
    },
    Ping,
    Pong,
}

/// The payload of `connection_init`: the same names as the headers of HTTP, whatever their case.
pub(super) struct InitPayload(HashMap<String, String>);

impl InitPayload {
    pub(super) fn new(payload: serde_json::Map<String, Value>) -> Self {
        let text = |value: Value| match value {
            Value::String(text) => Some(text),
            Value::Null => None,
            other => Some(other.to_string()),
        };
        let fields = payload
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_ascii_lowercase(), text(value)?)));
        Self(fields.collect())
    }

    /// A value by its lower-case name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_of_the_payload_have_no_case() {
        let Value::Object(payload) =
            json!({ "AUTHORIZATION": "Bearer x", "Min-Revision": 7, "read-consistency": null })
        else {
            panic!("no object");
        };
        let payload = InitPayload::new(payload);
        assert_eq!(payload.get("authorization"), Some("Bearer x"));
        assert_eq!(payload.get("min-revision"), Some("7"));
        assert_eq!(payload.get("read-consistency"), None);
    }

    #[test]
    fn messages_are_those_of_the_protocol() {
        let read = |message: Value| serde_json::from_value::<Incoming>(message);
        assert!(matches!(
            read(json!({ "type": "connection_init" })),
            Ok(Incoming::ConnectionInit { payload: None })
        ));
        assert!(matches!(
            read(json!({ "type": "ping", "payload": { "a": 1 } })),
            Ok(Incoming::Ping {})
        ));
        let subscribe = json!({ "id": "1", "type": "subscribe", "payload": { "query": "{ a }", "extensions": {} } });
        assert!(matches!(read(subscribe), Ok(Incoming::Subscribe { .. })));
        for bad in [
            json!({}),
            json!({ "type": "start" }),
            json!({ "type": "subscribe", "id": "1" }),
            json!([]),
        ] {
            assert!(read(bad).is_err());
        }
        let complete = serde_json::to_string(&Outgoing::Complete { id: "1" }).unwrap();
        assert_eq!(complete, r#"{"type":"complete","id":"1"}"#);
        assert_eq!(
            serde_json::to_string(&Outgoing::ConnectionAck).unwrap(),
            r#"{"type":"connection_ack"}"#
        );
    }
}

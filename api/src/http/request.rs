//! A GraphQL request from the body of an HTTP request.

use async_graphql::{Request, Variables};
use serde::Deserialize;

use crate::trace::CONTEXT_NAMES;

/// A request as clients write it; unknown members are ignored, as the specification asks.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Body {
    query: String,
    operation_name: Option<String>,
    variables: Option<serde_json::Map<String, serde_json::Value>>,
    extensions: Option<serde_json::Value>,
}

impl From<Body> for Request {
    fn from(body: Body) -> Self {
        let mut request = Self::new(body.query);
        if let Some(name) = body.operation_name {
            request = request.operation_name(name);
        }
        if let Some(variables) = body.variables {
            request = request.variables(Variables::from_json(serde_json::Value::Object(variables)));
        }
        // Of extensions only the trace context is known; others are ignored, whatever they are.
        if let Some(extensions) = &body.extensions {
            for name in CONTEXT_NAMES {
                if let Some(value) = extensions.get(name).and_then(|value| value.as_str()) {
                    request.extensions.insert(name.to_owned(), value.into());
                }
            }
        }
        request
    }
}

/// Reads one request.
///
/// # Errors
/// What is no JSON, several requests at once, and JSON that is no GraphQL request; the message is for people.
pub(crate) fn parse(body: &[u8]) -> Result<Request, String> {
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err("several requests at once are not taken: send one JSON object".into());
    }
    serde_json::from_slice::<Body>(body)
        .map(Request::from)
        .map_err(|e| explain(&e))
}

/// What is wrong with the JSON, for people.
pub(crate) fn explain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.contains("surrogate") || text.contains("hex escape") {
        format!(
            "a string holds an unpaired surrogate (\\ud800 to \\udfff), which is no character: {text}"
        )
    } else if error.is_data() {
        format!(
            "the JSON is no GraphQL request such as {{\"query\": \"{{ replicas {{ id }} }}\"}}: {text}"
        )
    } else {
        format!("the request is no JSON: {text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read() {
        let body = br#"{"query": "query A { a }", "operationName": "A", "variables": {"x": [1, null]}, "more": 1}"#;
        let request = parse(body).unwrap();
        assert_eq!(request.operation_name.as_deref(), Some("A"));
        assert_eq!(request.variables.len(), 1);
        assert!(parse(br#"{"query": "{ a }", "operationName": null, "variables": null}"#).is_ok());
    }

    #[test]
    fn what_is_none_is_explained() {
        let message = |body: &str| parse(body.as_bytes()).unwrap_err();
        assert!(message("{").starts_with("the request is no JSON"));
        assert!(message("").starts_with("the request is no JSON"));
        assert!(message("{}").starts_with("the JSON is no GraphQL request"));
        assert!(message(r#"{"query": 1}"#).starts_with("the JSON is no GraphQL request"));
        assert!(
            message(r#"{"query": "", "variables": [1]}"#)
                .starts_with("the JSON is no GraphQL request")
        );
        assert!(message(r#" [{"query": "{ a }"}]"#).starts_with("several requests"));
        for lone in [r"\ud800", r"\udfff", r"\ud800\u0041", r"\ud800x"] {
            let body = format!(r#"{{"query": "{{ a }}", "variables": {{"d": "{lone}"}}}}"#);
            assert!(
                message(&body).contains("unpaired surrogate"),
                "{lone}: {}",
                message(&body)
            );
        }
        let body = r#"{"query": "{ a }", "variables": {"d": "\ud83d\ude00"}}"#;
        assert!(parse(body.as_bytes()).is_ok());
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_refused() {
        assert!(parse(b"{\"query\": \"\xff\"}").is_err());
    }
}

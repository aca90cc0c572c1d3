use serde_json::{Value, json};

use super::*;

fn endpoint(text: &str) -> Endpoint {
    text.parse().unwrap()
}

fn answer(status: u16, body: &str) -> Result<Value, ClientError> {
    let status = StatusCode::from_u16(status).unwrap();
    read_answer(&endpoint("http://127.0.0.1:1"), status, body.as_bytes())
}

#[test]
fn an_address_is_the_same_with_and_without_its_path() {
    let plain = endpoint("http://127.0.0.1:8081");
    assert_eq!(plain.to_string(), "http://127.0.0.1:8081");
    assert_eq!(plain.graphql(), "http://127.0.0.1:8081/graphql");
    for text in [
        "http://127.0.0.1:8081/",
        "http://127.0.0.1:8081/graphql",
        " http://127.0.0.1:8081/graphql/",
    ] {
        assert_eq!(endpoint(text), plain);
    }
    assert!("ftp://example.org".parse::<Endpoint>().is_err());
    assert!("127.0.0.1:8081".parse::<Endpoint>().is_err());
}

#[test]
fn data_is_returned() {
    assert_eq!(answer(200, r#"{"data":{"a":1}}"#).unwrap(), json!({"a": 1}));
    assert_eq!(
        answer(200, r#"{"data":{"a":1},"errors":[]}"#).unwrap(),
        json!({"a": 1})
    );
}

#[test]
fn faults_of_the_service_are_retryable_and_faults_of_the_request_are_not() {
    let code = |status, code: &str| {
        let body =
            json!({"data": null, "errors": [{"message": "m", "extensions": {"code": code}}]});
        answer(status, &body.to_string()).unwrap_err().retryable()
    };
    for retryable in [
        "NO_LEADER",
        "TIMEOUT",
        "NOT_ENOUGH_REPLICAS",
        "REPLICA_QUARANTINED",
        "INTERNAL",
    ] {
        assert!(code(200, retryable), "{retryable}");
    }
    for refused in [
        "BAD_USER_INPUT",
        "UNAUTHENTICATED",
        "FORBIDDEN",
        "TOO_LARGE",
        "",
    ] {
        assert!(!code(200, refused), "{refused}");
    }
    assert!(
        !code(500, "BAD_USER_INPUT"),
        "the code decides, not the status"
    );
    assert!(answer(502, "<html>").unwrap_err().retryable());
    assert!(!answer(404, "not here").unwrap_err().retryable());
    assert!(!answer(200, "<html>").unwrap_err().retryable());
    assert!(!answer(200, "{}").unwrap_err().retryable());
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let options = Options {
        timeout: Duration::from_secs(5),
        ..Options::default()
    };
    let client = Client::new(&options).unwrap();
    let closed = endpoint(&format!("http://{address}"));
    let error = client
        .request::<Value>(&closed, "{ a }", &())
        .await
        .unwrap_err();
    assert!(error.retryable(), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[test]
fn an_empty_token_file_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = bearer(file.path()).unwrap_err().to_string();
    assert!(error.ends_with("is empty"), "{error}");
    std::fs::write(file.path(), "s3cret\n").unwrap();
    assert_eq!(
        bearer(file.path()).unwrap().to_str().unwrap(),
        "Bearer s3cret"
    );
}

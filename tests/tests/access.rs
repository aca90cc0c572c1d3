//! Promise: nobody gets in by accident. With an access token, every client must know it; without one, a replica listens on
//! loopback only.

use std::process::Stdio;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use threefold_api::child_process::ChildProcess;
use threefold_tests::client::{Client, ClientError, NewExpense};
use threefold_tests::socket::{CHANGES, Socket, SocketError};
use threefold_tests::wait::{until, within};
use threefold_tests::{Cluster, DatabaseKind, binary, inspect, ports};

const TOKEN: &str = "correct-horse-battery-staple-0123456789";
const TIMEOUT: Duration = Duration::from_secs(20);

async fn every_client_needs_the_token(database: DatabaseKind) {
    let cluster = Cluster::builder()
        .database(database)
        .access_token(TOKEN)
        .start()
        .await;
    let wrong = ["", "wrong", &TOKEN[1..], &format!("{TOKEN}x")];
    for replica in cluster.replicas() {
        // Over HTTP.
        let stranger = Client::new(replica.url());
        assert_unauthenticated(
            stranger
                .add_expense(&NewExpense::described("no token"))
                .await
                .unwrap_err(),
        );
        assert_unauthenticated(stranger.expenses(1).await.unwrap_err());
        for token in wrong {
            assert_unauthenticated(
                stranger
                    .with_access_token(token)
                    .expenses(1)
                    .await
                    .unwrap_err(),
            );
        }
        replica
            .client()
            .add_expense(&NewExpense::described("token"))
            .await
            .unwrap()
            .accepted();

        // Over WebSocket.
        assert_closed(Socket::connect(replica.url(), json!({})).await);
        for token in wrong {
            let payload = json!({ "Authorization": format!("Bearer {token}") });
            assert_closed(Socket::connect(replica.url(), payload).await);
        }
        let payload = json!({ "Authorization": format!("Bearer {TOKEN}") });
        let mut socket = Socket::connect(replica.url(), payload).await.unwrap();
        socket
            .subscribe(CHANGES, json!({ "after": "0" }))
            .await
            .unwrap();
        let event = within("a first event", TIMEOUT, socket.next())
            .await
            .unwrap();
        assert_eq!(event["changes"]["__typename"], "ChangeBatch");
    }
    let state = inspect::assert_identical(&cluster).await;
    assert_eq!(state.revision, 3, "one write a replica was allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_needs_the_token_on_postgres() {
    every_client_needs_the_token(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_needs_the_token_on_sqlite() {
    every_client_needs_the_token(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_only_loopback_is_listened_on() {
    let cluster = Cluster::builder().prepare().await;
    let replica = cluster.replica(1);
    let port = ports::reserve();
    replica.set_flag("--listen", &format!("0.0.0.0:{}", port.number()));
    let status = replica.start_and_fail(TIMEOUT).await;
    assert!(!status.success());
    let log = replica.log();
    assert!(
        log.contains("--open") && log.contains("--access-token-file"),
        "the way out is not named: {log}"
    );

    // It must be said on purpose.
    let mut command = binary::command();
    command
        .args(replica.arguments())
        .arg("--open")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let process = ChildProcess::spawn(&mut command).unwrap();
    let address = format!("http://127.0.0.1:{}/healthz", port.number());
    until("an open replica to live", TIMEOUT, async || {
        reqwest::get(&address)
            .await
            .map(drop)
            .map_err(|error| error.to_string())
    })
    .await;
    drop(process);
}

#[track_caller]
fn assert_unauthenticated(error: ClientError) {
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED), "{error}");
    assert_eq!(error.code(), Some("UNAUTHENTICATED"), "{error}");
}

#[track_caller]
fn assert_closed(result: Result<Socket, SocketError>) {
    match result {
        Err(SocketError::Closed {
            code: 4401 | 4403, ..
        }) => {}
        other => panic!("a socket without the token: {other:?}"),
    }
}

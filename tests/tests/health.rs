//! Promise: `threefold health` says by its exit code whether a replica serves, or at least lives, and why not.

use std::process::Output;
use std::time::Duration;

use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind, binary, ports};

const TIMEOUT: Duration = Duration::from_secs(20);

async fn health(arguments: &[&str], listen: Option<&str>) -> Output {
    let mut command = binary::command();
    command.arg("health").args(arguments);
    if let Some(listen) = listen {
        command.env("THREEFOLD_LISTEN", listen);
    }
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_knows_the_ready_the_living_and_the_dead() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    let url = cluster.replica(1).url();
    let well = health(&["--url", url], None).await;
    assert!(well.status.success(), "{}", said(&well));
    assert_eq!(said(&well), "ready\n");

    // As in a container: by the environment that the replica has, and from everywhere means from here.
    let (_, port) = url.rsplit_once(':').unwrap();
    let listen = format!("0.0.0.0:{port}");
    let well = health(&[], Some(&listen)).await;
    assert!(well.status.success(), "{}", said(&well));

    cluster.replica(2).kill9();
    cluster.replica(3).kill9();
    until("the last replica to miss the others", TIMEOUT, async || {
        let unready = health(&["--url", url], None).await;
        if unready.status.code() == Some(1) && said(&unready).contains("answers 503: ") {
            Ok(())
        } else {
            Err(said(&unready))
        }
    })
    .await;
    let alive = health(&["--url", url, "--alive"], None).await;
    assert!(alive.status.success(), "{}", said(&alive));
    assert_eq!(said(&alive), "alive\n");

    cluster.replica(1).stop();
    let silent = health(&["--url", url, "--alive", "--timeout-ms", "300"], None).await;
    assert_eq!(silent.status.code(), Some(1));
    assert!(
        said(&silent).contains("did not answer within 300 ms"),
        "{}",
        said(&silent)
    );
    cluster.replica(1).cont();

    let port = ports::reserve();
    let dead = health(&[], Some(&format!("127.0.0.1:{}", port.number()))).await;
    assert_eq!(dead.status.code(), Some(1));
    assert!(said(&dead).contains("is it running?"), "{}", said(&dead));
}

//! Promise: with `--create-secrets`, a first start needs no secret made by hand; what it made stays, and `threefold token` shows
//! the token.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use threefold_tests::client::NewExpense;
use threefold_tests::ports::{self, Port};
use threefold_tests::wait::until;
use threefold_tests::{Client, binary};

const TIMEOUT: Duration = Duration::from_secs(30);

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().expect("the replica is stopped");
        self.0.wait().expect("the replica ends");
    }
}

/// A cluster of one replica, whose secrets are in a folder that nobody has made.
fn serve(folder: &Path, public: &Port, peer: &Port) -> Running {
    let mut command: Command = binary::command();
    command
        .arg("serve")
        .args(["--id", "1", "--create-secrets"])
        .args(["--peer", &format!("1=http://127.0.0.1:{}", peer.number())])
        .args(["--listen", &format!("127.0.0.1:{}", public.number())])
        .args(["--peer-listen", &format!("127.0.0.1:{}", peer.number())])
        .arg("--data")
        .arg(folder.join("data"))
        .args([
            "--database",
            &format!("sqlite://{}/rows.sqlite", folder.display()),
        ])
        .arg("--cluster-secret-file")
        .arg(folder.join("secrets/cluster-secret"))
        .arg("--access-token-file")
        .arg(folder.join("secrets/access-token"))
        .stderr(Stdio::null());
    Running(command.spawn().expect("the binary starts"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_makes_them_and_a_later_one_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    let (public, peer) = (ports::reserve(), ports::reserve());
    let secrets = folder.path().join("secrets");
    let token_file = secrets.join("access-token");
    let url = format!("http://127.0.0.1:{}", public.number());

    let mut tokens = Vec::new();
    for start in 1..=2 {
        let running = serve(folder.path(), &public, &peer);
        until("the token's file", TIMEOUT, async || {
            token_file
                .exists()
                .then_some(())
                .ok_or_else(|| "it is missing".to_owned())
        })
        .await;
        let shown =
            binary::run(&["token", "--access-token-file", token_file.to_str().unwrap()]).await;
        let token = String::from_utf8(shown).unwrap();
        let token = token.strip_suffix('\n').unwrap();
        assert_eq!(token.len(), 64);

        let client = Client::new(&url).with_access_token(token);
        until("an expense to be taken", TIMEOUT, async || {
            let expense = NewExpense::described(format!("Bread {start}"));
            client
                .add_expense(&expense)
                .await
                .map(drop)
                .map_err(|error| error.to_string())
        })
        .await;
        let stranger = Client::new(&url).expenses(1).await.unwrap_err();
        assert_eq!(stranger.code(), Some("UNAUTHENTICATED"));

        tokens.push(token.to_owned());
        drop(running);
    }
    assert_eq!(tokens[0], tokens[1]);
    let cluster_secret = fs::read_to_string(secrets.join("cluster-secret")).unwrap();
    assert_ne!(cluster_secret.trim(), tokens[0]);
    // Nothing unfinished is left beside them.
    assert_eq!(fs::read_dir(&secrets).unwrap().count(), 2);
}

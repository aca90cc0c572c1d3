//! The peer of the failover measurement: etcd, three members with its defaults, asked by its HTTP gateway.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use threefold_api::child_process::ChildProcess;

use crate::ports::{self, Port};
use crate::wait::until;

const PATIENCE: Duration = Duration::from_secs(60);
/// A client asks again after this: a member without a leader would keep it for seven seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(300);
const PAUSE: Duration = Duration::from_millis(5);
const MEMBERS: usize = 3;

/// Three members on this machine.
#[derive(Debug)]
pub struct Etcd {
    // Killed before the folder goes: fields are dropped in this order.
    members: Vec<Member>,
    http: reqwest::Client,
    folder: TempDir,
    cluster: String,
}

#[derive(Debug)]
struct Member {
    process: Option<ChildProcess>,
    client: Port,
    peer: Port,
}

impl Member {
    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.client.number())
    }
}

/// True where etcd is installed.
pub fn is_installed() -> bool {
    let version = Command::new("etcd").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

impl Etcd {
    /// Starts the members, and waits until one leads.
    pub async fn start() -> Self {
        let member = |_| Member {
            process: None,
            client: ports::reserve(),
            peer: ports::reserve(),
        };
        let members: Vec<Member> = (0..MEMBERS).map(member).collect();
        let cluster: Vec<String> = members
            .iter()
            .enumerate()
            .map(|(number, member)| format!("m{number}=http://127.0.0.1:{}", member.peer.number()))
            .collect();
        let mut etcd = Self {
            members,
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("an HTTP client"),
            folder: tempfile::tempdir().expect("a temporary folder"),
            cluster: cluster.join(","),
        };
        for number in 0..MEMBERS {
            etcd.start_member(number, "new");
        }
        etcd.leader().await;
        etcd
    }

    /// Kills the leader, and returns how long it took until a survivor had answered a put that was sent afterwards. The
    /// member comes back.
    pub async fn kill(&mut self) -> Duration {
        let leader = self.leader().await;
        let mut process = self.members[leader].process.take().expect("a leader");
        process.kill().expect("the leader is killed");
        let killed = Instant::now();
        let survivor = (leader + 1) % MEMBERS;
        while !self.put(survivor).await && killed.elapsed() < PATIENCE {
            tokio::time::sleep(PAUSE).await;
        }
        let took = killed.elapsed();
        self.start_member(leader, "existing");
        self.all_answer().await;
        took
    }

    /// The members' process numbers.
    pub fn pids(&self) -> Vec<u32> {
        let processes = self.members.iter().flat_map(|member| &member.process);
        processes.map(ChildProcess::id).collect()
    }

    /// Where a member takes requests.
    pub fn url(&self, number: usize) -> String {
        self.members[number].url()
    }

    fn start_member(&mut self, number: usize, state: &str) {
        let member = &self.members[number];
        let (client, peer) = (
            member.url(),
            format!("http://127.0.0.1:{}", member.peer.number()),
        );
        let folder: PathBuf = self.folder.path().join(format!("m{number}"));
        let mut command = Command::new("etcd");
        command
            .arg("--name")
            .arg(format!("m{number}"))
            .arg("--data-dir")
            .arg(folder);
        command.args([
            "--listen-client-urls",
            &client,
            "--advertise-client-urls",
            &client,
        ]);
        command.args([
            "--listen-peer-urls",
            &peer,
            "--initial-advertise-peer-urls",
            &peer,
        ]);
        command.args([
            "--initial-cluster",
            &self.cluster,
            "--initial-cluster-state",
            state,
        ]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = ChildProcess::spawn(&mut command).expect("etcd starts");
        self.members[number].process = Some(process);
    }

    async fn post(&self, number: usize, path: &str, body: Value) -> Result<Value, String> {
        let url = format!("{}{path}", self.members[number].url());
        let request = self
            .http
            .post(url)
            .timeout(ANSWER_TIMEOUT)
            .body(body.to_string());
        let response = request.send().await.map_err(|error| error.to_string())?;
        if !response.status().is_success() {
            return Err(format!("{path} says {}", response.status()));
        }
        let text = response.text().await.map_err(|error| error.to_string())?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    async fn put(&self, number: usize) -> bool {
        // "key" and "value", as the gateway wants them.
        let body = json!({ "key": "a2V5", "value": "dmFsdWU=" });
        self.post(number, "/v3/kv/put", body).await.is_ok()
    }

    /// Waits until each member answers.
    pub async fn all_answer(&self) {
        until("etcd's members to answer", PATIENCE, async || {
            for number in 0..MEMBERS {
                if !self.put(number).await {
                    return Err(format!("member {number} does not"));
                }
            }
            Ok(())
        })
        .await;
    }

    /// Number of the member that leads.
    pub async fn leader(&self) -> usize {
        until("etcd to have a leader", PATIENCE, async || {
            for number in 0..MEMBERS {
                let status = self
                    .post(number, "/v3/maintenance/status", json!({}))
                    .await?;
                let own = status.pointer("/header/member_id");
                if own.is_some() && own == status.get("leader") {
                    return Ok(number);
                }
            }
            Err("none of them leads".to_owned())
        })
        .await
    }
}

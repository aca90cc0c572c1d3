//! One replica: its process, its database and what can befall it.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use nix::sys::signal::Signal;
use threefold_api::child_process::ChildProcess;

use crate::binary;
use crate::client::Client;
use crate::ports::Port;
use crate::postgres::TestPostgres;
use crate::wait::{Unreached, reach, until};

use super::{DatabaseKind, LEADER_TIMEOUT};

const STOP_TIMEOUT: Duration = Duration::from_secs(20);
const CUT_TIMEOUT: Duration = Duration::from_secs(20);
const LOG_TAIL_LINES: usize = 40;

/// All that a replica is started with.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) id: u16,
    pub(super) folder: PathBuf,
    pub(super) public: Port,
    pub(super) peer: Port,
    pub(super) peers: Vec<String>,
    pub(super) secret: PathBuf,
    pub(super) token: Option<PathBuf>,
    pub(super) flags: Vec<(String, String)>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) binary: PathBuf,
}

/// The replica's own database.
#[derive(Debug)]
pub(super) enum Database {
    Postgres(TestPostgres),
    Sqlite(PathBuf),
}

/// A replica that a test can start, stop, freeze and kill, from anywhere.
#[derive(Debug)]
pub struct Replica {
    // Killed before its database stops: fields are dropped in this order.
    process: Mutex<Option<ChildProcess>>,
    database: Database,
    url: String,
    pub(super) access_token: Option<String>,
    pub(super) plan: Plan,
    overrides: Mutex<BTreeMap<String, String>>,
    binary: Mutex<Option<PathBuf>>,
    more_environment: Mutex<BTreeMap<String, String>>,
}

impl Replica {
    pub(super) fn new(plan: Plan, database: Database, access_token: Option<String>) -> Self {
        Self {
            process: Mutex::new(None),
            database,
            url: format!("http://127.0.0.1:{}", plan.public.number()),
            access_token,
            plan,
            overrides: Mutex::default(),
            binary: Mutex::default(),
            more_environment: Mutex::default(),
        }
    }

    /// Its number, from 1.
    pub fn id(&self) -> u16 {
        self.plan.id
    }

    /// Where its API is, without `/graphql`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it talks to the other replicas.
    pub fn peer_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.plan.peer.number())
    }

    /// Its own database, as given to it.
    pub fn database_url(&self) -> String {
        match &self.database {
            Database::Postgres(server) => server.url(),
            Database::Sqlite(path) => format!("sqlite://{}", path.display()),
        }
    }

    /// What kind of database that is.
    pub fn database_kind(&self) -> DatabaseKind {
        match self.database {
            Database::Postgres(_) => DatabaseKind::Postgres,
            Database::Sqlite(_) => DatabaseKind::Sqlite,
        }
    }

    /// Its PostgreSQL server; a replica on SQLite has none.
    pub fn postgres(&self) -> &TestPostgres {
        match &self.database {
            Database::Postgres(postgres) => postgres,
            Database::Sqlite(_) => panic!("replica {} keeps its rows in SQLite", self.id()),
        }
    }

    /// Waits until the process has ended by itself, and returns how.
    pub async fn wait_for_end(&self, timeout: Duration) -> ExitStatus {
        match self.ends(timeout).await {
            Ok(status) => status,
            Err(unreached) => panic!("{unreached}"),
        }
    }

    /// The same, for a test that goes on where it does not end.
    ///
    /// # Errors
    /// It runs still.
    pub async fn ends(&self, timeout: Duration) -> Result<ExitStatus, Unreached> {
        let what = format!("replica {} to end", self.id());
        reach(&what, timeout, async || {
            let exited = self.process().as_mut().expect("a replica").exited();
            let status = exited.expect("the replica's process");
            status.ok_or_else(|| "it runs".to_owned())
        })
        .await
    }

    /// Where it keeps log and vote.
    pub fn data_folder(&self) -> PathBuf {
        self.plan.folder.join("data")
    }

    /// Everything it has said since it was first started.
    pub fn log(&self) -> String {
        let log = fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// A client that talks to this replica only.
    pub fn client(&self) -> Client {
        let client = Client::new(&self.url);
        match &self.access_token {
            Some(token) => client.with_access_token(token),
            None => client,
        }
    }

    /// Starts the process with the same flags as ever, and does not wait for it.
    pub fn start(&self) {
        assert!(!self.is_running(), "replica {} runs already", self.id());
        let process = self.spawn(&self.arguments());
        *self.process() = Some(process);
    }

    /// Starts the process as [`Replica::start`] does, by a command that is given the binary and its arguments at its end.
    pub fn start_through(&self, wrapper: &[&str]) {
        assert!(!self.is_running(), "replica {} runs already", self.id());
        let (program, before) = wrapper.split_first().expect("a program");
        let mut command = Command::new(program);
        command
            .args(before)
            .arg(&self.plan.binary)
            .args(self.arguments());
        *self.process() = Some(self.run(&mut command));
    }

    /// Starts a process that is to refuse and end by itself, and returns how it ended.
    pub async fn start_and_fail(&self, timeout: Duration) -> ExitStatus {
        let mut process = self.spawn(&self.arguments());
        match process.wait(timeout).await.expect("the replica's process") {
            Some(status) => status,
            None => panic!(
                "replica {} still runs after {timeout:?}; it should have refused to",
                self.id()
            ),
        }
    }

    /// Kills it if it runs, starts it and waits until it serves.
    pub async fn restart(&self) {
        if self.is_running() {
            self.kill9();
        }
        self.start();
        self.wait_until_ready().await;
    }

    /// `kill -9`: gone at once, without a word.
    pub fn kill9(&self) {
        let process = self.process().take();
        process
            .expect("a replica that runs")
            .kill()
            .expect("the replica is killed");
    }

    /// `SIGSTOP`: alive, holding its connections, doing nothing.
    pub fn stop(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// `SIGCONT`: carries on after [`Replica::stop`].
    pub fn cont(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// `SIGTERM`: asked to stop. It must do so in time and say that all went well.
    pub async fn terminate(&self) {
        if let Err(reason) = self.stops_in_order().await {
            panic!("{reason}");
        }
    }

    /// The same, for a test that goes on where it does not.
    ///
    /// # Errors
    /// It did not stop in time, and was killed; or it did not say that all went well.
    pub async fn stops_in_order(&self) -> Result<(), String> {
        let process = self.process().take();
        let mut process = process.expect("a replica that runs");
        process
            .signal(Signal::SIGTERM)
            .expect("the replica is told");
        let ended = process.wait(STOP_TIMEOUT).await;
        match ended.expect("the replica's process") {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("replica {} stopped with {status}", self.id())),
            None => {
                let id = self.id();
                Err(format!("replica {id} did not stop within {STOP_TIMEOUT:?}"))
            }
        }
    }

    /// The operating system's number of its process.
    pub fn pid(&self) -> u32 {
        self.process().as_ref().expect("a replica that runs").id()
    }

    /// Whether it was started and has not ended, by itself or otherwise. One that is frozen runs.
    pub fn is_running(&self) -> bool {
        match self.process().as_mut() {
            Some(process) => process.exited().expect("the replica's process").is_none(),
            None => false,
        }
    }

    /// Lets it run another build from its next start on.
    pub fn set_binary(&self, path: PathBuf) {
        *self.binary.lock().expect("the binary's lock") = Some(path);
    }

    /// Whether it was started, and has ended without being killed or stopped from here.
    pub fn has_ended_by_itself(&self) -> bool {
        match self.process().as_mut() {
            Some(process) => process.exited().expect("the replica's process").is_some(),
            None => false,
        }
    }

    /// Whether it has a leader and serves, asked once.
    pub async fn is_ready(&self) -> bool {
        let asked = private_http()
            .get(format!("{}/readyz", self.url))
            .send()
            .await;
        asked.is_ok_and(|answer| answer.status().is_success())
    }

    /// Whether others can ask it, asked once; it may not belong to any cluster yet.
    pub async fn listens(&self) -> bool {
        let address = format!("{}/healthz", self.peer_url());
        private_http().get(address).send().await.is_ok()
    }

    /// Gives it another cluster secret for its next start.
    pub fn set_cluster_secret(&self, secret: &str) {
        let path = self.plan.folder.join("other-secret");
        fs::write(&path, secret).expect("another secret");
        self.set_flag("--cluster-secret-file", &text(&path));
    }

    /// Gives it another value of a flag for its next starts.
    pub fn set_flag(&self, name: &str, value: &str) {
        self.overrides().insert(name.to_owned(), value.to_owned());
    }

    /// Gives it a variable for its next starts.
    pub fn set_environment(&self, name: &str, value: &str) {
        self.more_environment
            .lock()
            .expect("the variables' lock")
            .insert(name.to_owned(), value.to_owned());
    }

    /// Takes back what [`Replica::set_environment`] gave it.
    pub fn reset_environment(&self, name: &str) {
        self.more_environment
            .lock()
            .expect("the variables' lock")
            .remove(name);
    }

    /// Gives it back what it had before [`Replica::set_flag`].
    pub fn reset_flag(&self, name: &str) {
        self.overrides().remove(name);
    }

    /// Waits until it has a leader and serves.
    pub async fn wait_until_ready(&self) {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(2))
            .build()
            .expect("an HTTP client");
        let address = format!("{}/readyz", self.url);
        until(
            &format!("replica {} to serve", self.id()),
            LEADER_TIMEOUT,
            async || {
                if !self.is_running() {
                    panic!("replica {} has ended", self.id());
                }
                match http.get(&address).send().await {
                    Ok(response) if response.status().is_success() => Ok(()),
                    Ok(response) => Err(format!("/readyz says {}", response.status())),
                    Err(error) => Err(error.to_string()),
                }
            },
        )
        .await;
    }

    /// Sets a failpoint of the running process; only in a cluster that was built with failpoints. False where the process does
    /// not take it: it is down, frozen, or about to end.
    pub async fn set_failpoint(&self, name: &str, action: &str) -> bool {
        let secret = fs::read_to_string(&self.plan.secret).expect("the cluster secret");
        let asked = private_http()
            .put(format!("{}/failpoints/{name}", self.peer_url()))
            .bearer_auth(secret.trim())
            .body(action.to_owned())
            .send()
            .await;
        match asked {
            Ok(answer) if answer.status().is_success() => true,
            Ok(answer) => panic!(
                "{name}={action}: {}",
                answer.text().await.unwrap_or_default()
            ),
            Err(_) => false,
        }
    }

    /// How often a failpoint has acted since the process was started; none where it does not answer.
    pub async fn failpoint_acted(&self, name: &str) -> Option<u64> {
        self.failpoints_acted().await?.remove(name)
    }

    /// The same of every failpoint.
    pub async fn failpoints_acted(&self) -> Option<BTreeMap<String, u64>> {
        let secret = fs::read_to_string(&self.plan.secret).expect("the cluster secret");
        let asked = private_http()
            .get(format!("{}/failpoints", self.peer_url()))
            .bearer_auth(secret.trim())
            .send()
            .await;
        let states: serde_json::Value = asked.ok()?.json().await.ok()?;
        let states = states.as_array()?.iter();
        states
            .map(|state| {
                let name = state["name"].as_str()?.to_owned();
                Some((name, state["acted"].as_u64()?))
            })
            .collect()
    }

    /// The first and the last index of the consensus log that it keeps; none where it does not answer.
    pub async fn log_entries(&self) -> Option<(u64, u64)> {
        let page = private_http().get(format!("{}/metrics", self.peer_url()));
        let page = page.send().await.ok()?.text().await.ok()?;
        let value = |name: &str| {
            let line = page.lines().find(|line| {
                let rest = line.strip_prefix(name);
                rest.is_some_and(|rest| rest.starts_with([' ', '{']))
            })?;
            line.split_whitespace().last()?.parse::<u64>().ok()
        };
        let last = value("threefold_log_last_index")?;
        Some((
            (last + 1).saturating_sub(value("threefold_log_entries")?),
            last,
        ))
    }

    /// Waits until the consensus log holds fewer entries than that: it was cut.
    pub async fn wait_until_log_is_below(&self, entries: u64) {
        until("the log to be cut", CUT_TIMEOUT, async || {
            match self.log_entries().await {
                Some((first, last)) if last + 1 - first < entries => Ok(()),
                extent => Err(format!("it holds {extent:?}")),
            }
        })
        .await;
    }

    /// The end of its log.
    pub fn log_tail(&self) -> Vec<String> {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let tail = &lines[lines.len().saturating_sub(LOG_TAIL_LINES)..];
        tail.iter().map(|line| (*line).to_owned()).collect()
    }

    /// Prints the end of its log, for a test that failed.
    pub(super) fn print_log_tail(&self) {
        eprintln!("---- replica {} said at last:", self.id());
        for line in self.log_tail() {
            eprintln!("{line}");
        }
    }

    /// The arguments that it is started with, `serve` first.
    pub fn arguments(&self) -> Vec<String> {
        let plan = &self.plan;
        let mut flags = vec![
            ("--id".to_owned(), plan.id.to_string()),
            ("--data".to_owned(), text(&self.data_folder())),
            (
                "--listen".to_owned(),
                format!("127.0.0.1:{}", plan.public.number()),
            ),
            (
                "--peer-listen".to_owned(),
                format!("127.0.0.1:{}", plan.peer.number()),
            ),
            ("--public-url".to_owned(), self.url.clone()),
            ("--database".to_owned(), self.database_url()),
            ("--cluster-secret-file".to_owned(), text(&plan.secret)),
            ("--peer".to_owned(), plan.peers.join(",")),
        ];
        flags.extend(
            plan.token
                .iter()
                .map(|token| ("--access-token-file".to_owned(), text(token))),
        );
        flags.extend(plan.flags.iter().cloned());

        let overrides = self.overrides();
        let flags = flags.into_iter().flat_map(|(name, value)| {
            let value = overrides.get(&name).cloned().unwrap_or(value);
            [name, value]
        });
        std::iter::once("serve".to_owned()).chain(flags).collect()
    }

    fn spawn(&self, arguments: &[String]) -> ChildProcess {
        let other = self.binary.lock().expect("the binary's lock").clone();
        let path = other.unwrap_or_else(|| self.plan.binary.clone());
        self.run(binary::command_of(&path).args(arguments))
    }

    fn run(&self, command: &mut Command) -> ChildProcess {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_path())
            .expect("the log");
        let errors = log.try_clone().expect("the log");
        let environment = &self.plan.environment;
        command
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .envs(&*self.more_environment.lock().expect("the variables' lock"))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors);
        ChildProcess::spawn(command).expect("the replica starts")
    }

    fn signal(&self, signal: Signal) {
        let mut process = self.process();
        process
            .as_mut()
            .expect("a replica that runs")
            .signal(signal)
            .expect("the replica is told");
    }

    fn process(&self) -> MutexGuard<'_, Option<ChildProcess>> {
        self.process.lock().expect("the process's lock")
    }

    fn overrides(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.overrides.lock().expect("the flags' lock")
    }

    fn log_path(&self) -> PathBuf {
        self.plan.folder.with_extension("log")
    }
}

fn private_http() -> reqwest::Client {
    let http = reqwest::Client::builder().no_proxy();
    let http = http.timeout(Duration::from_secs(2)).build();
    http.expect("an HTTP client")
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}

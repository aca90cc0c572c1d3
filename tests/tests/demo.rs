//! Promise: `threefold demo` sets everything up, keeps it running, stops it cleanly, and has the data on its next start.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use threefold_api::child_process::ChildProcess;
use threefold_tests::client::{Client, NewExpense};
use threefold_tests::ports::{Port, reserve_row};
use threefold_tests::wait::until;
use threefold_tests::{DatabaseKind, binary};

const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(40);

/// A demo on ports of its own.
struct Demo {
    process: ChildProcess,
    said: Arc<Mutex<String>>,
}

struct Place {
    folder: TempDir,
    database: DatabaseKind,
    public: Vec<Port>,
    peer: Vec<Port>,
    postgres: Vec<Port>,
}

impl Place {
    fn new(database: DatabaseKind) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("threefold-demo-")
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir()
            .unwrap();
        Self {
            folder,
            database,
            public: reserve_row(3),
            peer: reserve_row(3),
            postgres: reserve_row(3),
        }
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    fn client(&self, id: usize) -> Client {
        Client::new(&format!(
            "http://127.0.0.1:{}",
            self.public[id - 1].number()
        ))
    }

    fn command(&self) -> Command {
        let database = match self.database {
            DatabaseKind::Postgres => "postgres",
            DatabaseKind::Sqlite => "sqlite",
        };
        let mut command = binary::command();
        command
            .args(["demo", "--database", database, "--data"])
            .arg(self.data())
            .args(["--public-port", &self.public[0].number().to_string()])
            .args(["--peer-port", &self.peer[0].number().to_string()])
            .args(["--postgres-port", &self.postgres[0].number().to_string()])
            .stdin(Stdio::null());
        command
    }

    /// Starts it and waits until it says that it serves.
    async fn start(&self) -> Demo {
        self.start_by(self.command()).await
    }

    async fn start_by(&self, mut command: Command) -> Demo {
        let (reader, writer) = std::io::pipe().unwrap();
        command.stdout(writer.try_clone().unwrap()).stderr(writer);
        let process = ChildProcess::spawn(&mut command).unwrap();
        drop(command);
        let said = Arc::<Mutex<String>>::default();
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                let mut heard = heard.lock().unwrap();
                heard.push_str(&line);
                heard.push('\n');
            }
        });
        let mut demo = Demo { process, said };
        demo.wait_until_it_says("Ctrl-C stops everything", START_TIMEOUT)
            .await;
        demo
    }

    fn assert_nothing_listens(&self) {
        for port in self.public.iter().chain(&self.peer).chain(&self.postgres) {
            TcpListener::bind(("127.0.0.1", port.number())).unwrap();
        }
    }
}

impl Demo {
    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    async fn wait_until_it_says(&mut self, text: &str, timeout: Duration) {
        until(&format!("the demo to say {text:?}"), timeout, async || {
            let said = self.said();
            if said.contains(text) {
                return Ok(());
            }
            assert!(
                self.process.exited().unwrap().is_none(),
                "the demo has ended: {said}"
            );
            Err(said)
        })
        .await;
    }

    /// The process of a replica, found by its arguments among all that run.
    fn replica_process(&self, data: &Path, id: u16) -> i32 {
        let (data, id) = (data.to_str().unwrap(), id.to_string());
        fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
            .find(|process_id| {
                let command =
                    fs::read_to_string(format!("/proc/{process_id}/cmdline")).unwrap_or_default();
                let arguments: Vec<&str> = command.split('\0').collect();
                arguments.get(1) == Some(&"serve")
                    && arguments
                        .windows(2)
                        .any(|pair| pair == ["--id", id.as_str()])
                    && arguments.iter().any(|argument| argument.starts_with(data))
            })
            .expect("a replica that runs")
    }

    async fn stop(mut self, signal: Signal) {
        self.process.signal(signal).unwrap();
        let status = self.process.wait(STOP_TIMEOUT).await.unwrap();
        assert!(status.expect("the demo stops").success(), "{}", self.said());
    }
}

async fn a_demo_lives_and_is_taken_up_again(database: DatabaseKind) {
    let place = Place::new(database);

    // First start: it says where everything is, and its curl lines work.
    let mut demo = place.start().await;
    let said = demo.said();
    for port in &place.public {
        let address = format!("http://127.0.0.1:{}", port.number());
        assert!(said.contains(&format!("{address}/ ")), "{said}");
        assert!(said.contains(&format!("{address}/graphql ")), "{said}");
    }
    let addresses: Vec<&str> = said
        .split_whitespace()
        .filter(|word| word.starts_with("http://"))
        .collect();
    let first = format!("http://127.0.0.1:{}/", place.public[0].number());
    assert_eq!(addresses[..2], [first.clone(), format!("{first}graphiql")]);
    let lines: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("curl "))
        .collect();
    let [add, read] = lines.as_slice() else {
        panic!("two curl lines: {said}")
    };
    let answer = shell(add);
    assert!(
        answer.contains("\"Coffee\"") && answer.contains("\"userErrors\":[]"),
        "{answer}"
    );
    let answer = shell(read);
    assert!(answer.contains("\"Coffee\""), "{answer}");
    let secret = place.data().join("cluster-secret");
    assert_eq!(
        fs::metadata(&secret).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let secret_text = fs::read_to_string(&secret).unwrap();

    // A second demo in the same place says what is in the way.
    let output = place.command().output().unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("another demo"), "{error}");

    // A replica that dies is started again, after five seconds and not before.
    let died = Instant::now();
    kill(
        Pid::from_raw(demo.replica_process(&place.data(), 2)),
        Signal::SIGKILL,
    )
    .unwrap();
    demo.wait_until_it_says("Replica 2 died", Duration::from_secs(5))
        .await;
    place
        .client(1)
        .add_expense(&NewExpense::described("meanwhile"))
        .await
        .unwrap()
        .accepted();
    demo.wait_until_it_says("Replica 2 is started again", Duration::from_secs(15))
        .await;
    assert!(
        died.elapsed() >= Duration::from_millis(4_500),
        "started again after {:?}",
        died.elapsed()
    );
    until(
        "replica 2 to have what it missed",
        Duration::from_secs(30),
        async || {
            let page = place
                .client(2)
                .expenses(10)
                .await
                .map_err(|error| error.to_string())?;
            if page.total_count == 2 {
                Ok(())
            } else {
                Err(format!("{page:?}"))
            }
        },
    )
    .await;

    // Stopped: nothing is left behind but the data.
    demo.stop(Signal::SIGTERM).await;
    place.assert_nothing_listens();

    // Second start: the data is there, and the secret is the same.
    let demo = place.start().await;
    for id in 1..=3 {
        assert_eq!(place.client(id).expenses(10).await.unwrap().total_count, 2);
    }
    assert_eq!(fs::read_to_string(&secret).unwrap(), secret_text);
    demo.stop(Signal::SIGINT).await;
    place.assert_nothing_listens();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_lives_and_is_taken_up_again_on_postgres() {
    a_demo_lives_and_is_taken_up_again(DatabaseKind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_lives_and_is_taken_up_again_on_sqlite() {
    a_demo_lives_and_is_taken_up_again(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_started_again_where_the_binary_was_built_anew() {
    let place = Place::new(DatabaseKind::Sqlite);
    let program = place.folder.path().join("threefold");
    fs::copy(binary::path(), &program).unwrap();
    let mut command = Command::new(&program);
    command.args(place.command().get_args());
    let mut demo = place.start_by(command).await;

    fs::remove_file(&program).unwrap();
    let process = demo.replica_process(&place.data(), 2);
    kill(Pid::from_raw(process), Signal::SIGKILL).unwrap();
    demo.wait_until_it_says("Replica 2 is started again", Duration::from_secs(15))
        .await;
    until("replica 2 to serve", START_TIMEOUT, async || {
        let page = place.client(2).expenses(1).await;
        page.map(drop).map_err(|error| error.to_string())
    })
    .await;
    demo.stop(Signal::SIGTERM).await;
    place.assert_nothing_listens();
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let place = Place::new(DatabaseKind::Sqlite);
    let port = place.peer[1].number();
    let _taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let output = place.command().output().unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        error.contains(&format!("port {port} ")) && error.contains("--peer-port"),
        "{error}"
    );
}

#[tokio::test]
async fn rows_of_ports_that_overlap_are_refused() {
    let mut command = binary::command();
    let output = command
        .args(["demo", "--public-port", "9080", "--peer-port", "9081"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("9081"), "{error}");
}

fn shell(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    assert!(
        output.status.success(),
        "{line}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

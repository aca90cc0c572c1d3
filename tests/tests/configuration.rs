//! Promise: every setting of `serve` can be given as a flag, in the environment and in a file, in this order of
//! precedence; what is wrong is named with its place, all at once; and no password is shown.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use threefold_api::config::{Kind, Setting};
use threefold_tests::wait::until;
use threefold_tests::{Cluster, DatabaseKind, binary};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Three values of every setting, none the default: what flag, environment and file say. `FILE` is a file with a secret.
const VALUES: [(&str, [&str; 3]); 25] = [
    ("id", ["1", "2", "3"]),
    ("log", ["warn", "debug", "error"]),
    ("log-limit", ["5", "6", "7"]),
    ("data", ["/flag", "/environment", "/file"]),
    ("listen", ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"]),
    ("peer-listen", ["127.0.0.1:4", "127.0.0.1:5", "127.0.0.1:6"]),
    (
        "peer",
        [
            "1=http://f:1,2=http://f:2,3=http://f:3",
            "1=http://e:1,2=http://e:2,3=http://e:3",
            "1=http://t:1,2=http://t:2,3=http://t:3",
        ],
    ),
    (
        "public-url",
        ["http://flag", "http://environment", "http://file"],
    ),
    (
        "database",
        ["sqlite:///flag", "sqlite:///environment", "sqlite:///file"],
    ),
    ("database-url-file", ["URL1", "URL2", "URL3"]),
    ("cluster-secret-file", ["FILE1", "FILE2", "FILE3"]),
    ("access-token-file", ["FILE1", "FILE2", "FILE3"]),
    ("open", ["true", "true", "true"]),
    ("create-secrets", ["true", "true", "true"]),
    (
        "allow-origin",
        [
            "http://f:1,http://f:2",
            "http://e:1",
            "http://t:1,http://t:2",
        ],
    ),
    ("min-in-sync", ["1", "2", "3"]),
    ("in-sync-timeout-ms", ["1001", "1002", "1003"]),
    ("election-timeout-ms", ["1001", "1002", "1003"]),
    ("write-timeout-ms", ["1001", "1002", "1003"]),
    ("read-timeout-ms", ["1001", "1002", "1003"]),
    ("database-patience-ms", ["1001", "1002", "1003"]),
    ("verify-interval-s", ["1001", "1002", "1003"]),
    ("compact-after-entries", ["1001", "1002", "1003"]),
    ("compact-after-mb", ["1001", "1002", "1003"]),
    ("group-commit", ["false", "false", "false"]),
];
/// As above, where there are but two values.
const LOG_FORMAT: (&str, [&str; 3]) = ("log-format", ["json", "json", "json"]);

/// A folder with what a checked configuration needs.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=3 {
            write(&folder.path().join(format!("FILE{number}")), SECRET);
            let url = format!("postgres://me:hunter{number}@h/d\n");
            write(&folder.path().join(format!("URL{number}")), &url);
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, text: &str) -> PathBuf {
        let path = self.path("threefold.toml");
        write(&path, text);
        path
    }

    /// The value, with the folder before names of files.
    fn value(&self, value: &str) -> String {
        if value.starts_with("FILE") || value.starts_with("URL") {
            self.path(value).display().to_string()
        } else {
            value.to_owned()
        }
    }

    /// What a replica needs beside the setting that a test is about, as lines of a file.
    fn others(&self, key: &str) -> BTreeMap<String, String> {
        let mut lines = BTreeMap::from([
            ("id".to_owned(), "id = 1".to_owned()),
            ("data".to_owned(), "data = '/other'".to_owned()),
            (
                "peer".to_owned(),
                "peer = ['1=http://o:1', '2=http://o:2', '3=http://o:3']".to_owned(),
            ),
            (
                "database".to_owned(),
                "database = 'sqlite:///other'".to_owned(),
            ),
            (
                "cluster-secret-file".to_owned(),
                format!("cluster-secret-file = '{}'", self.path("FILE1").display()),
            ),
        ]);
        lines.remove(key);
        if key == "database-url-file" {
            lines.remove("database");
        }
        lines
    }
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
}

fn check() -> Command {
    let mut command = binary::command();
    command.args(["config", "check"]);
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What `config check` says of one setting: value and source.
fn effective(command: &mut Command, key: &str) -> (String, String) {
    let output = command.args(["--format", "json"]).output().unwrap();
    assert!(output.status.success(), "{key}: {}", said(&output));
    let settings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let setting = settings.iter().find(|it| it["setting"] == key).unwrap();
    let value = match &setting["value"] {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let values: Vec<&str> = values.iter().map(|it| it.as_str().unwrap()).collect();
            values.join(",")
        }
        value => value.to_string(),
    };
    (value, setting["source"].as_str().unwrap().to_owned())
}

/// The line of a file.
fn line(setting: &Setting, value: &str) -> String {
    let key = setting.key();
    match setting.kind() {
        _ if setting.is_list() => {
            let values: Vec<String> = value.split(',').map(|it| format!("\"{it}\"")).collect();
            format!("{key} = [{}]", values.join(", "))
        }
        Kind::Text => format!("{key} = \"{value}\""),
        Kind::Number | Kind::Boolean => format!("{key} = {value}"),
    }
}

#[test]
fn every_setting_can_be_given_in_three_ways_of_which_flags_win() {
    let place = Place::new();
    for setting in Setting::all() {
        let key = setting.key();
        let values = VALUES.iter().chain([&LOG_FORMAT]);
        let (_, values) = values
            .into_iter()
            .find(|(name, _)| *name == key)
            .unwrap_or_else(|| {
                panic!("--{key} is new: give this test three values of it that are not its default")
            });
        let [flag, environment, file] = values.map(|value| place.value(value));
        assert_ne!(setting.default(), Some(flag.as_str()), "{key}");
        let variable = setting
            .variable()
            .unwrap_or_else(|| panic!("--{key} has no variable: give it env = \"THREEFOLD_...\""));
        let mut lines = place.others(key);
        lines.insert(key.to_owned(), line(&setting, &file));
        let lines: Vec<String> = lines.into_values().collect();
        let path = place.file(&lines.join("\n"));

        let mut from_file = check();
        from_file.arg("--config").arg(&path);
        assert_eq!(
            effective(&mut from_file, key),
            (file, "file".to_owned()),
            "{key}"
        );

        let mut from_environment = check();
        from_environment
            .env("THREEFOLD_CONFIG", &path)
            .env(variable, &environment);
        let expected = (environment.clone(), "environment".to_owned());
        assert_eq!(effective(&mut from_environment, key), expected, "{key}");

        let mut from_flag = check();
        from_flag
            .arg("--config")
            .arg(&path)
            .env(variable, &environment);
        if setting.is_switch() {
            from_flag.arg(format!("--{key}"));
        } else {
            from_flag.arg(format!("--{key}={flag}"));
        }
        assert_eq!(
            effective(&mut from_flag, key),
            (flag, "flag".to_owned()),
            "{key}"
        );
    }
}

#[test]
fn everything_that_is_wrong_is_named_at_once_with_its_place() {
    let place = Place::new();
    let path = place.file(
        "id = 4\nin-sync-timeout = 2000\npeer = ['1=http://a:1', '2=http://b:1']\n\
         min-in-sync = '2'\nwrite-timeout-ms = 0\ndata = '/d'\n",
    );
    let output = check()
        .arg("--config")
        .arg(&path)
        .args([
            "--database",
            "mysql://me:hunter2@h/d",
            "--cluster-secret-file",
            "/nowhere",
        ])
        .env("THREEFOLD_READ_TIMEOUT_MS", "0")
        .env("THREEFOLD_ELECTION_TIMEOUT", "900")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let said = said(&output);
    let at = path.display();
    for expected in [
        format!("{at}:1:1: `id`: 4 is none of the --peer ids (1, 2)"),
        format!("{at}:2:1: unknown setting `in-sync-timeout`; did you mean `in-sync-timeout-ms`?"),
        format!("{at}:4:15: `min-in-sync`: a number without quotes is needed here"),
        format!("{at}:5:1: `write-timeout-ms`: 0 ms; give 1 to"),
        "--database: the URL begins with postgres:// or sqlite://".to_owned(),
        "--cluster-secret-file: /nowhere cannot be read".to_owned(),
        "THREEFOLD_READ_TIMEOUT_MS: 0 ms; give 1 to".to_owned(),
        "THREEFOLD_ELECTION_TIMEOUT: no setting has this name; did you mean `THREEFOLD_ELECTION_TIMEOUT_MS`?".to_owned(),
    ] {
        assert!(said.contains(&format!("\n  {expected}")), "{expected} is not in {said}");
    }
    assert!(said.contains(": 8 problems\n"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn what_is_missing_is_named_with_all_ways_to_give_it() {
    let output = binary::command().arg("serve").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    for expected in [
        "--id: is not set; give it, or THREEFOLD_ID, or in a configuration file: id = 1\n",
        "--data: is not set",
        "--peer: is not set",
        "--cluster-secret-file: is not set",
        "--database: is not set",
    ] {
        assert!(said.contains(expected), "{expected} is not in {said}");
    }
    // A file that is no TOML may say everything: only that is told.
    let place = Place::new();
    let path = place.file("id = 1\ndatabase = postgres://me:hunter2@h/d\n");
    let output = check().arg("--config").arg(&path).output().unwrap();
    let said = self::said(&output);
    assert!(said.contains(":2:12: this is no TOML: "), "{said}");
    assert!(
        !said.contains("is not set") && !said.contains("hunter2"),
        "{said}"
    );
}

#[test]
fn no_password_is_shown_and_open_secrets_are_warned_of() {
    let place = Place::new();
    let mut lines = place.others("database");
    lines.insert(
        "database".to_owned(),
        "database = 'postgres://me:hunter2@h/d?sslpassword=hunter3'".to_owned(),
    );
    let lines: Vec<String> = lines.into_values().collect();
    let path = place.file(&lines.join("\n"));
    for format in ["text", "json", "toml"] {
        let output = check()
            .arg("--config")
            .arg(&path)
            .args(["--format", format])
            .output()
            .unwrap();
        let shown = String::from_utf8(output.stdout.clone()).unwrap();
        assert!(shown.contains("postgres://me:***@h/d"), "{shown}");
        assert!(
            !shown.contains("hunter") && !shown.contains(SECRET),
            "{shown}"
        );
        assert_eq!(said(&output), "");
    }
    fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    fs::set_permissions(place.path("FILE1"), PermissionsExt::from_mode(0o444)).unwrap();
    let output = check().arg("--config").arg(&path).output().unwrap();
    assert!(output.status.success());
    for warned in [&path, &place.path("FILE1")] {
        let expected = format!("{} holds a secret, and everybody", warned.display());
        assert!(said(&output).contains(&expected), "{}", said(&output));
    }
}

#[test]
fn the_example_has_every_setting_and_passes_once_it_is_filled_in() {
    let place = Place::new();
    let output = binary::command()
        .args(["config", "example"])
        .output()
        .unwrap();
    let example = String::from_utf8(output.stdout).unwrap();
    for setting in Setting::all() {
        let begins = format!("#{} = ", setting.key());
        assert!(
            example.lines().any(|it| it.starts_with(&begins)),
            "{begins}"
        );
    }
    let as_it_is = check()
        .arg("--config")
        .arg(place.file(&example))
        .output()
        .unwrap();
    assert!(
        said(&as_it_is).contains("--id: is not set"),
        "{}",
        said(&as_it_is)
    );

    // Every default, and the examples of what is required; the other examples name files that are not there.
    let secret = place.path("FILE1").display().to_string();
    let filled: Vec<String> = example
        .lines()
        .map(|line| {
            let key = line.trim_start_matches('#').split(" = ").next().unwrap();
            let settings = Setting::all();
            let setting = settings.iter().find(|it| it.key() == key);
            match setting {
                Some(it) if it.default().is_some() || it.is_required() || key == "database" => {
                    line[1..].replace("/etc/threefold/cluster-secret", &secret)
                }
                _ => line.to_owned(),
            }
        })
        .collect();
    let path = place.file(&filled.join("\n"));
    let mut command = check();
    let (value, source) = effective(command.arg("--config").arg(&path), "id");
    assert_eq!((value.as_str(), source.as_str()), ("1", "file"));

    // And what a check prints as TOML says the same again.
    let output = check()
        .arg("--config")
        .arg(&path)
        .args(["--format", "toml"])
        .output()
        .unwrap();
    let path = place.file(&String::from_utf8(output.stdout).unwrap());
    let again = check().arg("--config").arg(&path).output().unwrap();
    assert!(again.status.success(), "{}", said(&again));
}

/// A whole cluster whose replicas have nothing but a file, and the URL of the database in a file of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_runs_on_a_file_alone() {
    let cluster = Cluster::start(DatabaseKind::Postgres).await;
    let replica = cluster.replica(1);
    let place = Place::new();
    let arguments = replica.arguments();
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in arguments[1..].chunks(2) {
        let key = pair[0].trim_start_matches("--").to_owned();
        lines.entry(key).or_default().push(pair[1].clone());
    }
    let url = lines.remove("database").unwrap().remove(0);
    write(&place.path("url"), &format!("{url}\n"));
    let url_file = place.path("url").display().to_string();
    lines.insert("database-url-file".to_owned(), vec![url_file]);
    let settings = Setting::all();
    let text: Vec<String> = lines
        .iter()
        .map(|(key, values)| {
            let setting = settings.iter().find(|it| it.key() == key).unwrap();
            line(setting, &values.join(","))
        })
        .collect();
    let path = place.file(&text.join("\n"));
    replica.terminate().await;

    // As systemd starts it: it is told when the replica is up, and when it stops.
    let heard = place.path("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&heard).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut process = binary::command()
        .args(["serve", "--config"])
        .arg(&path)
        .env("NOTIFY_SOCKET", &heard)
        .env("THREEFOLD_COLOUR", "green")
        .stderr(fs::File::create(place.path("log")).unwrap())
        .spawn()
        .unwrap();
    let hear = || {
        let mut buffer = [0; 256];
        let bytes = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..bytes]).trim().to_owned()
    };
    assert_eq!(hear(), "READY=1");
    let client = reqwest::Client::new();
    until(
        "the replica to serve",
        Duration::from_secs(30),
        async || {
            let answer = client.get(format!("{}/readyz", replica.url())).send().await;
            match answer {
                Ok(answer) if answer.status().is_success() => Ok(()),
                other => Err(format!("{other:?}")),
            }
        },
    )
    .await;
    kill(Pid::from_raw(process.id() as i32), Signal::SIGTERM).unwrap();
    assert_eq!(hear(), "STOPPING=1");
    assert!(process.wait().unwrap().success());
    let log = fs::read_to_string(place.path("log")).unwrap();
    assert!(
        log.contains("THREEFOLD_COLOUR: no setting has this name"),
        "{log}"
    );
}

/// The table of docs/configuration.md, made from the flags.
fn table() -> String {
    let mut text = String::new();
    let mut heading = None;
    let mut settings = Setting::all();
    let headings: Vec<Option<String>> = settings
        .iter()
        .map(|it| it.heading().map(str::to_owned))
        .collect();
    settings.sort_by_key(|it| {
        let own = it.heading().map(str::to_owned);
        headings.iter().position(|other| *other == own)
    });
    for setting in &settings {
        let own = setting
            .heading()
            .unwrap_or_else(|| panic!("--{} has no help_heading: give it one", setting.key()));
        if heading != Some(own) {
            heading = Some(own);
            text.push_str(&format!("\n### {own}\n\n"));
            text.push_str("| key | flag | variable | default | meaning |\n|---|---|---|---|---|\n");
        }
        let key = setting.key();
        let flag = if setting.is_switch() {
            format!("--{key}")
        } else {
            format!("--{key} {}", setting.value_name())
        };
        let default = match setting.default() {
            Some(default) => format!("`{default}`"),
            None if setting.is_required() => "required".to_owned(),
            None => "-".to_owned(),
        };
        text.push_str(&format!(
            "| `{key}` | `{flag}` | `{}` | {default} | {} |\n",
            setting.variable().unwrap_or_default(),
            setting.help().replace('\n', " ").replace('|', "\\|"),
        ));
    }
    text.push('\n');
    text
}

#[test]
fn docs_tell_every_setting() {
    const BEGIN: &str = "<!-- settings -->\n";
    const END: &str = "<!-- end of settings -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (told, after) = rest.split_once(END).unwrap();
    let table = table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(
            told, table,
            "docs/configuration.md is stale: run this test with UPDATE_DOCS=1"
        );
    }
}

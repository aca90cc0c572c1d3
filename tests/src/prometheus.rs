//! A real Prometheus server that watches a cluster, with the alert rules that are shipped.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use threefold_api::child_process::ChildProcess;

use crate::Cluster;
use crate::ports::{self, Port};
use crate::wait::until;

const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The server. It ends when this is dropped.
#[derive(Debug)]
pub struct Prometheus {
    _process: ChildProcess,
    http: reqwest::Client,
    url: String,
    _port: Port,
}

/// One series and its value at this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its labels, `__name__` among them where it has a name.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

/// The folder of the rules and the configuration that are shipped.
pub fn shipped() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    workspace.expect("the workspace").join("docker/prometheus")
}

/// Runs `promtool` in a folder, with something to read.
pub fn promtool(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let path = folder.join(format!("promtool-input-{}", uuid::Uuid::new_v4()));
    fs::write(&path, input).expect("something to read");
    let output = Command::new("promtool")
        .args(arguments)
        .current_dir(folder)
        .stdin(fs::File::open(&path).expect("something to read"))
        .output()
        .expect("promtool, from Debian's package prometheus: `make deps` installs it");
    fs::remove_file(&path).expect("it was there");
    output
}

impl Prometheus {
    /// Watches all replicas of a cluster, every second, with the shipped rules; their alerts wait a second and no minute.
    pub async fn watch(cluster: &Cluster) -> Self {
        let folder = cluster.file("prometheus");
        fs::create_dir_all(&folder).expect("a folder for Prometheus");
        let rules = fs::read_to_string(shipped().join("alerts.yml")).expect("the alert rules");
        fs::write(folder.join("alerts.yml"), without_waits(&rules)).expect("the rules");
        fs::write(folder.join("prometheus.yml"), configuration(cluster)).expect("a configuration");

        let port = ports::reserve();
        let log = fs::File::create(folder.join("log")).expect("a log");
        let mut command = Command::new("prometheus");
        command
            .arg("--config.file=prometheus.yml")
            .arg("--storage.tsdb.path=data")
            .arg(format!("--web.listen-address=127.0.0.1:{}", port.number()))
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log);
        let process = ChildProcess::spawn(&mut command)
            .expect("prometheus, from Debian's package: `make deps` installs it");
        let http = reqwest::Client::builder().no_proxy();
        let prometheus = Self {
            _process: process,
            http: http
                .timeout(Duration::from_secs(10))
                .build()
                .expect("an HTTP client"),
            url: format!("http://127.0.0.1:{}", port.number()),
            _port: port,
        };
        let all = cluster.replicas().len() as f64;
        until(
            "Prometheus to see all replicas",
            START_TIMEOUT,
            async || {
                let up = prometheus.query("sum(up)").await?;
                match up.first() {
                    Some(sample) if sample.value == all => Ok(()),
                    other => Err(format!("{other:?}")),
                }
            },
        )
        .await;
        prometheus
    }

    /// What an expression comes to now. An error is Prometheus' own, or there was no answer.
    pub async fn query(&self, expression: &str) -> Result<Vec<Sample>, String> {
        let data = self.ask("query", Some(expression)).await?;
        let result = data["result"].as_array().ok_or("no result")?;
        if data["resultType"] == "scalar" {
            let value = number(&data["result"][1])?;
            let labels = BTreeMap::new();
            return Ok(vec![Sample { labels, value }]);
        }
        result
            .iter()
            .map(|series| {
                Ok(Sample {
                    labels: serde_json::from_value(series["metric"].clone())
                        .map_err(|error| error.to_string())?,
                    value: number(&series["value"][1])?,
                })
            })
            .collect()
    }

    /// The same expression as Prometheus' own parser writes it.
    pub async fn format(&self, expression: &str) -> Result<String, String> {
        let data = self.ask("format_query", Some(expression)).await?;
        Ok(data.as_str().ok_or("no text")?.to_owned())
    }

    /// The alerts that fire, with labels and annotations.
    pub async fn firing(&self) -> Result<Vec<Value>, String> {
        let data = self.ask("alerts", None).await?;
        let alerts = data["alerts"].as_array().ok_or("no alerts")?;
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        Ok(firing.cloned().collect())
    }

    /// Waits until an alert with these labels fires, and returns it.
    pub async fn wait_for_alert(&self, labels: &[(&str, &str)], timeout: Duration) -> Value {
        until(&format!("the alert {labels:?}"), timeout, async || {
            let firing = self.firing().await?;
            let wanted = firing.iter().find(|alert| {
                labels
                    .iter()
                    .all(|(name, value)| alert["labels"][name] == *value)
            });
            wanted.cloned().ok_or(format!("these fire: {firing:?}"))
        })
        .await
    }

    async fn ask(&self, what: &str, expression: Option<&str>) -> Result<Value, String> {
        let address = format!("{}/api/v1/{what}", self.url);
        let request = match expression {
            Some(expression) => self
                .http
                .post(address)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(format!("query={}", encoded(expression))),
            None => self.http.get(address),
        };
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let mut answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        match answer["status"].as_str() {
            Some("success") => Ok(answer["data"].take()),
            _ => Err(answer["error"].to_string()),
        }
    }
}

fn number(value: &Value) -> Result<f64, String> {
    let text = value.as_str().ok_or("no number")?;
    match text {
        "+Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        text => text.parse().map_err(|_| format!("no number: {text}")),
    }
}

/// As in a form.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        if byte.is_ascii_alphanumeric() {
            all.push(char::from(byte));
        } else {
            all.push_str(&format!("%{byte:02X}"));
        }
        all
    })
}

/// The rules with every wait of an alert cut to a second. What they wait in earnest is what `promtool test rules` looks at.
fn without_waits(rules: &str) -> String {
    let lines = rules.lines().map(|line| match line.split_once("for: ") {
        Some((before, _)) if before.trim().is_empty() => format!("{before}for: 1s"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The shipped configuration's job, for these addresses and faster.
fn configuration(cluster: &Cluster) -> String {
    let targets: String = cluster
        .replicas()
        .iter()
        .map(|replica| {
            let address = replica.peer_url().replace("http://", "");
            let id = replica.id();
            format!("      - targets: [\"{address}\"]\n        labels: {{ replica: \"{id}\" }}\n")
        })
        .collect();
    format!(
        "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n  evaluation_interval: 1s\n\
         rule_files: [alerts.yml]\n\
         scrape_configs:\n  - job_name: threefold\n    static_configs:\n{targets}"
    )
}

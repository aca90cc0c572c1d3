//! What `/metrics` of one replica says.

use std::collections::{BTreeMap, BTreeSet};

use threefold_tests::Cluster;
use threefold_tests::cluster::Replica;

/// The page in both formats.
pub struct Page {
    pub text: String,
    pub open: String,
}

/// One metric as it is described.
#[derive(Clone)]
pub struct Family {
    pub kind: String,
    pub help: String,
    pub labels: BTreeSet<String>,
}

struct Line<'a> {
    name: &'a str,
    labels: BTreeMap<&'a str, &'a str>,
    value: f64,
}

impl Page {
    pub async fn of(replica: &Replica) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let get = async |accept: &str, expected: &str| {
            // Without the cluster secret: Prometheus has none.
            let request = http.get(format!("{}/metrics", replica.peer_url()));
            let answer = request.header("Accept", accept).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            let kind = answer.headers()["content-type"]
                .to_str()
                .unwrap()
                .to_owned();
            assert!(kind.starts_with(expected), "{kind}");
            answer.text().await.unwrap()
        };
        let open = "application/openmetrics-text";
        Self {
            text: get("*/*", "text/plain; version=0.0.4").await,
            open: get(&format!("{open};version=1.0.0,text/plain;q=0.5"), open).await,
        }
    }

    pub async fn of_all(cluster: &Cluster) -> Vec<Self> {
        let mut pages = Vec::new();
        for replica in cluster.replicas() {
            pages.push(Self::of(replica).await);
        }
        pages
    }

    /// The sum over all series of that name with these labels. A name that is not there fails the test.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let mut named = self.lines().filter(|line| line.name == name).peekable();
        assert!(named.peek().is_some(), "no {name}");
        named
            .filter(|line| {
                labels
                    .iter()
                    .all(|(key, value)| line.labels.get(key) == Some(value))
            })
            .map(|line| line.value)
            .sum()
    }

    /// The labels of the first series of that name.
    pub fn labels(&self, name: &str) -> BTreeMap<&str, &str> {
        let mut lines = self.lines();
        lines.find(|line| line.name == name).unwrap().labels
    }

    pub fn series(&self) -> usize {
        self.lines().count()
    }

    /// Everything described, by name; samples of nothing described fail the test.
    pub fn families(&self) -> BTreeMap<String, Family> {
        let mut families: BTreeMap<String, Family> = BTreeMap::new();
        for line in self.text.lines() {
            let mut words = line.splitn(4, ' ');
            match (words.next(), words.next(), words.next(), words.next()) {
                (Some("#"), Some("HELP"), Some(name), Some(help)) => {
                    let family = Family {
                        kind: String::new(),
                        help: help.to_owned(),
                        labels: BTreeSet::new(),
                    };
                    let known = families.insert(name.to_owned(), family);
                    assert!(known.is_none(), "{name} is described twice");
                }
                (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                    families.get_mut(name).unwrap().kind = kind.to_owned();
                }
                _ => {}
            }
        }
        for line in self.lines() {
            let parts = ["_bucket", "_sum", "_count"];
            let base = parts.iter().find_map(|part| {
                let base = line.name.strip_suffix(part)?;
                families.contains_key(base).then_some(base)
            });
            let family = families.get_mut(base.unwrap_or(line.name));
            let family = family.unwrap_or_else(|| panic!("{} is not described", line.name));
            let labels = line.labels.keys().filter(|label| **label != "le");
            family
                .labels
                .extend(labels.map(|label| (*label).to_owned()));
        }
        families
    }

    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let samples = self.text.lines().filter(|line| !line.starts_with('#'));
        samples.map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let value = value.parse().unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let labels = labels.strip_suffix('}').unwrap();
            // No value here has a quote or a comma in it.
            let labels = labels.split(',').filter(|label| !label.is_empty());
            let labels = labels.map(|label| {
                let (key, value) = label.split_once('=').unwrap();
                (key, value.trim_matches('"'))
            });
            Line {
                name,
                labels: labels.collect(),
                value,
            }
        })
    }
}

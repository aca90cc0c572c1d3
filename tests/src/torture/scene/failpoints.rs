//! Failpoints of the replicas: setting them, and counting how often they have acted.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::Scene;

/// What a process says at a failpoint at which it ends, around the failpoint's name.
const ENDS: (&str, &str) = ("failpoint ", ": the process ends here");

impl Scene {
    /// Sets a failpoint where the replica takes it.
    pub async fn set_failpoint(&self, id: u16, name: &str, action: &str) -> bool {
        if !self.cluster.replica(id).is_running() {
            return false;
        }
        let key = (id, name.to_owned());
        match action {
            "off" => self.left().failpoints.remove(&key),
            _ => self.left().failpoints.insert(key),
        };
        self.cluster.replica(id).set_failpoint(name, action).await
    }

    /// Lets all failpoints be that were set.
    pub(super) async fn reset_failpoints(&self) {
        let set = self.left().failpoints.clone();
        for (id, name) in set {
            self.set_failpoint(id, &name, "off").await;
        }
        self.left().failpoints.clear();
    }

    /// Asks the members how often their failpoints have acted. What a process has counted after it was asked last goes with it.
    pub async fn count_failpoints(&self) {
        let running = self.replicas().into_iter().filter(|r| r.is_running());
        let asked = join_all(running.map(|replica| async move {
            let process = (replica.id(), replica.pid());
            Some((process, replica.failpoints_acted().await?))
        }));
        for (process, acted) in asked.await.into_iter().flatten() {
            self.left().acted.insert(process, acted);
        }
    }

    /// How often processes have ended at a failpoint, by their logs.
    pub fn ends_at(&self, id: u16, name: &str) -> usize {
        let (begin, end) = ENDS;
        let said = format!("{begin}{name}{end}");
        self.cluster.replica(id).log().matches(&said).count()
    }

    /// How often each failpoint has acted: as far as that was counted, and every time that it has ended a process.
    pub fn acted(&self) -> BTreeMap<String, u64> {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for (name, times) in self.left().acted.values().flatten() {
            *sums.entry(name.clone()).or_default() += times;
        }
        let (begin, end) = ENDS;
        for replica in self.cluster.everybody() {
            for line in replica.log().lines() {
                let name = line.strip_prefix(begin).and_then(|l| l.strip_suffix(end));
                if let Some(name) = name {
                    *sums.entry(name.to_owned()).or_default() += 1;
                }
            }
        }
        sums
    }
}

//! What is read at the moment somebody asks: how this replica is, and how it sees the others.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::consensus;
use crate::database::Pool;
use crate::replica::Replica;
use crate::running::Running;
use crate::status::Role;

/// See the module.
pub(crate) struct ReplicaCollector(pub(crate) Replica);

impl fmt::Debug for ReplicaCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplicaCollector({})", self.0.id())
    }
}

impl Collector for ReplicaCollector {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let mut page = Page(encoder);
        let ready = self.0.ready().is_ok();
        page.gauge("ready", "1 if /readyz says that this replica serves", ready)?;
        database(&mut page, &self.0.inner.db.pools())?;
        let size = self.0.log_size();
        page.gauge(
            "log_last_index",
            "Index of the last entry in this replica's log",
            size.last_index,
        )?;
        page.gauge(
            "log_entries",
            "Entries in the log, those that were cut off not counted",
            size.entries,
        )?;
        page.sized("log_size", "Space of the log on the disk", size.bytes)?;
        match self.0.running() {
            Some(running) => cluster(&mut page, running),
            None => Ok(()),
        }
    }
}

fn database(page: &mut Page<'_>, pools: &[Pool]) -> fmt::Result {
    let connections = pools.iter().flat_map(|pool| {
        let label = |state| [("pool", pool.name), ("state", state)];
        let used = pool.size.saturating_sub(pool.idle);
        [(label("idle"), pool.idle), (label("used"), used)]
    });
    page.gauges(
        "database_connections",
        "Connections to this replica's own database",
        connections,
    )?;
    let limits = pools.iter().map(|pool| ([("pool", pool.name)], pool.limit));
    page.gauges(
        "database_connections_limit",
        "Most connections that there may be to the database",
        limits,
    )
}

fn cluster(page: &mut Page<'_>, running: &Running) -> fmt::Result {
    let view = consensus::view(&running.raft);
    let leads = view.role == Role::Leader;
    page.gauge(
        "is_leader",
        "1 if this replica says of itself that it leads",
        leads,
    )?;
    page.gauge(
        "has_leader",
        "1 if this replica knows a leader",
        view.leader.is_some(),
    )?;
    page.gauge("term", "Election term", view.term)?;
    let quarantined = running.alarm.quarantine().is_some();
    page.gauge(
        "quarantined",
        "1 if its history or its tables differ from the others', so that it serves nothing",
        quarantined,
    )?;
    let statuses = running.statuses();
    page.gauge(
        "history_undecided",
        "1 if another replica has another history than this one, and no majority tells whose is right",
        running.alarm.is_in_doubt(statuses.len()),
    )?;

    let applied = *running.applied.borrow();
    page.gauge(
        "revision",
        "Last revision in this replica's database",
        applied.revision.get(),
    )?;
    page.gauge(
        "applied_index",
        "Index of the last log entry applied to this replica's database",
        applied.index.unwrap_or(0),
    )?;

    let in_sync = statuses.iter().filter(|status| status.in_sync).count();
    let required = running
        .config
        .min_in_sync
        .unwrap_or(view.voters.len() / 2 + 1);
    page.gauge(
        "in_sync_replicas",
        "Replicas in sync as this one sees it; the leader's view is the one that counts",
        in_sync as u64,
    )?;
    page.gauge(
        "in_sync_replicas_required",
        "Fewest replicas in sync for a mutation to be taken",
        required as u64,
    )?;
    let own = running.config.id;
    let lag = statuses
        .iter()
        .filter(|status| status.id == own)
        .map(|status| status.lag)
        .sum::<u64>();
    page.gauge(
        "lag_revisions",
        "Revisions that this replica is behind the newest it has heard of",
        lag,
    )?;
    let peers = || statuses.iter().filter(|status| status.id != own);
    let label = |id: u64| [("peer", id)];
    let lags = peers().map(|peer| (label(peer.id), peer.lag));
    page.gauges(
        "peer_lag_revisions",
        "Revisions that a peer is behind the newest this replica has heard of",
        lags,
    )?;
    let synced = peers().map(|peer| (label(peer.id), u64::from(peer.in_sync)));
    page.gauges(
        "peer_in_sync",
        "1 if a peer is in sync as this replica sees it",
        synced,
    )?;
    let reachable = peers().map(|peer| (label(peer.id), u64::from(peer.role != Role::Unreachable)));
    page.gauges(
        "peer_reachable",
        "1 if a peer has been heard from within the in-sync timeout",
        reachable,
    )?;

    let queues = running.queues();
    let depths = queues
        .iter()
        .map(|queue| ([("queue", queue.name)], queue.depth));
    page.gauges("queue_depth", "What waits for its turn: proposals for the log, forwarded for the leader, reads for a read round", depths)?;
    let limits = queues
        .iter()
        .map(|queue| ([("queue", queue.name)], queue.limit));
    page.gauges(
        "queue_limit",
        "What a queue holds at most; more is refused",
        limits,
    )?;

    let (subscribers, behind) = running.feed.subscribers();
    page.gauge(
        "feed_subscribers",
        "Subscribers to the feed of changes at this replica",
        subscribers,
    )?;
    page.gauge(
        "feed_behind_revisions",
        "Revisions that the slowest subscriber to the feed still has to be given",
        behind,
    )
}

/// Writes gauges.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: impl Into<u64>) -> fmt::Result {
        let encoder = self
            .0
            .encode_descriptor(name, &sentence(help), None, MetricType::Gauge)?;
        ConstGauge::new(value.into()).encode(encoder)
    }

    fn sized(&mut self, name: &str, help: &str, bytes: u64) -> fmt::Result {
        let encoder = self.0.encode_descriptor(
            name,
            &sentence(help),
            Some(&Unit::Bytes),
            MetricType::Gauge,
        )?;
        ConstGauge::new(bytes).encode(encoder)
    }

    fn gauges<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl Iterator<Item = (L, u64)>,
    ) -> fmt::Result {
        let mut encoder =
            self.0
                .encode_descriptor(name, &sentence(help), None, MetricType::Gauge)?;
        for (labels, value) in values {
            ConstGauge::new(value).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// The library ends the helps of what is registered like this.
fn sentence(help: &str) -> String {
    format!("{help}.")
}

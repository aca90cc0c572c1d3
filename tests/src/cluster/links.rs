//! What lies between replicas: a TCP proxy for each that calls and each that is called, which a test can cut, slow down or
//! make lose things.
//!
//! A replica's `--peer` flags name the proxies. For itself they name its entry, a proxy for whoever knows no other: it is what others
//! are told by the replica and by an operator who adds it. Since all who come that way look alike, whatever befalls one way to or from a
//! replica befalls its entry.

mod pump;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::ports::{self, Port};

/// How often a port is tried again that cannot be listened on, or where nobody listens.
const PAUSE: Duration = Duration::from_millis(10);

/// What happens to bytes on their way from one replica to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Condition {
    /// They arrive.
    #[default]
    Open,
    /// They wait until it is over, and arrive late: a cable that is pulled out and put back.
    Cut,
    /// Connections break, and new ones are refused: a firewall that says no.
    Refused,
    /// They arrive late and slowly.
    Slow {
        /// How late.
        latency: Duration,
        /// How many at most.
        bytes_per_second: u64,
    },
    /// Some arrive late, as if they had been lost and sent again; now and then a connection breaks.
    Lossy {
        /// How many in a hundred pieces.
        percent: u64,
    },
}

/// The wire from one replica to another, and its condition. Of an entry, one end is [`ANYBODY`].
type Wires = BTreeMap<(u16, u16), watch::Sender<Condition>>;

/// Whoever comes to an entry.
const ANYBODY: u16 = 0;

/// All links of a cluster. Ended when it is dropped.
#[derive(Debug)]
pub struct Links {
    wires: Arc<Wires>,
    /// Where a replica finds another; for itself, its entry.
    ports: BTreeMap<(u16, u16), Port>,
    _proxies: JoinSet<()>,
}

/// One proxy: from whom, to whom, and on which wires bytes go there and back.
#[derive(Clone)]
struct Link {
    listen: u16,
    target: u16,
    there: watch::Receiver<Condition>,
    back: watch::Receiver<Condition>,
}

impl Links {
    /// Links between replicas that listen at these ports, in the order of their ids.
    pub(super) async fn start(targets: &[u16]) -> Self {
        let ids = || (1..).zip(targets.iter().copied());
        let pairs =
            || ids().flat_map(|(from, _)| ids().map(move |(to, target)| (from, to, target)));
        let between = pairs().map(|(from, to, _)| (from, to));
        let between = between.filter(|(from, to)| from != to);
        let entries = ids().flat_map(|(id, _)| [(ANYBODY, id), (id, ANYBODY)]);
        let wires = between.chain(entries);
        let wires: Arc<Wires> =
            Arc::new(wires.map(|wire| (wire, watch::Sender::default())).collect());
        let mut ports = BTreeMap::new();
        let mut proxies = JoinSet::new();
        for (from, to, target) in pairs() {
            let port = ports::reserve();
            let caller = if from == to { ANYBODY } else { from };
            let link = Link {
                listen: port.number(),
                target,
                there: wires[&(caller, to)].subscribe(),
                back: wires[&(to, caller)].subscribe(),
            };
            let listener = link.listener().await;
            proxies.spawn(link.run(listener));
            ports.insert((from, to), port);
        }
        Self {
            wires,
            ports,
            _proxies: proxies,
        }
    }

    /// The address at which anybody finds a replica.
    pub fn entry(&self, id: u16) -> String {
        format!("http://127.0.0.1:{}", self.port(id, id))
    }

    /// Where one replica finds another.
    pub(super) fn port(&self, from: u16, to: u16) -> u16 {
        self.ports[&(from, to)].number()
    }

    /// What happens to bytes from one replica to another, in calls and answers alike.
    pub fn set(&self, from: u16, to: u16, condition: Condition) {
        self.wires[&(from, to)].send_replace(condition);
        let is_between = |wire: &&(u16, u16)| ![wire.0, wire.1].contains(&ANYBODY);
        let worst = |of: &dyn Fn(&(u16, u16)) -> bool| {
            let wires = self.wires.keys().filter(is_between);
            let mut conditions = wires
                .filter(|wire| of(wire))
                .map(|wire| *self.wires[wire].borrow());
            conditions.find(|condition| *condition != Condition::Open)
        };
        let to_entry = worst(&|wire| wire.1 == to).unwrap_or_default();
        self.wires[&(ANYBODY, to)].send_replace(to_entry);
        let from_entry = worst(&|wire| wire.0 == from).unwrap_or_default();
        self.wires[&(from, ANYBODY)].send_replace(from_entry);
    }

    /// The same for both ways.
    pub fn set_between(&self, one: u16, other: u16, condition: Condition) {
        self.set(one, other, condition);
        self.set(other, one, condition);
    }

    /// The same for everything between the members of one group and those of another.
    pub fn set_between_groups(&self, one: &[u16], others: &[u16], condition: Condition) {
        for from in one {
            for to in others {
                self.set_between(*from, *to, condition);
            }
        }
    }

    /// The same for all.
    pub fn set_all(&self, condition: Condition) {
        for wire in self.wires.values() {
            wire.send_replace(condition);
        }
    }

    /// Everything arrives again.
    pub fn heal(&self) {
        self.set_all(Condition::Open);
    }
}

impl Link {
    async fn listener(&self) -> TcpListener {
        loop {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, self.listen)).await {
                Ok(listener) => return listener,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    fn is_refused(&self) -> bool {
        [&self.there, &self.back]
            .map(|wire| *wire.borrow())
            .contains(&Condition::Refused)
    }

    /// Resolves when one of the wires has changed.
    async fn changed(&mut self) {
        tokio::select! {
            changed = self.there.changed() => drop(changed),
            changed = self.back.changed() => drop(changed),
        }
    }

    async fn run(mut self, listener: TcpListener) {
        let mut listener = Some(listener);
        let mut connections = JoinSet::new();
        loop {
            if self.is_refused() {
                // Nobody listens: whoever calls is told so by the system.
                listener = None;
                connections.abort_all();
                self.changed().await;
                continue;
            }
            if listener.is_none() {
                listener = Some(self.listener().await);
            }
            let Some(open) = &listener else { continue };
            let mut wires = self.clone();
            tokio::select! {
                accepted = open.accept() => {
                    if let Ok((stream, _)) = accepted {
                        connections.spawn(self.clone().carry(stream));
                    }
                }
                () = wires.changed() => self = wires,
                Some(ended) = connections.join_next() => {
                    if matches!(ended, Ok(false)) {
                        // As nobody listens there, nobody listens here: a process that has died shows.
                        listener = None;
                        self.wait_for_target().await;
                    }
                }
            }
        }
    }

    async fn is_listened_to(&self) -> bool {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.target))
            .await
            .is_ok()
    }

    async fn wait_for_target(&self) {
        while !self.is_listened_to().await {
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Carries what one connection has to say, until either end closes it. False where nobody listens any more.
    async fn carry(self, caller: TcpStream) -> bool {
        // A connection is made by packets both ways.
        let mut link = self;
        while [&link.there, &link.back]
            .map(|wire| *wire.borrow())
            .contains(&Condition::Cut)
        {
            link.changed().await;
        }
        let Ok(called) = TcpStream::connect((Ipv4Addr::LOCALHOST, link.target)).await else {
            return false;
        };
        for stream in [&caller, &called] {
            stream.set_nodelay(true).ok();
        }
        let (from_caller, to_caller) = caller.into_split();
        let (from_called, to_called) = called.into_split();
        // The end of either way is the end of the connection.
        tokio::select! {
            () = pump::pump(from_caller, to_called, link.there.clone()) => true,
            () = pump::pump(from_called, to_caller, link.back.clone()) => link.is_listened_to().await,
        }
    }
}

#[cfg(test)]
mod tests;

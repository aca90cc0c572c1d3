//! Where the other replicas are. A `--peer` flag says so, or the membership, for replicas that came later; and a replica
//! that has moved says so itself.
//!
//! One address is in use at a time. The next one is tried when it leads nowhere, so that a wrong one does no harm.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use uuid::Uuid;

use crate::consensus::Node;
use crate::peer::PeerAddress;
use crate::running::lock;

/// The other replicas that this one knows of: those of its flags, and those of the membership.
pub(crate) struct Directory {
    own_id: u64,
    own_url: Option<String>,
    routes: RwLock<BTreeMap<u64, Arc<Route>>>,
}

/// Ways to one replica: three at most, of which one is in use.
pub(crate) struct Route {
    id: u64,
    ways: Mutex<Ways>,
}

#[derive(Default)]
struct Ways {
    /// By a `--peer` flag.
    flag: Option<String>,
    /// By the membership.
    member: Option<Node>,
    /// By its own word, where that is another address.
    said: Option<String>,
    /// The one in use; none: the first.
    in_use: Option<String>,
}

impl Ways {
    /// In the order in which they are tried. An address that an operator gave when the replica was added goes before the
    /// flags, which may speak of one that had the id before.
    fn in_order(&self) -> Vec<&str> {
        let member = self
            .member
            .as_ref()
            .filter(|node| !node.peer_url.is_empty());
        let named = member.filter(|node| node.named);
        let unnamed = member.filter(|node| !node.named && self.flag.is_none());
        let mut ways: Vec<&str> = Vec::with_capacity(3);
        let all = [
            named.map(|node| node.peer_url.as_str()),
            self.flag.as_deref(),
            unnamed.map(|node| node.peer_url.as_str()),
            self.said.as_deref(),
        ];
        for way in all.into_iter().flatten() {
            if !ways.contains(&way) {
                ways.push(way);
            }
        }
        ways
    }

    fn now(&self) -> Option<&str> {
        let ways = self.in_order();
        let in_use = self.in_use.as_deref();
        let in_use = in_use.filter(|way| ways.contains(way));
        in_use.or_else(|| ways.first().copied())
    }
}

impl Route {
    fn new(id: u64, flag: Option<String>) -> Self {
        let ways = Ways {
            flag,
            ..Ways::default()
        };
        Self {
            id,
            ways: Mutex::new(ways),
        }
    }

    /// The address in use; none where nothing is known any more.
    pub(crate) fn address(&self) -> Option<PeerAddress> {
        let ways = lock(&self.ways);
        ways.now().map(|url| PeerAddress {
            id: self.id,
            url: url.to_owned(),
        })
    }

    /// The replica's birth mark, where the membership names it.
    pub(crate) fn birth_mark(&self) -> Option<Uuid> {
        let ways = lock(&self.ways);
        ways.member.as_ref().and_then(|node| node.birth_mark)
    }

    /// The address led nowhere, or to somebody else: the next call goes to the next one, if there is one. Calls that fail
    /// together turn once.
    pub(crate) fn turn(&self, failed: &PeerAddress) {
        let mut ways = lock(&self.ways);
        if ways.now() != Some(failed.url.as_str()) {
            return;
        }
        let order = ways.in_order();
        let used = order.iter().position(|way| *way == failed.url);
        let next = used.and_then(|used| order.get((used + 1) % order.len()));
        let next = next.map(|way| (*way).to_owned());
        ways.in_use = next;
    }

    /// Takes the replica's own word for where it is. True if that is news.
    pub(crate) fn said(&self, url: String) -> bool {
        let mut ways = lock(&self.ways);
        if ways.flag.as_ref() == Some(&url) {
            ways.said = None;
            ways.in_use = None;
            return false;
        }
        let known = ways.in_order().contains(&url.as_str());
        if !known {
            ways.said = Some(url);
        }
        !known
    }
}

impl Directory {
    /// What the flags say.
    pub(crate) fn new(own_id: u64, peers: &[PeerAddress]) -> Self {
        let own = peers.iter().find(|peer| peer.id == own_id);
        let others = peers.iter().filter(|peer| peer.id != own_id);
        let routes = others.map(|peer| (peer.id, Route::new(peer.id, Some(peer.url.clone()))));
        Self {
            own_id,
            own_url: own.map(|own| own.url.clone()),
            routes: RwLock::new(routes.map(|(id, route)| (id, Arc::new(route))).collect()),
        }
    }

    /// Where this replica is, by its own flags.
    pub(crate) fn own_url(&self) -> Option<&str> {
        self.own_url.as_deref()
    }

    /// The ways to a replica.
    pub(crate) fn route(&self, id: u64) -> Option<Arc<Route>> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        routes.get(&id).cloned()
    }

    /// Everybody but this replica.
    pub(crate) fn others(&self) -> Vec<u64> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        routes.keys().copied().collect()
    }

    /// Takes a new membership: replicas that no flag names come and go with it.
    pub(crate) fn follow(&self, members: &BTreeMap<u64, Node>) {
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        for (id, node) in members.iter().filter(|(id, _)| **id != self.own_id) {
            let route = routes
                .entry(*id)
                .or_insert_with(|| Arc::new(Route::new(*id, None)));
            lock(&route.ways).member = Some(node.clone());
        }
        routes.retain(|id, route| {
            let mut ways = lock(&route.ways);
            if !members.contains_key(id) {
                ways.member = None;
            }
            ways.member.is_some() || ways.flag.is_some()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> PeerAddress {
        PeerAddress {
            id: 2,
            url: url.to_owned(),
        }
    }

    fn node(url: &str, named: bool) -> Node {
        Node {
            peer_url: url.to_owned(),
            named,
            ..Node::default()
        }
    }

    fn directory() -> Directory {
        let own = PeerAddress {
            id: 1,
            url: "http://own".to_owned(),
        };
        Directory::new(1, &[own, at("http://flag")])
    }

    #[test]
    fn a_moved_peer_is_sought_where_it_says_it_is_once_the_flag_leads_nowhere() {
        let directory = directory();
        let route = directory.route(2).unwrap();
        let (flag, said) = (at("http://flag"), at("http://said"));
        route.turn(&flag);
        assert_eq!(
            route.address().as_ref(),
            Some(&flag),
            "there is only one way"
        );
        assert!(route.said(said.url.clone()));
        assert!(!route.said(said.url.clone()), "no news");
        assert_eq!(route.address().as_ref(), Some(&flag), "the flag goes first");
        route.turn(&flag);
        route.turn(&flag);
        assert_eq!(
            route.address().as_ref(),
            Some(&said),
            "calls that fail together turn once"
        );
        route.turn(&said);
        assert_eq!(
            route.address().as_ref(),
            Some(&flag),
            "a wrong word does no harm"
        );
        route.turn(&flag);
        assert!(!route.said(flag.url.clone()), "it is back");
        assert_eq!(route.address(), Some(flag));
    }

    #[test]
    fn replicas_that_no_flag_names_come_and_go_with_the_membership() {
        let directory = directory();
        let members = [
            (1, node("http://own", false)),
            (2, node("http://founded", false)),
            (4, node("http://four", true)),
        ];
        directory.follow(&members.into());
        assert_eq!(directory.others(), [2, 4]);
        let url = |id| directory.route(id).and_then(|route| route.address());
        assert_eq!(url(2), Some(at("http://flag")), "the flag goes first");
        assert_eq!(url(4).unwrap().url, "http://four");
        directory.follow(&[(2, node("http://named", true))].into());
        assert_eq!(directory.others(), [2]);
        assert_eq!(
            url(2),
            Some(at("http://named")),
            "an operator's word goes before the flag"
        );
        directory.follow(&BTreeMap::new());
        assert_eq!(url(2), Some(at("http://flag")));
    }
}

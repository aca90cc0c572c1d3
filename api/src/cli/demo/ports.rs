//! The ports of the demo: planned, and looked at before anything starts.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, bail};

use super::{Args, Database, REPLICA_IDS};

/// The first port of each row of three.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    public: u16,
    peer: u16,
    postgres: Option<u16>,
}

impl Ports {
    /// Takes the ports from the flags, and refuses rows that overlap.
    pub(super) fn plan(args: &Args) -> anyhow::Result<Self> {
        let ports = Self {
            public: args.public_port,
            peer: args.peer_port,
            postgres: (args.database == Database::Postgres).then_some(args.postgres_port),
        };
        let mut flag_of_port = BTreeMap::new();
        for (flag, port) in ports.all() {
            if let Some(other) = flag_of_port.insert(port, flag) {
                bail!("{other} and {flag} both need port {port}: each row is three ports long");
            }
        }
        Ok(ports)
    }

    /// Refuses to start where another program has one of the ports, and names it.
    pub(super) fn refuse_used(&self) -> anyhow::Result<()> {
        for (flag, port) in self.all() {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| {
                format!("port {port} on 127.0.0.1 cannot be used; stop what uses it, or choose other ports with {flag}")
            })?;
        }
        Ok(())
    }

    pub(super) fn public(&self, id: u16) -> u16 {
        of_replica(self.public, id)
    }

    pub(super) fn peer(&self, id: u16) -> u16 {
        of_replica(self.peer, id)
    }

    /// The replica's own PostgreSQL server, where it has one.
    pub(super) fn postgres(&self, id: u16) -> Option<u16> {
        self.postgres.map(|first| of_replica(first, id))
    }

    fn all(&self) -> Vec<(&'static str, u16)> {
        let rows = [
            ("--public-port", Some(self.public)),
            ("--peer-port", Some(self.peer)),
            ("--postgres-port", self.postgres),
        ];
        rows.into_iter()
            .filter_map(|(flag, first)| Some((flag, first?)))
            .flat_map(|(flag, first)| REPLICA_IDS.map(|id| (flag, of_replica(first, id))))
            .collect()
    }
}

/// The flags leave room for three ports, so this never saturates.
fn of_replica(first: u16, id: u16) -> u16 {
    first.saturating_add(id.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_named() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let ports = Ports {
            public: port,
            peer: 1,
            postgres: None,
        };
        let error = ports.refuse_used().unwrap_err().to_string();
        assert!(
            error.contains(&format!("port {port} ")) && error.contains("--public-port"),
            "{error}"
        );
    }

    #[test]
    fn each_replica_has_ports_of_its_own() {
        let ports = Ports {
            public: 8081,
            peer: 9081,
            postgres: Some(5441),
        };
        assert_eq!(REPLICA_IDS.map(|id| ports.public(id)), [8081, 8082, 8083]);
        assert_eq!(REPLICA_IDS.map(|id| ports.peer(id)), [9081, 9082, 9083]);
        assert_eq!(
            REPLICA_IDS.map(|id| ports.postgres(id)),
            [Some(5441), Some(5442), Some(5443)]
        );
    }
}

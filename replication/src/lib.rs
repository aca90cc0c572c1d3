//! The heart of Threefold: commands go into a replicated log, the log becomes rows in each replica's own
//! database, and every change comes out again as a feed.
//!
//! Start with [`Replica`], the face of this crate. What can be asked is a [`command::Command`]; what became of it
//! is an [`outcome::Outcome`]. This crate is the only writer of the database, and the only user of the consensus
//! engine (module `consensus`).

#[macro_use]
pub mod failpoint;

pub mod backup;
pub mod change;
pub mod command;
pub mod config;
mod error;
pub mod feed;
pub mod format;
pub mod history;
pub mod metrics;
pub mod operator;
pub mod outcome;
pub mod peer;
pub mod recovery;
mod replica;
pub mod restore;
#[cfg(feature = "simulation")]
pub mod simulation;
pub mod status;
pub mod trace;
pub mod verify;

#[cfg(any(test, feature = "conformance"))]
pub use consensus::{conformance, fixtures};
pub use error::ServiceError;
pub use replica::{Fault, ReadConsistency, Replica};

mod abstention;
mod acknowledgement;
mod admission;
mod alarm;
mod board;
mod compaction;
mod consensus;
mod database;
mod departure;
mod directory;
mod folder;
mod follow;
mod formation;
mod forward;
mod group_commit;
mod handover;
mod identity;
mod members;
mod membership;
mod peer_service;
mod proposal;
mod read_barrier;
mod receiver;
mod removed;
mod retention;
mod running;
mod store;
mod succession;
mod transition;
mod wire;
mod working_set;

//! What the tests of whole clusters are written with: real processes, real databases, real faults.
//!
//! Start reading at [`cluster::Cluster`]. Everything here fails the test at once, by panicking, when what it was asked
//! for does not happen; everything that waits has a bound.

pub mod bench;
pub mod binary;
pub mod client;
pub mod cluster;
pub mod collector;
pub mod feed;
pub mod inspect;
pub mod load;
pub mod measure;
pub mod operator;
pub mod ports;
pub mod postgres;
pub mod prometheus;
pub mod recorder;
pub mod socket;
pub mod torture;
pub mod verify;
pub mod wait;

pub use client::Client;
pub use cluster::{Cluster, DatabaseKind};

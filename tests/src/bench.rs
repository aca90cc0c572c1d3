//! What `make bench` runs: Threefold beside what people use today, on this machine, in turns, with the same clients, the same
//! expense and the same durability. It asserts nothing about speed, since machines differ and are noisy: it reports ratios between
//! what took turns.
//!
//! Start reading at [`turns::take`]. A *system* is a set of processes (a cluster, three etcd members); a *subject* is one way to
//! use it (writes acknowledged by all, on the leader).

pub mod connection;
pub mod cpu;
pub mod drive;
pub mod figures;
pub mod machine;
pub mod offer;
pub mod plot;
pub mod report;
pub mod scale;
pub mod subject;
pub mod sustained;
pub mod system;
pub mod turns;

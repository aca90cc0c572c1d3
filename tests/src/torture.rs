//! The torture test: clients at work while faults come and go, and a judge of what they saw.
//!
//! [`run`] is a run from end to end: [`fault`] breaks the cluster, [`workload`] sends and records, [`history`] is the record,
//! [`checker`] judges it. A history is a file: it can be judged again, years later, without the cluster that it was recorded on.

pub mod checker;
pub mod dice;
pub mod fault;
pub mod history;
pub mod report;
pub mod run;
pub mod scene;
pub mod workload;

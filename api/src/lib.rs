//! The GraphQL face of Threefold and its command line.
//!
//! Start reading at [`cli`]: each subcommand of the `threefold` binary is one module there. The public schema is put
//! together in [`graphql`], carried by [`http`] and [`ws`]; replicas talk to each other through [`peer`].

pub mod child_process;
pub mod cli;
pub mod config;
pub mod graphql;
pub mod http;
pub mod local_postgres;
pub mod metrics;
pub mod peer;
pub mod read;
pub mod secret;
pub mod server;
pub mod service_manager;
pub mod telemetry;
mod trace;
pub mod ws;

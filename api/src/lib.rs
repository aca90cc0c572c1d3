//! The GraphQL face of Threefold and its command line.
//!
//! Start reading at [`cli`]: each subcommand of the `threefold` binary is one module there.

pub mod child_process;
pub mod cli;
pub mod local_postgres;

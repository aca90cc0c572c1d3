//! A PostgreSQL server of its own for each replica.

use std::path::Path;

use threefold_api::local_postgres::{LocalPostgres, Settings};

use crate::ports::{self, Port};

/// A server in a folder of the test, stopped in haste when it is dropped.
#[derive(Debug)]
pub struct TestPostgres {
    server: LocalPostgres,
    _port: Port,
}

impl TestPostgres {
    /// Starts an empty server whose data lies in `folder`.
    pub async fn start(folder: &Path) -> Self {
        let port = ports::reserve();
        let settings = Settings {
            directory: folder.join("database"),
            log: folder.join("postgres.log"),
            port: port.number(),
            flush_new_directory: false,
        };
        let server = LocalPostgres::start(settings)
            .await
            .expect("a PostgreSQL server for the test");
        Self {
            server,
            _port: port,
        }
    }

    /// The address of its database.
    pub fn url(&self) -> String {
        self.server.url()
    }
}

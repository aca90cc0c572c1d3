//! A PostgreSQL server of its own for each replica.

use std::path::Path;

use threefold_api::local_postgres::{LocalPostgres, Settings};
use tokio::sync::Mutex;

use crate::ports::{self, Port};

/// A server in a folder of the test, stopped in haste when it is dropped.
#[derive(Debug)]
pub struct TestPostgres {
    server: Mutex<Option<LocalPostgres>>,
    settings: Settings,
    url: String,
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
        let server = LocalPostgres::start(settings.clone())
            .await
            .expect("a PostgreSQL server for the test");
        Self {
            url: server.url(),
            server: Mutex::new(Some(server)),
            settings,
            _port: port,
        }
    }

    /// The address of its database.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The operating system's number of the server's first process.
    pub async fn pid(&self) -> u32 {
        let mut server = self.server.lock().await;
        let server = server.as_mut().expect("a server that runs");
        server.process().id()
    }

    /// `kill -9`: what was not flushed is lost, and the server recovers at its next start.
    pub async fn kill9(&self) {
        let mut server = self.server.lock().await.take().expect("a server that runs");
        server.process().kill().expect("the server is killed");
    }

    /// Stops it in order.
    pub async fn stop(&self) {
        let server = self.server.lock().await.take().expect("a server that runs");
        server.stop().await.expect("the server stops");
    }

    /// Starts it again after [`TestPostgres::kill9`] or [`TestPostgres::stop`].
    pub async fn start_again(&self) {
        let server = LocalPostgres::start(self.settings.clone())
            .await
            .expect("the server starts again");
        *self.server.lock().await = Some(server);
    }
}

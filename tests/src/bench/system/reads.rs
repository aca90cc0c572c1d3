//! What reads are compared on: a cluster full of expenses, and PostGraphile over the database of its leader. Each answers while
//! the other has nothing to do.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use sea_orm::{ConnectionTrait, Database};
use threefold_api::child_process::ChildProcess;

use crate::cluster::{Cluster, DatabaseKind};
use crate::load::import;
use crate::ports::{self, Port};
use crate::wait::until;

const PATIENCE: Duration = Duration::from_secs(60);

/// See the module.
#[derive(Debug)]
pub struct Reads {
    /// Of three replicas on PostgreSQL.
    pub cluster: Cluster,
    process: ChildProcess,
    port: Port,
}

impl Reads {
    /// Starts a cluster with so many expenses, and PostGraphile.
    pub async fn start(cluster: Cluster, rows: u64) -> Self {
        import(&cluster, rows).await;
        let leader = cluster.replica(cluster.leader().await);
        assert_eq!(leader.database_kind(), DatabaseKind::Postgres);
        let url = leader.postgres().url();
        // Threefold declares no foreign keys. To follow one, PostGraphile has to be told.
        let db = Database::connect(&url).await.expect("a connection");
        let key =
            "COMMENT ON TABLE expense IS E'@foreignKey (category_id) references category (id)'";
        for sql in [key, "ANALYZE"] {
            db.execute_unprepared(sql).await.expect("a statement");
        }
        db.close().await.expect("the connection closes");
        let port = ports::reserve();
        let mut command = Command::new("node");
        command
            .arg(folder().join("node_modules/postgraphile/cli.js"))
            .args(["--connection", &url, "--schema", "public"])
            .args(["--port", &port.number().to_string()])
            .args(["--max-pool-size", "16"])
            .args([
                "--disable-query-log",
                "--disable-graphiql",
                "--no-setof-functions-contain-nulls",
            ])
            .env("NODE_ENV", "production")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let reads = Self {
            cluster,
            process: ChildProcess::spawn(&mut command).expect("node is installed"),
            port,
        };
        let address = reads.address();
        until("PostGraphile to listen", PATIENCE, async || {
            let connected = tokio::net::TcpStream::connect(address).await;
            connected.map(|_| ()).map_err(|e| e.to_string())
        })
        .await;
        reads
    }

    /// Where PostGraphile listens.
    pub fn address(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.port.number()).into()
    }

    /// PostGraphile's process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

/// Where PostGraphile is installed: `npm ci` in `tests/postgraphile`.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("postgraphile")
}

/// True where it is.
pub fn is_installed() -> bool {
    folder().join("node_modules/postgraphile/cli.js").exists()
}

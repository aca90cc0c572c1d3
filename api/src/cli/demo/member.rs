//! One of the three: a replica with its database, its folders and its addresses.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::local_postgres;

use super::folder::DemoFolder;
use super::ports::Ports;
use super::{Args, Database, REPLICA_IDS};

/// All that is settled about a member before it starts; a restart follows the same plan.
#[derive(Debug, Clone)]
pub(super) struct MemberPlan {
    pub(super) id: u16,
    pub(super) public_url: String,
    /// What the replica says goes here.
    pub(super) log: PathBuf,
    /// The server to start for it; `None` on SQLite.
    pub(super) postgres: Option<local_postgres::Settings>,
    /// Arguments of `threefold`, beginning with `serve`.
    pub(super) serve_arguments: Vec<OsString>,
    /// Log and vote of the replica.
    data: PathBuf,
}

impl MemberPlan {
    pub(super) fn new(
        id: u16,
        args: &Args,
        ports: &Ports,
        folder: &DemoFolder,
        secret_file: &Path,
    ) -> Self {
        let kind = match args.database {
            Database::Sqlite => "sqlite",
            Database::Postgres => "postgres",
        };
        // A folder a kind, so that a demo on the other database neither finds foreign data nor harms it.
        let own = folder.path().join(kind).join(format!("replica-{id}"));
        let postgres = ports.postgres(id).map(|port| local_postgres::Settings {
            directory: own.join("database"),
            log: folder.path().join(format!("postgres-{id}.log")),
            port,
            flush_new_directory: true,
        });
        let mut plan = Self {
            id,
            public_url: format!("http://127.0.0.1:{}", ports.public(id)),
            log: folder.path().join(format!("replica-{id}.log")),
            postgres,
            serve_arguments: Vec::new(),
            data: own.join("data"),
        };
        plan.serve_arguments = plan.arguments(args, ports, &own, secret_file);
        plan
    }

    pub(super) fn create_folders(&self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.data)
            .with_context(|| format!("the folder {} cannot be made", self.data.display()))
    }

    fn arguments(
        &self,
        args: &Args,
        ports: &Ports,
        own: &Path,
        secret_file: &Path,
    ) -> Vec<OsString> {
        let database = match ports.postgres(self.id) {
            Some(port) => local_postgres::url(port),
            None => sqlite_url(&own.join("threefold.db")),
        };
        let mut arguments: Vec<OsString> = vec!["serve".into()];
        let mut flag = |name: &str, value: OsString| arguments.extend([name.into(), value]);
        flag("--id", self.id.to_string().into());
        flag("--data", self.data.clone().into());
        flag(
            "--listen",
            format!("127.0.0.1:{}", ports.public(self.id)).into(),
        );
        flag(
            "--peer-listen",
            format!("127.0.0.1:{}", ports.peer(self.id)).into(),
        );
        for id in REPLICA_IDS {
            flag(
                "--peer",
                format!("{id}=http://127.0.0.1:{}", ports.peer(id)).into(),
            );
        }
        flag("--public-url", self.public_url.clone().into());
        flag("--database", database.into());
        flag("--cluster-secret-file", secret_file.into());
        for origin in &args.allowed_origins {
            flag("--allow-origin", origin.to_string().into());
        }
        if let Some(count) = args.min_in_sync {
            flag("--min-in-sync", count.to_string().into());
        }
        if let Some(timeout) = args.in_sync_timeout_ms {
            flag("--in-sync-timeout-ms", timeout.to_string().into());
        }
        arguments
    }
}

/// A path in a URL, its special characters escaped.
fn sqlite_url(path: &Path) -> String {
    let mut url = String::from("sqlite://");
    for character in path.to_string_lossy().chars() {
        match character {
            '%' => url.push_str("%25"),
            '?' => url.push_str("%3F"),
            '#' => url.push_str("%23"),
            ' ' => url.push_str("%20"),
            other => url.push(other),
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_special_characters_stays_one_path() {
        assert_eq!(
            sqlite_url(Path::new("/home/me/a b#1?.db")),
            "sqlite:///home/me/a%20b%231%3F.db"
        );
    }
}

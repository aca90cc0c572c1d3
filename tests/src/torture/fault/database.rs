//! A replica's database that fails, while the replica does not.

use std::time::Duration;

use futures_util::FutureExt;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};

use super::{Dice, Fault, Healed, Injected, Scene, Victims};
use crate::DatabaseKind;

/// More than a server of the tests lets in.
const MOST_CONNECTIONS: usize = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// The server is killed, with commits that it had not flushed, and started again.
    Killed,
    /// The server is stopped in order, and started again.
    Stopped,
    /// All connections are taken by others, and those of the replica are broken off.
    Crowded,
    /// Another process writes, and does not end.
    Locked,
}

/// One replica's database, or two.
#[derive(Debug)]
pub(super) struct DatabaseFault {
    how: How,
    victims: Victims,
    struck: Vec<u16>,
    held: Vec<DatabaseConnection>,
}

impl DatabaseFault {
    pub(super) fn draw(dice: &mut Dice, database: DatabaseKind) -> Self {
        let how = match database {
            DatabaseKind::Postgres => {
                dice.pick(&[How::Killed, How::Killed, How::Stopped, How::Crowded])
            }
            DatabaseKind::Sqlite => How::Locked,
        };
        let victims = [Victims::Leader, Victims::Follower, Victims::Two];
        Self {
            how,
            victims: dice.pick(&victims),
            struck: Vec::new(),
            held: Vec::new(),
        }
    }

    async fn strike(&mut self, scene: &Scene, id: u16) {
        let replica = scene.cluster.replica(id);
        match self.how {
            How::Killed => {
                scene.disturb(id);
                replica.postgres().kill9().await;
            }
            How::Stopped => {
                scene.disturb(id);
                replica.postgres().stop().await;
            }
            How::Crowded => {
                while self.held.len() < MOST_CONNECTIONS
                    && let Some(connection) = connect(&replica.database_url()).await
                {
                    self.held.push(connection);
                }
                if let Some(connection) = self.held.last() {
                    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                               WHERE application_name LIKE 'threefold%'";
                    connection.execute_unprepared(sql).await.ok();
                }
                while self.held.len() < MOST_CONNECTIONS
                    && let Some(connection) = connect(&replica.database_url()).await
                {
                    self.held.push(connection);
                }
            }
            How::Locked => {
                let url = format!("{}?mode=rw", replica.database_url());
                if let Some(connection) = connect(&url).await
                    && connection
                        .execute_unprepared("BEGIN IMMEDIATE")
                        .await
                        .is_ok()
                {
                    self.held.push(connection);
                }
            }
        }
    }
}

impl Fault for DatabaseFault {
    fn kind(&self) -> String {
        format!("database {:?} {:?}", self.how, self.victims).to_lowercase()
    }

    fn inject<'a>(&'a mut self, scene: &'a Scene) -> Injected<'a> {
        async {
            self.struck = self.victims.find(scene).await;
            for id in self.struck.clone() {
                self.strike(scene, id).await;
            }
            Ok(format!(
                "databases of {:?}: {:?}, {} connections held",
                self.struck,
                self.how,
                self.held.len()
            ))
        }
        .boxed_local()
    }

    fn heal<'a>(&'a mut self, scene: &'a Scene) -> Healed<'a> {
        async {
            for connection in self.held.drain(..) {
                if self.how == How::Locked {
                    connection.execute_unprepared("ROLLBACK").await.ok();
                }
                connection.close().await.ok();
            }
            for id in self.struck.drain(..) {
                if matches!(self.how, How::Killed | How::Stopped) {
                    scene.cluster.replica(id).postgres().start_again().await;
                    scene.disturb(id);
                }
            }
            Ok(())
        }
        .boxed_local()
    }
}

async fn connect(url: &str) -> Option<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(1)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(2))
        .connect_timeout(Duration::from_secs(2))
        .sqlx_logging(false);
    Database::connect(options).await.ok()
}

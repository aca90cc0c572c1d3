//! Wherever a restore is cut off, a start refuses and the next restore finishes it; and it touches nothing that is not its own.

use std::io::Cursor;

use threefold_entity::replica_state;

use sea_orm::{ConnectionTrait, EntityTrait};

use super::*;
use crate::consensus::snapshot::tests::{Source, prepare, rows, run, some_commands, target};
use crate::database::Database;

const OURS: Identity = Identity {
    cluster_id: Uuid::from_u128(5),
    replica_id: 1,
    birth_mark: Uuid::from_u128(6),
};

const SOMEBODY: Identity = Identity {
    cluster_id: Uuid::from_u128(7),
    replica_id: 1,
    birth_mark: Uuid::from_u128(8),
};

/// Everything in a folder and what is under it, with its bytes.
fn content(folder: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut content = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            content.push((path.clone(), None));
            content.extend(self::content(&path));
        } else if !path.ends_with("data/lock") {
            content.push((path.clone(), Some(fs::read(&path).unwrap())));
        }
    }
    content.sort();
    content
}

/// Who the database says that its rows belong to.
async fn owner(config: &Config) -> Option<Uuid> {
    let db = Database::open(&config.database_url).await.unwrap();
    let row = replica_state::Entity::find().one(&db.writer).await.unwrap();
    db.close().await;
    row.map(|row| row.birth_mark)
}

/// Leaves what an attempt leaves that was killed when all rows were in place.
async fn cut_off(config: &Config, file: &[u8]) {
    fs::create_dir_all(&config.data).unwrap();
    mark::write(&config.data, &OURS).unwrap();
    let db = replica::open_database(config).await.unwrap();
    identity::write(&config.data, &db, &OURS).await.unwrap();
    install_backup(&db, Cursor::new(file)).await.unwrap();
    db.close().await;
}

/// Every place at which a restore can be cut off, by what it has left there.
#[test]
fn an_interrupted_restore_does_not_start_and_can_be_repeated() {
    run(async {
        let source = Source::after(some_commands()).await;
        let file = source.backup().await;
        let (_folder, config, path) = target(&file);
        let data = &config.data;
        let begun = Identity {
            cluster_id: Uuid::from_u128(5),
            replica_id: 1,
            birth_mark: Uuid::from_u128(6),
        };
        for step in 0..6 {
            fs::create_dir_all(data).unwrap();
            mark::write(data, &begun).unwrap();
            {
                let db = replica::open_database(&config).await.unwrap();
                if step > 0 {
                    identity::write(data, &db, &begun).await.unwrap();
                }
                if step > 1 {
                    let source = Cursor::new(file.clone());
                    install_backup(&db, source).await.unwrap();
                }
                if step > 2 {
                    let metrics = Arc::new(Metrics::new(1, &[]));
                    let log = replica::open_log(&config, &db, metrics).unwrap();
                    let voted =
                        consensus::make_only_voter(&db, &log, 1, String::new(), uuid::Uuid::nil());
                    voted.await.unwrap();
                }
                // A repeated restore may be cut off as well, with the rows of the one before in place.
                if step > 3 {
                    forget(data).unwrap();
                }
                if step > 4 {
                    identity::write(data, &db, &begun).await.unwrap();
                }
                let started = identity::read(data, &db, 1).await.unwrap_err();
                assert!(
                    started.to_string().contains("repeat `threefold restore`"),
                    "{started}"
                );
                db.close().await;
            }
            let restore = prepare(&config, &path).await.unwrap();
            restore.carry_out().await.unwrap();
            let db = Database::open(&config.database_url).await.unwrap();
            assert_eq!(rows(&db).await, rows(&source.db).await, "step {step}");
            assert!(identity::read(data, &db, 1).await.unwrap().is_some());
            db.close().await;
            // For the next one.
            fs::remove_dir_all(data).unwrap();
            for name in ["state.db", "state.db-wal", "state.db-shm"] {
                let _none = fs::remove_file(data.with_file_name(name));
            }
        }
    });
}

#[test]
fn nothing_is_cleared_while_another_process_has_the_folder() {
    run(async {
        let file = Source::after(some_commands()).await.backup().await;
        let (folder, config, path) = target(&file);
        cut_off(&config, &file).await;
        let restore = prepare(&config, &path).await.unwrap();
        // Another restore is at work there.
        let lock = FolderLock::take(&config.data).await.unwrap();
        let before = content(folder.path());
        let refused = restore.carry_out().await.unwrap_err().to_string();
        assert!(refused.contains("in use by another process"), "{refused}");
        assert_eq!(content(folder.path()), before);
        drop(lock);
        let restore = prepare(&config, &path).await.unwrap();
        restore.carry_out().await.unwrap();
    });
}

#[test]
fn what_came_while_the_file_was_read_is_left_alone() {
    run(async {
        let file = Source::after(some_commands()).await.backup().await;
        for finished in [false, true] {
            let (folder, config, path) = target(&file);
            let restore = prepare(&config, &path).await.unwrap();
            // Meanwhile the replica was started, and adopted a cluster; or that was cut short.
            fs::create_dir_all(&config.data).unwrap();
            let db = replica::open_database(&config).await.unwrap();
            identity::write(&config.data, &db, &SOMEBODY).await.unwrap();
            if !finished {
                let sql = "DELETE FROM replica_state";
                db.writer.execute_unprepared(sql).await.unwrap();
            }
            db.close().await;
            let before = content(folder.path());
            let refused = restore.carry_out().await.unwrap_err().to_string();
            assert!(refused.contains("belongs to a replica"), "{refused}");
            assert_eq!(content(folder.path()), before);
        }
    });
}

#[test]
fn the_identity_of_another_is_never_taken_away() {
    run(async {
        let file = Source::after(some_commands()).await.backup().await;
        let (folder, config, path) = target(&file);
        cut_off(&config, &file).await;
        let restore = prepare(&config, &path).await.unwrap();
        // Somebody has put the folder of another replica in place, over what was there.
        let elsewhere = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", elsewhere.path().join("other.db").display());
        let db = Database::open(&url).await.unwrap();
        let whole = identity::write(&config.data, &db, &SOMEBODY);
        whole.await.unwrap();
        let before = content(folder.path());
        for refused in [
            restore.carry_out().await.unwrap_err(),
            prepare(&config, &path).await.unwrap_err(),
        ] {
            let refused = refused.to_string();
            assert!(refused.contains("belongs to a replica"), "{refused}");
        }
        assert_eq!(content(folder.path()), before);
        assert_eq!(owner(&config).await, Some(OURS.birth_mark));
    });
}

#[test]
fn a_repeated_restore_that_fails_leaves_no_rows_that_are_nobodys() {
    run(async {
        let file = Source::after(some_commands()).await.backup().await;
        let (_folder, config, path) = target(&file);
        cut_off(&config, &file).await;
        // It fails before it can fill the database: its log cannot be made, or the file is gone.
        for obstacle in [config.data.join("log"), path.clone()] {
            let restore = prepare(&config, &path).await.unwrap();
            if obstacle == path {
                fs::remove_file(&path).unwrap();
            } else {
                fs::write(&obstacle, "").unwrap();
            }
            restore.carry_out().await.unwrap_err();
            assert_eq!(owner(&config).await, Some(OURS.birth_mark));
            let db = Database::open(&config.database_url).await.unwrap();
            let started = identity::read(&config.data, &db, 1).await.unwrap_err();
            let started = started.to_string();
            assert!(started.contains("repeat `threefold restore`"), "{started}");
            db.close().await;
            // And where somebody has emptied the folder to begin anew, and forgotten the database.
            let kept = config.data.with_file_name("kept");
            fs::rename(&config.data, &kept).unwrap();
            let db = Database::open(&config.database_url).await.unwrap();
            identity::read(&config.data, &db, 1).await.unwrap_err();
            db.close().await;
            prepare(&config, &path).await.unwrap_err();
            fs::rename(&kept, &config.data).unwrap();
            let _removed = fs::remove_file(config.data.join("log"));
        }
        fs::write(&path, &file).unwrap();
        let restore = prepare(&config, &path).await.unwrap();
        restore.carry_out().await.unwrap();
    });
}

#[test]
fn an_attempt_on_another_database_takes_another_mark() {
    run(async {
        let source = Source::after(some_commands()).await;
        let file = source.backup().await;
        let (folder, config, path) = target(&file);
        cut_off(&config, &file).await;
        let other = Config {
            database_url: format!("sqlite://{}", folder.path().join("other.db").display()),
            ..config.clone()
        };
        let restore = prepare(&other, &path).await.unwrap();
        restore.carry_out().await.unwrap();
        assert_ne!(owner(&other).await, Some(OURS.birth_mark));
        let db = Database::open(&other.database_url).await.unwrap();
        assert_eq!(rows(&db).await, rows(&source.db).await);
        // What the first attempt has left belongs to no folder.
        let left = Database::open(&config.database_url).await.unwrap();
        identity::read(&config.data, &left, 1).await.unwrap_err();
    });
}

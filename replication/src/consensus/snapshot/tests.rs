//! Random states go into a backup and come out of it the same; whatever is done to the file in between is refused, before
//! anything is touched.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;

use chrono::NaiveDate;
use openraft::storage::RaftStateMachine;
use openraft::{CommittedLeaderId, EntryPayload};
use proptest::prelude::*;
use sea_orm::QueryOrder;
use threefold_entity::ledger::DEFAULT_LEDGER_ID;
use threefold_entity::replica_state;
use tokio::sync::{mpsc, oneshot};

use super::*;
use crate::backup::{UnusableBackup, verify};
use crate::command::{AddCategory, Command, ExpenseDraft, ExpenseEdit, Patch};
use crate::config::Config;
use crate::config::tests::config;
use crate::consensus;
use crate::consensus::log_disk::LogDisk;
use crate::consensus::state_machine::Settings;
use crate::consensus::types::{Entry, LogId};
use crate::consensus::{LogStore, StateMachine};
use crate::feed::FeedPublisher;
use crate::identity::{self, Identity};
use crate::metrics::Metrics;
use crate::peer::encode;
use crate::proposal::{Batch, Proposal};
use crate::replica::{self, Fault};
use crate::restore::{Restore, mark};

type Rows = BTreeMap<&'static str, Vec<String>>;

/// A replica that was, with what became of some commands.
struct Source {
    folder: tempfile::TempDir,
    db: Database,
}

impl Source {
    async fn after(commands: Vec<Command>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = url(folder.path());
        let db = Database::open(&url).await.unwrap();
        let identity = Identity {
            cluster_id: Uuid::from_u128(1),
            replica_id: 1,
            birth_mark: Uuid::from_u128(2),
        };
        identity::write(folder.path(), &db, &identity)
            .await
            .unwrap();
        let patience = std::time::Duration::from_secs(1);
        let metrics = Arc::new(Metrics::new(1, &[]));
        let disk = LogDisk::open(&folder.path().join("log")).unwrap();
        let log = LogStore::new(disk, db.clone(), patience, metrics.clone());
        let settings = Settings {
            patience,
            metrics,
            alarm: Arc::default(),
        };
        let feed = FeedPublisher::new(threefold_entity::Revision::ZERO);
        let snapshots = folder.path().join("snapshots");
        let machine = StateMachine::open(db.clone(), log, snapshots, settings, feed);
        let mut machine = machine.await.unwrap();
        let entries = (1..).zip(commands).map(|(index, command)| Entry {
            log_id: LogId::new(CommittedLeaderId::new(3, 1), index),
            payload: EntryPayload::Normal(Batch::new(
                1,
                vec![encode(&Proposal::new(command, Some(key(index)), "tester"))],
            )),
        });
        let entries: Vec<Entry> = entries.collect();
        machine.apply(entries).await.unwrap();
        Self { folder, db }
    }

    async fn backup(&self) -> Vec<u8> {
        let (to, mut pieces) = mpsc::channel(4);
        let (told, _header) = oneshot::channel();
        let outgoing = Outgoing::new(to, Box::new(|| Ok(())));
        let cluster_id = Uuid::from_u128(1);
        let written = write_backup(&self.db, cluster_id, 0.into(), outgoing, told);
        let collected = async {
            let mut file = Vec::new();
            while let Some(piece) = pieces.recv().await {
                file.extend(piece.unwrap());
            }
            file
        };
        let (written, file) = tokio::join!(written, collected);
        written.unwrap();
        file
    }
}

fn key(index: u64) -> Uuid {
    Uuid::from_u128(0x9000 + u128::from(index))
}

fn url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("state.db").display())
}

/// An empty replica, and a file with a backup beside it.
fn target(file: &[u8]) -> (tempfile::TempDir, Config, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.backup");
    fs::write(&path, file).unwrap();
    let config = Config {
        database_url: url(folder.path()),
        data: folder.path().join("data"),
        ..config()
    };
    (folder, config, path)
}

async fn prepare(config: &Config, file: &Path) -> Result<Restore, Fault> {
    Restore::prepare(config.clone(), file.to_owned(), |_, _| {}).await
}

async fn rows(db: &Database) -> Rows {
    let db = &db.reader;
    fn text<T: std::fmt::Debug>(rows: Vec<T>) -> Vec<String> {
        rows.iter().map(|row| format!("{row:?}")).collect()
    }
    let terms = expense_term::Entity::find()
        .order_by_asc(expense_term::Column::ExpenseId)
        .order_by_asc(expense_term::Column::Term);
    BTreeMap::from([
        (
            "ledger",
            text(ledger::Entity::find().all(db).await.unwrap()),
        ),
        (
            "category",
            text(
                category::Entity::find()
                    .order_by_asc(category::Column::Id)
                    .all(db)
                    .await
                    .unwrap(),
            ),
        ),
        (
            "expense",
            text(
                expense::Entity::find()
                    .order_by_asc(expense::Column::Id)
                    .all(db)
                    .await
                    .unwrap(),
            ),
        ),
        ("expense_term", text(terms.all(db).await.unwrap())),
        (
            "change",
            text(
                change::Entity::find()
                    .order_by_asc(change::Column::Revision)
                    .all(db)
                    .await
                    .unwrap(),
            ),
        ),
        (
            "idempotency_key",
            text(
                idempotency_key::Entity::find()
                    .order_by_asc(idempotency_key::Column::Key)
                    .all(db)
                    .await
                    .unwrap(),
            ),
        ),
    ])
}

async fn standing(db: &Database) -> (i64, Vec<u8>, i64) {
    let row = replica_state::Entity::find().one(&db.reader).await;
    let row = row.unwrap().unwrap();
    (row.revision, row.history_hash, row.expense_count)
}

fn draft(description: &str, category: Option<u128>) -> ExpenseDraft {
    ExpenseDraft {
        description: description.to_owned(),
        amount: "12.50".into(),
        currency: "EUR".into(),
        spent_on: NaiveDate::from_ymd_opt(2026, 11, 22).unwrap(),
        category_id: category.map(Uuid::from_u128),
        notes: description
            .len()
            .is_multiple_of(3)
            .then(|| "Straße, Café, 東京".to_owned()),
        tags: vec!["a tag".to_owned()],
        ..ExpenseDraft::default()
    }
}

/// Commands on few ids, so that many are refused, and most of what can happen to an expense happens to some.
fn command() -> impl Strategy<Value = Command> {
    let id = (1_u128..12).prop_map(Uuid::from_u128);
    let category = 100_u128..103;
    prop_oneof![
        4 => (id.clone(), "[a-zß ]{1,20}x", proptest::option::of(category.clone())).prop_map(
            |(id, description, category)| {
                let draft = ExpenseDraft { id: Some(id), ..draft(&description, category) };
                Command::add_expense(DEFAULT_LEDGER_ID, draft).unwrap()
            }
        ),
        1 => (2_usize..40).prop_map(|count| {
            let drafts = (0..count).map(|n| draft(&format!("bulk {n}"), None)).collect();
            Command::add_expenses(DEFAULT_LEDGER_ID, drafts).unwrap()
        }),
        2 => id.clone().prop_map(|id| {
            let notes = Patch::Set(Some("edited".to_owned()));
            Command::update_expense(ExpenseEdit { id, notes, ..ExpenseEdit::default() }).unwrap()
        }),
        2 => id.clone().prop_map(|id| Command::delete_expense(id, None)),
        1 => id.prop_map(Command::restore_expense),
        1 => category.clone().prop_map(|id| {
            let add = AddCategory {
                id: Some(Uuid::from_u128(id)),
                ledger_id: DEFAULT_LEDGER_ID,
                name: format!("category {id}"),
                color: None,
            };
            Command::add_category(add).unwrap()
        }),
        1 => category.prop_map(|id| Command::delete_category(Uuid::from_u128(id), None).unwrap()),
    ]
}

fn some_commands() -> Vec<Command> {
    (1..40)
        .map(|n| {
            let draft = draft(&format!("expense {n}"), None);
            Command::add_expense(DEFAULT_LEDGER_ID, draft).unwrap()
        })
        .collect()
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_state_comes_back_as_it_was(commands in proptest::collection::vec(command(), 0..60)) {
        run(async {
            let source = Source::after(commands).await;
            let file = source.backup().await;
            let (_folder, config, path) = target(&file);
            let restore = prepare(&config, &path).await.unwrap();
            let (revision, hash, expenses) = standing(&source.db).await;
            assert_eq!(restore.content().revision.to_column(), revision);
            assert_eq!(restore.content().hash.as_bytes(), hash);
            restore.carry_out().await.unwrap();
            let db = Database::open(&config.database_url).await.unwrap();
            assert_eq!(rows(&db).await, rows(&source.db).await);
            assert_eq!(standing(&db).await, (revision, hash, expenses));
        });
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_refused() {
    let file = run(async { Source::after(some_commands()).await.backup().await });
    let told = |file: &[u8]| verify(Cursor::new(file), |_, _| {}).map_err(|e| e.to_string());
    assert_eq!(told(&file).unwrap().1, file.len() as u64);
    let damaged = |file: &[u8], what: &str| {
        let refused = verify(Cursor::new(file), |_, _| {});
        assert!(
            matches!(refused, Err(UnusableBackup::Damaged(_))),
            "{what}: {refused:?}"
        );
    };
    // The ends bit by bit, what lies between byte by byte.
    for at in 0..file.len() {
        let is_end = at < 64 || at + 64 >= file.len();
        for bit in 0..if is_end { 8 } else { 1 } {
            let mut flipped = file.clone();
            flipped[at] ^= 1 << ((bit + at) % 8);
            damaged(&flipped, &format!("bit {bit} of byte {at}"));
        }
    }
    for length in 0..file.len() {
        damaged(&file[..length], &format!("cut to {length}"));
    }
    for more in [&b"\0"[..], b"more", &file[..], &file[file.len() - 56..]] {
        damaged(&[&file, more].concat(), "extended");
    }
    damaged(b"", "nothing");
    damaged(b"date,description,amount\n", "a text");
}

#[test]
fn a_newer_format_is_told_from_damage() {
    #[derive(serde::Serialize)]
    enum Frame {
        Header(Header),
    }
    #[derive(serde::Serialize)]
    struct Header {
        format: u32,
        everything: &'static str,
    }
    let header = Header {
        format: 2,
        everything: "is elsewhere",
    };
    let frame = encode(&Frame::Header(header));
    let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
    let file = zstd::encode_all(Cursor::new([&length[..], &frame].concat()), 1).unwrap();
    let damaged = [&file[..], &[0; 64]].concat();
    let refused = verify(Cursor::new(damaged), |_, _| {}).unwrap_err();
    assert!(
        matches!(refused, UnusableBackup::Damaged(_)),
        "the number may be what is damaged: {refused}"
    );
    let seal = super::seal::seal(blake3::Hasher::new().update(&file));
    let refused = verify(Cursor::new([file, seal].concat()), |_, _| {}).unwrap_err();
    assert!(matches!(&refused, UnusableBackup::Newer(newer) if newer.format == 2));
    assert!(refused.to_string().contains("newer version"), "{refused}");
}

#[test]
fn a_damaged_file_touches_nothing() {
    run(async {
        let mut file = Source::after(some_commands()).await.backup().await;
        let middle = file.len() / 2;
        file[middle] ^= 1;
        let (folder, config, path) = target(&file);
        let refused = prepare(&config, &path).await.unwrap_err().to_string();
        assert!(refused.contains("nothing was changed"), "{refused}");
        let left = fs::read_dir(folder.path()).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["a.backup"]);
    });
}

#[test]
fn what_holds_something_is_left_alone() {
    run(async {
        let source = Source::after(some_commands()).await;
        let file = source.backup().await;
        let (_folder, config, path) = target(&file);
        let refuses = async |config: &Config, why: &str| {
            let refused = prepare(config, &path).await.unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
            assert!(refused.contains("nothing was changed"), "{refused}");
        };
        // A database of another replica, and a folder of one.
        let taken = Config {
            database_url: url(source.folder.path()),
            ..config.clone()
        };
        let before = rows(&source.db).await;
        refuses(&taken, "the database belongs to replica 1").await;
        let taken = Config {
            data: source.folder.path().to_owned(),
            ..config.clone()
        };
        refuses(&taken, "belongs to a replica").await;
        assert_eq!(rows(&source.db).await, before);
        // A database of something else.
        let other = tempfile::tempdir().unwrap();
        let connected = sea_orm::Database::connect(format!("{}?mode=rwc", url(other.path())));
        let connected = connected.await.unwrap();
        let made = connected.execute_unprepared("CREATE TABLE recipes (name text)");
        made.await.unwrap();
        let taken = Config {
            database_url: url(other.path()),
            ..config.clone()
        };
        refuses(&taken, "a table \"recipes\" that is not Threefold's").await;
        // And what was restored is not empty any more.
        let restore = prepare(&config, &path).await.unwrap();
        restore.carry_out().await.unwrap();
        refuses(&config, "belongs to a replica").await;
    });
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
        for step in 0..4 {
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

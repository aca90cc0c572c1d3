use openraft::storage::RaftLogStorage;
use openraft::{CommittedLeaderId, EntryPayload};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait};
use threefold_entity::ledger::DEFAULT_LEDGER_ID;
use threefold_entity::replica_state;
use uuid::Uuid;

use super::*;
use crate::command::{AddCategory, Command, Patch, UpdateCategory};
use crate::consensus::LogDisk;
use crate::identity::{self, Identity};
use crate::outcome::Verdict;
use crate::peer::encode;
use crate::proposal::{Batch, Proposal};

async fn machine(folder: &std::path::Path) -> StateMachine {
    let url = format!("sqlite://{}", folder.join("state.db").display());
    let db = Database::open(&url).await.unwrap();
    let identity = Identity {
        cluster_id: Uuid::nil(),
        replica_id: 1,
        birth_mark: Uuid::nil(),
    };
    identity::write(folder, &db, &identity).await.unwrap();
    let patience = Duration::from_secs(1);
    let metrics = Arc::new(Metrics::new(1, &[]));
    let disk = LogDisk::open(&folder.join("log")).unwrap();
    let log = LogStore::new(disk, db.clone(), patience, metrics.clone());
    let feed = FeedPublisher::new(Revision::ZERO);
    StateMachine::open(
        db,
        log,
        folder.join("snapshots"),
        Settings {
            patience,
            metrics,
            alarm: Arc::default(),
        },
        feed,
    )
    .await
    .unwrap()
}

fn entry(index: u64, command: Command) -> Entry {
    entry_of(index, &[&Proposal::new(command, None, "tester")])
}

fn entry_of(index: u64, proposals: &[&Proposal]) -> Entry {
    let proposals = proposals.iter().map(|proposal| encode(*proposal));
    Entry {
        log_id: LogId::new(CommittedLeaderId::new(1, 1), index),
        payload: EntryPayload::Normal(Batch::new(1, proposals.collect())),
    }
}

fn category(id: u128, name: &str) -> Command {
    let id = Some(Uuid::from_u128(id));
    Command::add_category(AddCategory {
        id,
        ledger_id: DEFAULT_LEDGER_ID,
        name: name.into(),
        color: None,
    })
    .unwrap()
}

fn rename(id: u128, name: &str) -> Command {
    let name = Some(name.to_owned());
    let id = Uuid::from_u128(id);
    Command::update_category(UpdateCategory {
        id,
        expected_version: None,
        name,
        color: Patch::Keep,
    })
    .unwrap()
}

/// The leader applies entries one by one, a follower that lags applies them together: a name that one entry frees and
/// the next one takes must be no different to either, whichever row the database writes first.
#[tokio::test(flavor = "multi_thread")]
async fn freed_names_are_taken_within_one_apply() {
    for (frees, takes) in [(1, 2), (2, 1)] {
        let entries = || {
            vec![
                entry(1, category(frees, "Food")),
                entry(2, category(takes, "Travel")),
                entry(3, rename(frees, "Meals")),
                entry(4, rename(takes, "Food")),
                entry(
                    5,
                    Command::delete_category(Uuid::from_u128(takes), None).unwrap(),
                ),
                entry(6, category(9, "Food")),
            ]
        };
        let mut counts = Vec::new();
        for pieces in [1, 6] {
            let folder = tempfile::tempdir().unwrap();
            let mut machine = machine(folder.path()).await;
            let mut accepted = 0;
            for piece in entries().chunks(pieces) {
                let outcomes = machine.apply(piece.to_vec()).await.unwrap();
                let outcomes = outcomes
                    .into_iter()
                    .flat_map(|outcomes| outcomes.0)
                    .flatten();
                accepted += outcomes
                    .filter(|o| matches!(o.verdict, Verdict::Accepted { .. }))
                    .count();
            }
            counts.push((accepted, machine.applied().borrow().revision));
        }
        assert_eq!(counts, [(6, 6.into()), (6, 6.into())]);
    }
}

/// Applied in one go or one by one, a checkpoint sees what is before it and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_sees_exactly_what_is_before_it() {
    let checkpoint = Uuid::from_u128(77);
    for pieces in [1, 4] {
        let folder = tempfile::tempdir().unwrap();
        let mut machine = machine(folder.path()).await;
        let entries = [
            entry(1, category(1, "Food")),
            Entry {
                log_id: LogId::new(CommittedLeaderId::new(1, 1), 2),
                payload: EntryPayload::Normal(Batch::checkpoint(checkpoint)),
            },
            entry(3, category(2, "Travel")),
            entry(4, category(3, "Rent")),
        ];
        let mut outcomes = Vec::new();
        for piece in entries.chunks(pieces) {
            outcomes.extend(machine.apply(piece.to_vec()).await.unwrap());
        }
        let counts: Vec<usize> = outcomes.iter().map(|outcomes| outcomes.0.len()).collect();
        assert_eq!(counts, [1, 0, 1, 1]);
        assert_eq!(machine.applied().borrow().revision, Revision::from(3));
        assert_eq!(machine.examiner().seen(checkpoint).await, Some((2, 1)));
    }
}

/// A transaction commits, and its confirmation is lost; among what it applied are proposals that were sent twice. Each has one
/// answer that says that it was the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_confirmation_leaves_one_first_answer() {
    let folder = tempfile::tempdir().unwrap();
    let mut machine = machine(folder.path()).await;
    let proposal =
        |id, name| Proposal::new(category(id, name), Some(Uuid::from_u128(id)), "tester");
    let (known, new) = (proposal(1, "Food"), proposal(2, "Travel"));
    machine.apply([entry_of(1, &[&known])]).await.unwrap();
    let entries = [entry_of(2, &[&known, &new]), entry_of(3, &[&new])];

    // Whose commits the first one has not seen.
    let shared = machine.shared.clone();
    let mut unseen = StateMachine::open(
        shared.db.clone(),
        shared.log.clone(),
        folder.path().join("snapshots"),
        shared.settings.clone(),
        FeedPublisher::new(Revision::ZERO),
    )
    .await
    .unwrap();
    unseen.apply(entries.clone()).await.unwrap();

    let outcomes = machine.apply(entries).await.unwrap();
    let replayed: Vec<Vec<bool>> = outcomes
        .iter()
        .map(|outcomes| outcomes.0.iter().flatten().map(|o| o.replayed).collect())
        .collect();
    assert_eq!(replayed, [vec![true, false], vec![true]]);
    assert_eq!(machine.applied().borrow().revision, 2.into());
}

/// A database that crashes may lose what it had confirmed and not yet flushed. The log that holds it is not cut before it is there
/// again.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_database_lost_is_applied_again_before_the_log_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let mut machine = machine(folder.path()).await;
    let log = machine.shared.log.clone();
    log.follow(&machine);
    let writer = machine.shared.db.writer.clone();
    let empty = replica_state::Entity::find().one(&writer).await.unwrap();
    let empty = empty.unwrap().into_active_model().reset_all();
    for index in 0..3 {
        let added = entry(
            index,
            category(u128::from(index) + 1, &format!("Category {index}")),
        );
        log.append_offline(added.clone()).unwrap();
        machine.apply([added]).await.unwrap();
    }
    assert_eq!(machine.shared.db.flush().await.unwrap(), Some(2));
    for table in ["category", "change", "idempotency_key"] {
        let gone = format!("DELETE FROM {table}");
        writer.execute_unprepared(&gone).await.unwrap();
    }
    empty.update(&writer).await.unwrap();
    assert_eq!(machine.shared.db.flush().await.unwrap(), None);

    let last = LogId::new(CommittedLeaderId::new(1, 1), 1);
    log.clone().purge(last).await.unwrap();
    assert_eq!(machine.shared.db.flush().await.unwrap(), Some(2));
    let categories = threefold_entity::category::Entity::find();
    assert_eq!(categories.count(&writer).await.unwrap(), 3);
}

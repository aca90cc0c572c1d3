use openraft::{CommittedLeaderId, EntryPayload};
use threefold_entity::ledger::DEFAULT_LEDGER_ID;
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
        Settings { patience, metrics },
        feed,
    )
    .await
    .unwrap()
}

fn entry(index: u64, command: Command) -> Entry {
    let proposal = Proposal::new(command, None, "tester");
    Entry {
        log_id: LogId::new(CommittedLeaderId::new(1, 1), index),
        payload: EntryPayload::Normal(Batch::new(1, vec![encode(&proposal)])),
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

use openraft::raft::AppendEntriesRequest;
use openraft::{CommittedLeaderId, EntryPayload};

use super::*;
use crate::consensus::append::{Unsound, may_send};

async fn log(folder: &std::path::Path) -> LogStore {
    let url = format!("sqlite://{}", folder.join("state.db").display());
    let db = StateDatabase::open(&url).await.unwrap();
    let metrics = Arc::new(Metrics::new(1, &[]));
    let disk = LogDisk::open(&folder.join("log")).unwrap();
    LogStore::new(disk, db, Duration::from_secs(1), metrics)
}

fn id(index: u64) -> LogId {
    LogId::new(CommittedLeaderId::new(1, 1), index)
}

async fn indexes(log: &mut LogStore, start: u64, end: u64) -> Vec<u64> {
    let entries = log.limited_get_log_entries(start, end).await.unwrap();
    entries.iter().map(|entry| entry.log_id.index).collect()
}

#[tokio::test]
async fn what_is_sent_has_no_hole_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let entries = (0..8).map(|index| Entry {
        log_id: id(index),
        payload: EntryPayload::Blank,
    });
    {
        let mut log = log(folder.path()).await;
        log.append_entries(entries).unwrap();
        log.purge_through(id(3)).unwrap();
        assert_eq!(indexes(&mut log, 4, 7).await, [4, 5, 6]);
        assert_eq!(indexes(&mut log, 2, 7).await, [0; 0]);
    }
    // From the disk, not from what was just appended.
    let mut log = log(folder.path()).await;
    assert_eq!(indexes(&mut log, 4, 7).await, [4, 5, 6]);
    assert_eq!(indexes(&mut log, 2, 7).await, [0; 0]);
}

#[tokio::test]
async fn the_last_vote_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    {
        let mut log = log(folder.path()).await;
        assert_eq!(log.last_vote(), None);
        log.save_vote(&Vote::new(3, 1)).await.unwrap();
        assert_eq!(log.last_vote(), Some(Vote::new(3, 1)));
    }
    let mut log = log(folder.path()).await;
    log.read_vote().await.unwrap();
    assert_eq!(log.last_vote(), Some(Vote::new(3, 1)));
}

#[tokio::test]
async fn nothing_is_sent_under_another_vote_than_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = log(folder.path()).await;
    let request = |term| AppendEntriesRequest::<TypeConfig> {
        vote: Vote::new_committed(term, 1),
        prev_log_id: None,
        entries: vec![Entry {
            log_id: id(0),
            payload: EntryPayload::Blank,
        }],
        leader_commit: None,
    };
    assert_eq!(may_send(&log, &request(1)), Err(Unsound::Deposed));
    log.save_vote(&Vote::new_committed(1, 1)).await.unwrap();
    assert_eq!(may_send(&log, &request(1)), Ok(()));
    log.save_vote(&Vote::new(2, 2)).await.unwrap();
    assert_eq!(may_send(&log, &request(1)), Err(Unsound::Deposed));
}

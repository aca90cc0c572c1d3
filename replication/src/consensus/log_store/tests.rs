use openraft::{CommittedLeaderId, EntryPayload};

use super::*;

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

//! Clients that add several expenses at once, while they look from all sides whether they ever see some and not all.

use futures_util::future::join_all;

use super::worker::Worker;
use crate::torture::history::{Action, Answer, Freshness, Item};

/// Most expenses of a batch. A page shows them all.
const MOST: u64 = 30;

pub(super) async fn run(mut worker: Worker) {
    while worker.goes_on().await {
        let tag = worker.mark();
        let size = 2 + worker.draw(MOST - 1);
        let items = (0..size)
            .map(|_| Item {
                id: None,
                mark: worker.mark(),
            })
            .collect();
        let key = worker.uuid();
        let replicas = worker.replicas();
        // Looks while it is written, on all replicas, without waiting for anything.
        let look = Action::List {
            tag,
            freshness: Freshness::Local,
        };
        let target = worker.any();
        let add = Action::AddMany { key, tag, items };
        let write = worker.send_once(&target, &add);
        let looks = join_all(replicas.iter().map(async |replica| {
            let mut seen = Vec::new();
            for _ in 0..3 {
                let (begin, answer) = worker.send_once(replica, &look).await;
                seen.push((replica.id, begin, answer));
            }
            seen
        }));
        let ((begin, answer), seen) = tokio::join!(write, looks);
        let accepted = matches!(answer, Answer::Accepted { .. });
        worker.record(target.id, begin, add, answer);
        for (replica, begin, answer) in seen.into_iter().flatten() {
            worker.record(replica, begin, look.clone(), answer);
        }
        if accepted {
            let endpoint = worker.any();
            let freshness = Freshness::Linearizable;
            worker
                .read(&endpoint, Action::List { tag, freshness })
                .await;
        }
    }
}

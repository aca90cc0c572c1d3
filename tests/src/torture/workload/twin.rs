//! Clients that send the same thing twice at once, to two replicas, and at times something else under a key that is taken.

use super::worker::Worker;
use crate::torture::history::{Action, Answer, Item};

pub(super) async fn run(mut worker: Worker) {
    while worker.goes_on().await {
        let key = worker.uuid();
        let add = Action::Add {
            key,
            item: Item {
                id: None,
                mark: worker.mark(),
            },
        };
        let (one, other) = (worker.any(), worker.any());
        let (first, second) =
            tokio::join!(worker.send_once(&one, &add), worker.send_once(&other, &add));
        let settled = [&first, &second]
            .iter()
            .any(|(_, answer)| matches!(answer, Answer::Accepted { .. }));
        for (endpoint, (begin, answer)) in [(one, first), (other, second)] {
            worker.record(endpoint.id, begin, add.clone(), answer);
        }
        if settled && worker.chance(50) {
            let other = Action::Add {
                key,
                item: Item {
                    id: None,
                    mark: worker.mark(),
                },
            };
            let endpoint = worker.any();
            let (begin, answer) = worker.send_once(&endpoint, &other).await;
            worker.record(endpoint.id, begin, other, answer);
        }
    }
}

//! Clients that only add, one expense after the other. The server chooses the ids, so that nothing but the key keeps a retry
//! from adding twice.

use super::worker::Worker;
use crate::torture::history::{Action, Item};

pub(super) async fn run(mut worker: Worker) {
    while worker.goes_on().await {
        let item = Item {
            id: None,
            mark: worker.mark(),
        };
        let key = worker.uuid();
        worker.mutate(Action::Add { key, item }).await;
    }
}

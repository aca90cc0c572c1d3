//! Clients that write, and read what they wrote on another replica: by its revision, or locally where the receipt says that it is
//! there. In between they ask one replica where it is, over one connection.

use serde_json::{Value, json};
use uuid::Uuid;

use super::target::Endpoint;
use super::wire;
use super::worker::Worker;
use crate::socket::{Socket, SocketError};
use crate::torture::history::{Action, Answer, Freshness, Item, Receipt};

/// Edits of one expense before another is taken.
const EDITS: u64 = 20;

pub(super) async fn run(mut worker: Worker) {
    let mut session = Session::default();
    let mut own: Option<Uuid> = None;
    while worker.goes_on().await {
        let key = worker.uuid();
        let mark = worker.mark();
        let action = match own {
            Some(id) => Action::Edit {
                key,
                id,
                amount: Some(mark),
                label: None,
                expected: None,
            },
            None => Action::Add {
                key,
                item: Item { id: None, mark },
            },
        };
        if let Answer::Accepted { receipt, rows } = worker.mutate(action).await {
            let id = rows[0].id;
            own = (worker.draw(EDITS) > 0).then_some(id);
            read_back(&mut worker, id, receipt).await;
        }
        session.look(&mut worker).await;
    }
}

async fn read_back(worker: &mut Worker, id: Uuid, receipt: Receipt) {
    let anywhere = worker.any();
    let freshness = Freshness::AtLeast(receipt.revision);
    worker.read(&anywhere, Action::Read { id, freshness }).await;
    let applied: Vec<u16> = receipt.applied.iter().collect();
    let count = u64::try_from(applied.len()).expect("few replicas");
    if count > 0 {
        let chosen = applied[usize::try_from(worker.draw(count)).expect("few replicas")];
        if let Some(endpoint) = worker.replica(chosen) {
            let freshness = Freshness::Local;
            worker.read(&endpoint, Action::Read { id, freshness }).await;
        }
    }
}

/// One connection to one replica, for as long as it lasts. A connection tells that the replica is still the same process.
#[derive(Default)]
struct Session {
    open: Option<(Endpoint, Socket)>,
    count: u32,
}

impl Session {
    async fn look(&mut self, worker: &mut Worker) {
        if self.open.is_none() {
            let endpoint = worker.any();
            let payload = json!({ "read-consistency": "local" });
            let connected = Socket::connect(&endpoint.url, payload);
            let Ok(Ok(socket)) = tokio::time::timeout(worker.patience(), connected).await else {
                return;
            };
            self.count += 1;
            self.open = Some((endpoint, socket));
        }
        let Some((endpoint, socket)) = &mut self.open else {
            return;
        };
        let begin = worker.now();
        let action = Action::Position {
            session: self.count,
        };
        let asked = tokio::time::timeout(worker.patience(), position(socket)).await;
        let answer = match asked {
            Ok(Ok(Some(revision))) => Answer::Listed {
                revision,
                rows: Vec::new(),
            },
            Ok(Ok(None)) => Answer::Lost("out of shape".to_owned()),
            Ok(Err(error)) => Answer::Lost(error.to_string()),
            Err(_) => Answer::Lost("no answer in time".to_owned()),
        };
        let lost = matches!(answer, Answer::Lost(_));
        worker.record(endpoint.id, begin, action, answer);
        if lost {
            self.open = None;
        }
    }
}

/// Asks for the revision as rows tell it, and not only the replica's memory.
async fn position(socket: &mut Socket) -> Result<Option<u64>, SocketError> {
    let document = "{ expenses(first: 1) { revision } }";
    socket.start(json!({ "query": document })).await?;
    let data: Value = socket.next().await?;
    match socket.next().await {
        Err(SocketError::Complete) => Ok(wire::revision(&data["expenses"]["revision"])),
        Ok(more) => Err(SocketError::Protocol(more.to_string())),
        Err(error) => Err(error),
    }
}

//! What proposals would come to if they were applied now: for a deliberately broken leader that answers early.

use bytes::Bytes;

use super::StateMachine;
use crate::config::KEEP_REVISIONS;
use crate::outcome::Outcome;
use crate::peer::decode;
use crate::proposal::Proposal;
use crate::store::{self, Unit};
use crate::transition;
use crate::working_set::WorkingSet;

impl StateMachine {
    /// The outcomes that are to be expected; none where nobody can say. Nothing is stored.
    pub(crate) async fn foretell(&self, proposals: Vec<Bytes>, term: u64) -> Vec<Option<Outcome>> {
        let decoded: Result<Vec<Proposal>, _> =
            proposals.iter().map(|bytes| decode(bytes)).collect();
        let Ok(decoded) = decoded else {
            return proposals.iter().map(|_| None).collect();
        };
        let mut resident = self.shared.standing.lock().await.resident.clone();
        let mut set = WorkingSet::new(&mut resident);
        let mut unit = Unit::new(&self.shared.db.reader);
        let loaded = store::load(&mut unit, &mut set, decoded.iter()).await;
        let outcomes = decoded.iter().map(|proposal| {
            loaded
                .is_ok()
                .then(|| transition::decide(&mut set, proposal, term, KEEP_REVISIONS))
        });
        outcomes.collect()
    }
}

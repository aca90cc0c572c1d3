//! A comparison that has begun, and will be seen to have ended, whatever becomes of the task that carries it out.

use chrono::Utc;
use tokio::sync::watch;
use uuid::Uuid;

use super::{Verification, VerificationState};

/// See the module. Where it is dropped before it was published that the comparison has ended, it ends as one that came to
/// nothing: whoever waits for it is told, and the next one can begin.
pub(super) struct UnderWay {
    id: Uuid,
    last: watch::Sender<Option<Verification>>,
}

impl UnderWay {
    /// Begins a comparison of these members; none where one is under way, which is returned instead.
    pub(super) fn begin(
        last: &watch::Sender<Option<Verification>>,
        members: Vec<u64>,
    ) -> (Verification, Option<Self>) {
        let new = Verification::new(members);
        let mut begun = new.clone();
        let is_new = last.send_if_modified(|last| match last {
            Some(last) if last.state == VerificationState::Running => {
                begun = last.clone();
                false
            }
            last => {
                *last = Some(new);
                true
            }
        });
        let under_way = is_new.then(|| Self {
            id: begun.id,
            last: last.clone(),
        });
        (begun, under_way)
    }

    /// Says how far it is, or what it came to.
    pub(super) fn publish(&self, verification: Verification) {
        self.last.send_replace(Some(verification));
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.last.send_if_modified(|last| {
            let cut_short = last.as_mut().filter(|last| {
                last.id == self.id && last.state == VerificationState::Running
            });
            let Some(last) = cut_short else {
                return false;
            };
            last.state = VerificationState::Incomplete;
            let reason = "it was cut short: this replica stopped, or failed at it, and then its log says why; try again";
            last.reason = Some(reason.to_owned());
            last.ended_at = Some(Utc::now());
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last() -> watch::Sender<Option<Verification>> {
        watch::Sender::new(None)
    }

    #[tokio::test]
    async fn one_that_panics_has_ended_and_the_next_one_begins() {
        let last = last();
        let (begun, under_way) = UnderWay::begin(&last, vec![1, 2, 3]);
        assert_eq!(begun.state, VerificationState::Running);
        let failed = tokio::spawn(async move {
            let _under_way = under_way;
            panic!("of a comparison");
        });
        assert!(failed.await.unwrap_err().is_panic());
        let ended = last.borrow().clone().unwrap();
        assert_eq!(
            (ended.id, ended.state),
            (begun.id, VerificationState::Incomplete)
        );
        assert!(ended.ended_at.is_some() && ended.reason.unwrap().contains("cut short"));
        let (next, under_way) = UnderWay::begin(&last, vec![1]);
        assert!(under_way.is_some() && next.id != begun.id);
    }

    #[test]
    fn one_at_a_time_and_what_it_came_to_stays() {
        let last = last();
        let (mut begun, under_way) = UnderWay::begin(&last, vec![1]);
        let (same, second) = UnderWay::begin(&last, vec![1]);
        assert!(second.is_none() && same == begun);
        begun.state = VerificationState::Equal;
        let under_way = under_way.unwrap();
        under_way.publish(begun.clone());
        // One that is dropped late says nothing of the next.
        let (next, _next) = UnderWay::begin(&last, vec![1]);
        drop(under_way);
        assert_eq!(last.borrow().clone(), Some(next));
    }
}

//! Follows the reports of the other replicas, and tells whom nobody listens for any more.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::timeout;

use crate::peer::{PeerError, decode};
use crate::status::Report;
use crate::wire::Wire;

/// Pause before a peer is followed again whose stream has just broken: long enough for the network to have forgotten the
/// broken connection, short enough for a death to be seen at once.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// The longest pause; each is twice the one before, until the peer is heard again.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// What is told of a peer.
pub(crate) trait Listener {
    /// It says how it is.
    fn heard(&self, report: Report);

    /// Its stream broke, or there was none yet, and a new connection is refused: nothing listens where it was.
    fn gone(&self, peer: u64);
}

/// Follows one peer's reports, for ever. After `silence` a stream is given up: a living peer reports several times within
/// it.
///
/// One lost connection is no death: the peer is asked again first, and living ones answer. One that cannot be connected to
/// then is gone: its process ended, and its system says so. A machine that fails as a whole says nothing; that is for
/// whoever looks at when a peer was last heard.
pub(crate) async fn follow(wire: &Wire, peer: u64, silence: Duration, listener: &impl Listener) {
    let mut pause = FIRST_PAUSE;
    loop {
        match wire.reports(peer).await {
            Ok(mut reports) => {
                while let Ok(Some(Ok(bytes))) = timeout(silence, reports.next()).await {
                    match decode::<Report>(&bytes) {
                        Ok(report) if report.replica_id == peer => {
                            listener.heard(report);
                            pause = FIRST_PAUSE;
                        }
                        Ok(report) => {
                            tracing::error!(
                                expected = peer,
                                actual = report.replica_id,
                                "a report of another replica"
                            );
                            break;
                        }
                        Err(error) => {
                            tracing::error!(%error, peer, "a report cannot be read");
                            break;
                        }
                    }
                }
            }
            Err(error) => {
                tracing::debug!(%error, peer, "a replica cannot be followed");
                if matches!(error, PeerError::NotSent { .. }) {
                    listener.gone(peer);
                }
            }
        }
        tokio::time::sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use bytes::Bytes;
    use futures_util::stream::{self, BoxStream};

    use super::*;
    use crate::peer::{Envelope, PeerAddress, PeerMethod, PeerTransport, encode};
    use crate::running::lock;
    use crate::status::testing::report;

    const SILENCE: Duration = Duration::from_millis(50);

    /// What a peer does when it is followed.
    enum Does {
        /// Reports so often, and breaks off.
        Report(u64),
        /// Takes the connection and says nothing.
        Hang,
        /// Has a connection break before it answers.
        Break,
        /// Has nobody listening.
        Refuse,
    }

    type Reports = BoxStream<'static, Result<Bytes, PeerError>>;

    /// A peer that does one thing after the other, and hangs when it has done all.
    struct Script(Mutex<VecDeque<Does>>);

    #[async_trait]
    impl PeerTransport for Script {
        async fn call(
            &self,
            peer: &PeerAddress,
            _: PeerMethod,
            _: Envelope,
            _: Duration,
        ) -> Result<Bytes, PeerError> {
            let reason = "not in this test".to_owned();
            Err(PeerError::NotSent {
                peer: peer.id,
                reason,
            })
        }

        async fn reports(&self, address: &PeerAddress, _: Envelope) -> Result<Reports, PeerError> {
            let does = lock(&self.0).pop_front();
            let (peer, reason) = (address.id, String::new());
            match does {
                Some(Does::Report(count)) => {
                    let reports = (1..=count).map(move |index| Ok(encode(&report(peer, index))));
                    Ok(stream::iter(reports).boxed())
                }
                Some(Does::Break) => Err(PeerError::Unreachable { peer, reason }),
                Some(Does::Refuse) => Err(PeerError::NotSent { peer, reason }),
                Some(Does::Hang) | None => Ok(stream::pending().boxed()),
            }
        }
    }

    #[derive(Default)]
    struct Diary(Mutex<Vec<String>>);

    impl Listener for Diary {
        fn heard(&self, report: Report) {
            lock(&self.0).push(format!("heard {:?}", report.applied_index.unwrap()));
        }

        fn gone(&self, peer: u64) {
            lock(&self.0).push(format!("{peer} is gone"));
        }
    }

    async fn diary(script: impl IntoIterator<Item = Does>) -> Vec<String> {
        let script = Arc::new(Script(Mutex::new(script.into_iter().collect())));
        let peers = [1, 2].map(|id| PeerAddress {
            id,
            url: String::new(),
        });
        let metrics = Arc::new(crate::metrics::Metrics::new(1, &peers));
        let wire = Wire::new(script.clone(), 1, &peers, metrics);
        let diary = Diary::default();
        let followed = follow(&wire, 2, SILENCE, &diary);
        let done = async {
            while !lock(&script.0).is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        tokio::select! {
            () = followed => {}
            () = done => {}
        }
        diary.0.into_inner().unwrap()
    }

    #[tokio::test]
    async fn a_lost_connection_is_no_death() {
        let script = [
            Does::Report(2),
            Does::Report(1),
            Does::Break,
            Does::Hang,
            Does::Report(1),
        ];
        let expected = ["heard 1", "heard 2", "heard 1", "heard 1"];
        assert_eq!(diary(script).await, expected);
    }

    #[tokio::test]
    async fn who_refuses_a_new_connection_is_gone_until_heard_again() {
        let script = [Does::Report(1), Does::Refuse, Does::Refuse, Does::Report(1)];
        let expected = ["heard 1", "2 is gone", "2 is gone", "heard 1"];
        assert_eq!(diary(script).await, expected);
    }
}

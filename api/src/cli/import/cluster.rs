//! The replicas of a cluster as one place to ask: when one goes away, the next is asked the same.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::progress::Progress;
use super::wire;
use crate::cli::client::{Client, ClientError, Endpoint};

/// Pause after every replica was asked once in vain; doubles each round up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Why the cluster brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// Asking again would bring the same.
    #[error(transparent)]
    Refused(ClientError),
    #[error("gave up after {} s; the last answer: {last}", waited.as_secs())]
    GaveUp { waited: Duration, last: ClientError },
}

/// What a request brought.
#[derive(Debug)]
pub struct Answer<D> {
    pub data: D,
    /// True if the request was sent more than once: an earlier one may have taken effect.
    pub resent: bool,
}

/// The replicas, and the one that answers at the moment.
pub struct Cluster {
    client: Client,
    endpoints: Vec<Endpoint>,
    current: usize,
    /// Longest time to ask for one answer.
    patience: Duration,
    progress: Progress,
}

impl Cluster {
    /// A cluster of the given replicas; the first is asked first.
    pub fn new(
        client: Client,
        endpoints: Vec<Endpoint>,
        patience: Duration,
        progress: Progress,
    ) -> Self {
        Self {
            client,
            endpoints,
            current: 0,
            patience,
            progress,
        }
    }

    /// Asks for the addresses of the other replicas, to carry on with.
    ///
    /// # Errors
    /// See [`Cluster::request`].
    pub async fn discover(&mut self) -> Result<(), ClusterError> {
        let found = self.request::<wire::Replicas>(wire::REPLICAS, &()).await?;
        for replica in found.data.replicas {
            // A replica whose address is not set up, or is no address, is one less to carry on with.
            let Ok(endpoint) = replica.url.parse::<Endpoint>() else {
                continue;
            };
            if !self.endpoints.contains(&endpoint) {
                self.endpoints.push(endpoint);
            }
        }
        Ok(())
    }

    /// Sends the operation until a replica answers it. A mutation must carry an idempotency key, as it may be
    /// sent more than once.
    ///
    /// # Errors
    /// A replica refused it, or none answered within the patience.
    pub async fn request<D: DeserializeOwned>(
        &mut self,
        query: &str,
        variables: &impl Serialize,
    ) -> Result<Answer<D>, ClusterError> {
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut failures = 0;
        loop {
            let Some(endpoint) = self.endpoints.get(self.current) else {
                self.current = 0;
                continue;
            };
            let error = match self.client.request(endpoint, query, variables).await {
                Ok(data) => {
                    return Ok(Answer {
                        data,
                        resent: failures > 0,
                    });
                }
                Err(error) if !error.retryable() => return Err(ClusterError::Refused(error)),
                Err(error) => error,
            };
            let waited = began.elapsed();
            if waited >= self.patience {
                return Err(ClusterError::GaveUp {
                    waited,
                    last: error,
                });
            }
            failures += 1;
            self.current = (self.current + 1) % self.endpoints.len();
            if failures <= self.endpoints.len() {
                self.note(&error);
            }
            if failures.is_multiple_of(self.endpoints.len()) {
                tokio::time::sleep(pause.min(self.patience - waited)).await;
                pause = (pause * 2).min(MAX_PAUSE);
            }
        }
    }

    fn note(&self, error: &ClientError) {
        let next = match &self.endpoints[..] {
            [_] => "trying again".to_owned(),
            all => format!("carrying on with {}", all[self.current]),
        };
        self.progress.note(&format!("{error}; {next}"));
    }
}

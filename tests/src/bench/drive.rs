//! The load: clients that ask again as soon as they are answered, or requests that come at a steady rate, whoever is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use super::connection::{Connection, Endpoint};
use super::figures::{Tally, latencies, note};

/// What is sent, and how an answer is known to be right.
#[derive(Clone)]
pub struct Script {
    /// Where to.
    pub endpoint: Endpoint,
    /// The body of a request, by a number that no other request has.
    pub body: Arc<dyn Fn(u64) -> Bytes + Send + Sync>,
    /// Says what is wrong with an answer.
    pub check: fn(&[u8]) -> Result<(), String>,
}

/// The next request's number.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// So many clients, each with a connection of its own, for so long. The tally counts what began after the warm-up, and was
/// answered before the end.
///
/// # Errors
/// The first answer that is not right.
pub async fn closed(
    script: &Script,
    clients: usize,
    warm_up: Duration,
    time: Duration,
) -> Result<Tally, String> {
    let mut connections = Vec::with_capacity(clients);
    for _ in 0..clients {
        connections.push(Connection::open(script.endpoint.clone()).await?);
    }
    let begin = Instant::now() + warm_up;
    let end = begin + time;
    let mut tasks = JoinSet::new();
    for mut connection in connections {
        let script = script.clone();
        tasks.spawn(async move {
            let mut latencies = latencies();
            loop {
                let sent = Instant::now();
                if sent >= end {
                    return Ok::<_, String>(latencies);
                }
                ask(&script, &mut connection).await?;
                let answered = Instant::now();
                if sent >= begin && answered < end {
                    note(&mut latencies, answered - sent);
                }
            }
        });
    }
    Ok(Tally {
        time,
        latencies: gather(tasks).await?,
        ..Tally::default()
    })
}

/// One request of a steady stream: when it was due, since the first one, and how long after that it was answered.
pub type Due = (Duration, Duration);

/// So many requests a second for so long, whether those before them are answered or not. Latencies count from when a request was
/// due, so that a stall shows in all that it held up. `waiting` is the most that are under way at once; the timer is good for a
/// millisecond.
///
/// # Errors
/// The first answer that is not right.
pub async fn open(
    script: &Script,
    per_second: f64,
    waiting: usize,
    time: Duration,
) -> Result<Vec<Due>, String> {
    let mut connections = Vec::with_capacity(waiting);
    for _ in 0..waiting {
        connections.push(Connection::open(script.endpoint.clone()).await?);
    }
    let begin = Instant::now() + Duration::from_millis(100);
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for mut connection in connections {
        let (script, next) = (script.clone(), next.clone());
        tasks.spawn(async move {
            let mut all = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let due = Duration::from_secs_f64(place as f64 / per_second);
                if due >= time {
                    return Ok::<_, String>(all);
                }
                tokio::time::sleep_until((begin + due).into()).await;
                ask(&script, &mut connection).await?;
                all.push((due, begin.elapsed().saturating_sub(due)));
            }
        });
    }
    let mut all = Vec::new();
    while let Some(task) = tasks.join_next().await {
        all.extend(task.map_err(|error| error.to_string())??);
    }
    all.sort_unstable();
    Ok(all)
}

async fn ask(script: &Script, connection: &mut Connection) -> Result<(), String> {
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    let answer = connection.post((script.body)(number)).await?;
    (script.check)(&answer)
}

async fn gather(
    mut tasks: JoinSet<Result<Histogram<u64>, String>>,
) -> Result<Histogram<u64>, String> {
    let mut all = latencies();
    while let Some(task) = tasks.join_next().await {
        let latencies = task.map_err(|error| error.to_string())??;
        all.add(&latencies).map_err(|error| error.to_string())?;
    }
    Ok(all)
}

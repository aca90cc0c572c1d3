//! Carries bytes one way, as the condition of the wire has it.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use super::Condition;

const PIECE_BYTES: usize = 16 << 10;
/// Pieces on their way; more wait at the sender.
const PIECES: usize = 64;
/// What a piece that was lost waits until it is sent again.
const SENT_AGAIN: Duration = Duration::from_millis(200);
/// One in so many lost pieces takes the connection with it.
const BREAKS: u64 = 20;

struct Piece {
    bytes: Vec<u8>,
    since: Instant,
}

/// Carries until either end closes, or the wire breaks.
pub(super) async fn pump(
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    wire: watch::Receiver<Condition>,
) {
    let (sender, pieces) = mpsc::channel(PIECES);
    // After the last byte was taken, what is on its way still arrives.
    let taken = async {
        take(from, sender).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = taken => {}
        () = deliver(to, pieces, wire) => {}
    }
}

async fn take(mut from: OwnedReadHalf, pieces: mpsc::Sender<Piece>) {
    loop {
        let mut bytes = vec![0; PIECE_BYTES];
        let Ok(length @ 1..) = from.read(&mut bytes).await else {
            break;
        };
        bytes.truncate(length);
        let piece = Piece {
            bytes,
            since: Instant::now(),
        };
        if pieces.send(piece).await.is_err() {
            return;
        }
    }
}

async fn deliver(
    mut to: OwnedWriteHalf,
    mut pieces: mpsc::Receiver<Piece>,
    mut wire: watch::Receiver<Condition>,
) {
    while let Some(piece) = pieces.recv().await {
        loop {
            let condition = *wire.borrow_and_update();
            match condition {
                Condition::Open => break,
                Condition::Refused => return,
                Condition::Cut => {
                    if wire.changed().await.is_err() {
                        return;
                    }
                }
                Condition::Slow {
                    latency,
                    bytes_per_second,
                } => {
                    let bytes = u32::try_from(piece.bytes.len()).expect("a small piece");
                    let time = Duration::from_secs(1) * bytes
                        / u32::try_from(bytes_per_second.max(1)).unwrap_or(u32::MAX);
                    tokio::time::sleep(latency.saturating_sub(piece.since.elapsed())).await;
                    tokio::time::sleep(time).await;
                    break;
                }
                Condition::Lossy { percent } => {
                    if draw(100) < percent {
                        if draw(BREAKS) == 0 {
                            return;
                        }
                        tokio::time::sleep(SENT_AGAIN).await;
                        continue;
                    }
                    break;
                }
            }
        }
        if to.write_all(&piece.bytes).await.is_err() {
            return;
        }
    }
}

/// What befalls single pieces is as little repeatable as when they come.
fn draw(bound: u64) -> u64 {
    let (high, _) = Uuid::new_v4().as_u64_pair();
    high % bound
}

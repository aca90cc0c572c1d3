//! The peer endpoint over the simulated network: one connection a call, and one a stream of reports.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde::{Deserialize, Serialize};
use threefold_replication::Replica;
use threefold_replication::peer::{
    Envelope, PeerAddress, PeerError, PeerFault, PeerMethod, PeerTransport,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use turmoil::net::{TcpListener, TcpStream};
use uuid::Uuid;

use crate::breakage::Breakage;
use crate::world::{PORT, Shared, host_name};

/// Longest wait for a connection, as the real transport has it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a machine takes to refuse a connection.
const REFUSAL: Duration = Duration::from_millis(2);
/// Longest silence of a stream of reports.
const SILENCE: Duration = Duration::from_secs(5);
/// Longest message.
const MAX_BYTES: u32 = 64 << 20;

/// What can be asked, by its number on the wire.
const METHODS: [PeerMethod; 15] = [
    PeerMethod::Hello,
    PeerMethod::Found,
    PeerMethod::AppendEntries,
    PeerMethod::Vote,
    PeerMethod::InstallSnapshot,
    PeerMethod::Propose,
    PeerMethod::ReadIndex,
    PeerMethod::TakeOver,
    PeerMethod::Members,
    PeerMethod::Add,
    PeerMethod::Promote,
    PeerMethod::Remove,
    PeerMethod::Replace,
    PeerMethod::Dismiss,
    PeerMethod::Verify,
];

#[derive(Serialize, Deserialize)]
struct Request {
    /// Place in [`METHODS`]; none: follow the reports.
    method: Option<usize>,
    cluster_id: Option<Uuid>,
    from: u64,
    to: u64,
    birth_mark: Option<Uuid>,
    format: u32,
    payload: Bytes,
}

/// The client's side, on one replica.
pub struct Transport {
    shared: Shared,
}

impl Transport {
    /// For one replica.
    pub fn new(shared: Shared) -> Self {
        Self { shared }
    }

    async fn open(&self, peer: u64, request: &Request) -> Result<TcpStream, PeerError> {
        let not_sent = |reason: &dyn std::fmt::Display| PeerError::NotSent {
            peer,
            reason: reason.to_string(),
        };
        // The simulated network knows no machines without a process; and where a link is cut it refuses, while a real one
        // is silent: a connection is only refused by a machine that hears of it.
        let (up, refuses) = {
            let world = self.shared.lock();
            let slot = &world.replicas[&peer];
            (slot.up, slot.refuses)
        };
        if !up {
            let answers_after = if refuses { REFUSAL } else { CONNECT_TIMEOUT };
            tokio::time::sleep(answers_after).await;
            return Err(not_sent(&"nobody listens"));
        }
        let mut stream = match TcpStream::connect((host_name(peer), PORT)).await {
            Ok(stream) => stream,
            Err(error) => {
                tokio::time::sleep(CONNECT_TIMEOUT).await;
                return Err(not_sent(&error));
            }
        };
        let sent = write(&mut stream, &encode(request)).await;
        sent.map_err(|error| unreachable(peer, &error))?;
        Ok(stream)
    }
}

fn unreachable(peer: u64, reason: &dyn std::fmt::Display) -> PeerError {
    PeerError::Unreachable {
        peer,
        reason: reason.to_string(),
    }
}

fn request(method: Option<PeerMethod>, envelope: Envelope) -> Request {
    let place = method.and_then(|it| METHODS.iter().position(|known| *known == it));
    Request {
        method: place,
        cluster_id: envelope.cluster_id,
        from: envelope.from,
        to: envelope.to,
        birth_mark: envelope.birth_mark,
        format: envelope.format,
        payload: envelope.payload,
    }
}

#[async_trait]
impl PeerTransport for Transport {
    async fn call(
        &self,
        peer: &PeerAddress,
        method: PeerMethod,
        envelope: Envelope,
        timeout: Duration,
    ) -> Result<Bytes, PeerError> {
        let request = request(Some(method), envelope);
        let answered = async {
            let mut stream = self.open(peer.id, &request).await?;
            let answer = read(&mut stream).await;
            let answer = answer.map_err(|error| unreachable(peer.id, &error))?;
            match rmp_serde::from_slice::<Result<Bytes, PeerFault>>(&answer) {
                Ok(Ok(bytes)) => Ok(bytes),
                Ok(Err(fault)) => Err(PeerError::Refused {
                    peer: peer.id,
                    fault,
                }),
                Err(error) => Err(unreachable(peer.id, &error)),
            }
        };
        match tokio::time::timeout(timeout, answered).await {
            Ok(answer) => answer,
            Err(elapsed) => Err(unreachable(peer.id, &elapsed)),
        }
    }

    async fn reports(
        &self,
        peer: &PeerAddress,
        envelope: Envelope,
    ) -> Result<BoxStream<'static, Result<Bytes, PeerError>>, PeerError> {
        let id = peer.id;
        let request = request(None, envelope);
        let stream = tokio::time::timeout(SILENCE, self.open(id, &request)).await;
        let stream = stream.map_err(|elapsed| unreachable(id, &elapsed))??;
        let reports = stream::unfold(Some(stream), move |stream| async move {
            let mut stream = stream?;
            match tokio::time::timeout(SILENCE, read(&mut stream)).await {
                Ok(Ok(report)) => Some((Ok(report), Some(stream))),
                Ok(Err(error)) => Some((Err(unreachable(id, &error)), None)),
                Err(elapsed) => Some((Err(unreachable(id, &elapsed)), None)),
            }
        });
        Ok(reports.boxed())
    }
}

/// What a broken rule remembers.
#[derive(Default)]
struct Memory {
    appended: std::sync::Mutex<Option<Bytes>>,
    read_index: std::sync::Mutex<Option<Bytes>>,
    calls: AtomicU64,
}

/// Answers the calls of peers, for ever.
pub async fn serve(listener: TcpListener, replica: Replica, breakage: Option<Breakage>) {
    let memory = Arc::<Memory>::default();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let (replica, memory) = (replica.clone(), memory.clone());
        tokio::spawn(async move {
            // Whoever asked may have gone.
            let _gone = answer(stream, &replica, breakage, &memory).await;
        });
    }
}

async fn answer(
    mut stream: TcpStream,
    replica: &Replica,
    breakage: Option<Breakage>,
    memory: &Memory,
) -> std::io::Result<()> {
    let bytes = read(&mut stream).await?;
    let request: Request = rmp_serde::from_slice(&bytes).map_err(std::io::Error::other)?;
    let envelope = Envelope {
        cluster_id: request.cluster_id,
        from: request.from,
        to: request.to,
        birth_mark: request.birth_mark,
        format: request.format,
        payload: request.payload,
    };
    let Some(method) = request.method.and_then(|place| METHODS.get(place)) else {
        let Ok(mut reports) = replica.reports(&envelope) else {
            return Ok(());
        };
        while let Some(report) = reports.next().await {
            write(&mut stream, &report).await?;
        }
        return Ok(());
    };
    let served = async {
        match breakage {
            Some(breakage) => broken(replica, breakage, memory, *method, envelope).await,
            None => replica.serve_peer(*method, envelope).await,
        }
    };
    // As of a real server: what nobody waits for any more is given up.
    let answer = tokio::select! {
        biased;
        answer = served => answer,
        _ = gone(&mut stream) => return Ok(()),
    };
    write(&mut stream, &encode(&answer)).await
}

async fn gone(stream: &mut TcpStream) {
    // Nothing more is sent: what comes is the end.
    let _end = stream.read_u8().await;
}

/// Serves a call, with one rule broken.
async fn broken(
    replica: &Replica,
    breakage: Breakage,
    memory: &Memory,
    method: PeerMethod,
    envelope: Envelope,
) -> Result<Bytes, PeerFault> {
    let call = memory.calls.fetch_add(1, Ordering::Relaxed);
    let kept = match (breakage, method) {
        (Breakage::Acknowledge, PeerMethod::AppendEntries) => &memory.appended,
        (Breakage::ReadIndex, PeerMethod::ReadIndex) => &memory.read_index,
        _ => return replica.serve_peer(method, envelope).await,
    };
    let before = crate::world::guard(kept).clone();
    // Heartbeats are short; what is longer carries entries.
    let lies =
        breakage == Breakage::ReadIndex || (envelope.payload.len() > 600 && call.is_multiple_of(3));
    if let Some(before) = before.filter(|_| lies) {
        return Ok(before);
    }
    let answer = replica.serve_peer(method, envelope).await?;
    *crate::world::guard(kept) = Some(answer.clone());
    Ok(answer)
}

fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(message).expect("plain types can be encoded")
}

async fn write(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(std::io::Error::other)?;
    let mut message = Vec::with_capacity(bytes.len() + 4);
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(bytes);
    stream.write_all(&message).await
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Bytes> {
    let length = stream.read_u32().await?;
    if length > MAX_BYTES {
        return Err(std::io::Error::other("a message is too long"));
    }
    let mut bytes = vec![0; length as usize];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes.into())
}

//! One replica with its two listeners, from start to stop.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::serve::ListenerExt;
use threefold_replication::Replica;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::config::ServeConfig;
use crate::http::Drain;
use crate::metrics::ApiMetrics;
use crate::peer::client::GraphQlPeerTransport;
use crate::{graphql, http, peer, service_manager};

/// How long requests that are under way may take when the server is told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the replica may take to stop after that.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

/// Serves until a signal comes (ok) or the replica fails (an error).
///
/// # Errors
/// Addresses that cannot be listened on, a replica that does not start, and one that stopped because of a fault.
pub async fn run(config: ServeConfig) -> anyhow::Result<()> {
    #[cfg(feature = "failpoints")]
    threefold_replication::failpoint::from_environment()?;
    let public = bind("--listen", &config.listen).await?;
    let private = bind("--peer-listen", &config.peer_listen).await?;
    let mut stop = Box::pin(stop_signal()?);
    let transport =
        GraphQlPeerTransport::new(&config.cluster_secret.text).map_err(anyhow::Error::msg)?;
    let id = config.replica.id;
    let replica = tokio::select! {
        started = Replica::start(config.replica, Arc::new(transport)) => {
            started.context("the replica did not start")?
        }
        // A database that does not answer is waited for; whoever says stop is not.
        () = &mut stop => return Ok(()),
    };
    tracing::info!(
        replica = id,
        api = %format!("http://{}/graphql", config.listen),
        peers = %config.peer_listen,
        "replica {id} is up"
    );
    service_manager::ready();

    let drain = Drain::default();
    let peers_stopping = CancellationToken::new();
    let metrics = ApiMetrics::new(&graphql::sdl());
    let public_router = http::router(
        replica.clone(),
        config.access,
        config.allowed_origins,
        drain.clone(),
        metrics.clone(),
    );
    #[cfg(feature = "failpoints")]
    let failpoints = peer::failpoint::router(config.cluster_secret.secret.clone());
    let private_router = peer::http::router(
        replica.clone(),
        config.cluster_secret.secret,
        drain.stopping.clone(),
        metrics.registry(&replica),
    );
    #[cfg(feature = "failpoints")]
    let private_router = private_router.merge(failpoints);
    let public = spawn(public, public_router, drain.stopping.clone());
    let private = spawn(private, private_router, peers_stopping.clone());

    let fault = tokio::select! {
        fault = replica.failed() => Some(fault),
        () = &mut stop => None,
    };
    service_manager::stopping();
    match &fault {
        Some(fault) => {
            tracing::error!(replica = id, %fault, "replica {id} stops because of a fault")
        }
        None => tracing::info!(replica = id, "replica {id} is told to stop"),
    }
    // Clients first: their requests still need the replica and its peers, and where it led, the one that leads next.
    // Then the replica, then its peers' calls.
    drain.stopping.cancel();
    drain.sockets.close();
    let answered = async {
        let (_, ()) = tokio::join!(public, drain.sockets.wait());
    };
    let retired = async {
        if fault.is_none() {
            replica.retire().await;
        }
    };
    let (answered, ()) = tokio::join!(timeout(DRAIN_TIMEOUT, answered), retired);
    if answered.is_err() {
        tracing::warn!("some requests were still under way and are cut off");
    }
    if timeout(SHUTDOWN_TIMEOUT, replica.shutdown()).await.is_err() {
        tracing::warn!("the replica did not stop in time; its log and database are safe");
    }
    peers_stopping.cancel();
    private.abort();
    match fault {
        Some(fault) => Err(fault.into()),
        None => Ok(()),
    }
}

async fn bind(flag: &str, address: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| {
        format!("{flag}: cannot listen on {address}; is another program using it?")
    })
}

fn spawn(listener: TcpListener, router: Router, stopping: CancellationToken) -> JoinHandle<()> {
    let listener = listener.tap_io(|stream| {
        // Without it small answers may wait for the acknowledgement of the ones before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY cannot be set");
        }
    });
    tokio::spawn(async move {
        let served = axum::serve(listener, router)
            .with_graceful_shutdown(stopping.cancelled_owned())
            .await;
        if let Err(error) = served {
            tracing::error!(%error, "a listener failed");
        }
    })
}

/// Resolves at the first SIGINT or SIGTERM.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

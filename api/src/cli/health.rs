//! `threefold health`: asks a replica how it is, for supervisors that know programs and exit codes only.

use std::time::Duration;

use anyhow::{Context, bail};

use crate::cli::client::Endpoint;
use crate::cli::stdout::print_line;

/// Most bytes of an answer that are shown.
const MAX_ANSWER_BYTES: usize = 500;

/// Flags of `threefold health`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address of the replica to ask [default: --listen on this machine].
    #[arg(long, value_name = "URL")]
    url: Option<Endpoint>,
    /// Where the replica of this machine listens, as `threefold serve` has it.
    #[arg(
        long,
        env = "THREEFOLD_LISTEN",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:8081"
    )]
    listen: String,
    /// Ask only whether the process answers, and not whether it serves.
    #[arg(long)]
    alive: bool,
    /// Longest wait for the answer, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    timeout_ms: u64,
}

/// Prints what the replica says, if it is well.
///
/// # Errors
/// A replica that cannot be reached, is not ready, or does not answer in time: the process then exits with 1.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let path = if args.alive { "healthz" } else { "readyz" };
    let base = match args.url {
        Some(url) => url.to_string(),
        None => format!("http://{}", reachable(&args.listen)),
    };
    let address = format!("{base}/{path}");
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_millis(args.timeout_ms))
        .build()
        .context("the HTTP client cannot start")?;
    let mut answer = match client.get(&address).send().await {
        Ok(answer) => answer,
        Err(error) if error.is_timeout() => {
            bail!("{address} did not answer within {} ms", args.timeout_ms)
        }
        Err(error) => return Err(error).context("the replica cannot be reached; is it running?"),
    };
    let status = answer.status();
    let said = answer.chunk().await.ok().flatten().unwrap_or_default();
    let said = String::from_utf8_lossy(&said[..said.len().min(MAX_ANSWER_BYTES)]);
    let said = said.trim();
    if status.is_success() {
        Ok(print_line(said)?)
    } else {
        bail!("{address} answers {}: {said}", status.as_u16())
    }
}

/// The address under which this machine reaches its own listener: one that listens everywhere is on loopback, too.
fn reachable(listen: &str) -> String {
    match listen.rsplit_once(':') {
        Some(("0.0.0.0" | "", port)) => format!("127.0.0.1:{port}"),
        Some(("[::]", port)) => format!("[::1]:{port}"),
        _ => listen.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_that_is_everywhere_is_asked_on_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:8081", "127.0.0.1:8081"),
            ("[::]:8081", "[::1]:8081"),
            ("127.0.0.1:7001", "127.0.0.1:7001"),
            ("replica1:8081", "replica1:8081"),
        ] {
            assert_eq!(reachable(listen), asked);
        }
    }
}

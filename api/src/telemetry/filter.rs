//! Which events become log lines, and which spans become traces.

use threefold_replication::trace::TARGET;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Context, Filter};

/// Environment variable with the filter, such as `info` or `threefold_replication=debug,info`.
const VARIABLE: &str = "THREEFOLD_LOG";
/// What is logged where nothing is asked for: the engine and the log store tell every step they take at `info`.
const DEFAULT: &str = "info,openraft=warn,fjall=warn,lsm_tree=warn,sea_orm_migration=warn";
/// Libraries that write out, at `debug`, what passes through them: frames of sockets, documents, statements.
const TALKATIVE: [&str; 7] = [
    "async_graphql",
    "hyper",
    "reqwest",
    "sea_orm",
    "sqlx",
    "tokio_tungstenite",
    "tungstenite",
];

/// Lets events through that the person asked for, and that cannot hold what is never logged.
pub(super) struct Lines {
    asked_for: EnvFilter,
}

impl Lines {
    /// What `THREEFOLD_LOG` asks for.
    pub(super) fn from_environment() -> Result<Self, String> {
        let asked_for = match std::env::var(VARIABLE) {
            Ok(text) => EnvFilter::try_new(&text).map_err(|error| {
                format!(
                    "{VARIABLE}={text:?} is no log filter: {error}; give a level (error, warn, info, debug, trace), \
                     or levels by part, such as info,threefold_replication=debug"
                )
            })?,
            Err(_) => EnvFilter::new(DEFAULT),
        };
        Ok(Self { asked_for })
    }
}

/// True for what may be logged at all, whatever is asked for: no library's `trace`, nor the `debug` of some, shows what
/// people have stored or how they got in.
fn is_discreet(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    if target.starts_with("threefold") {
        return true;
    }
    let talkative = || TALKATIVE.iter().any(|library| target.starts_with(library));
    match *metadata.level() {
        Level::TRACE => false,
        Level::DEBUG => !talkative(),
        _ => true,
    }
}

impl<S> Filter<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        metadata.is_event()
            && is_discreet(metadata)
            && Filter::<S>::enabled(&self.asked_for, metadata, context)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.is_event() && is_discreet(metadata) {
            Filter::<S>::callsite_enabled(&self.asked_for, metadata)
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Filter::<S>::max_level_hint(&self.asked_for)
    }
}

/// Lets through the spans that follow requests, and no library's.
pub(super) struct Spans;

impl<S> Filter<S> for Spans {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        metadata.is_span() && metadata.target() == TARGET
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.is_span() && metadata.target() == TARGET {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }
}

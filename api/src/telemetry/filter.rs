//! Which events become log lines, and which spans become traces.

use std::fmt;
use std::str::FromStr;

use threefold_replication::trace::TARGET;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Context, Filter};

use crate::config::hint;

/// What is logged where nothing is asked for: the engine and the log store tell every step they take at `info`, and PostgreSQL
/// every table that is there already.
const DEFAULT: &str = "info,openraft=warn,fjall=warn,lsm_tree=warn,sea_orm_migration=warn,sqlx::postgres::notice=warn";
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

/// The levels by name, from nothing to everything.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Lets events through that the person asked for, and that cannot hold what is never logged.
pub(super) struct Lines {
    asked_for: EnvFilter,
}

/// Which lines are asked for: a level, or levels by part, such as `info,threefold_replication=debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        EnvFilter::try_new(text).map_err(|error| {
            format!(
                "{text:?} is no log filter: {error}; give a level (error, warn, info, debug, trace), or levels by part, \
                 such as info,threefold_replication=debug"
            )
        })?;
        for part in text.split(',').filter(|part| !part.is_empty()) {
            level_or_target(part)
                .map_err(|reason| format!("{text:?} is no log filter: {reason}"))?;
        }
        Ok(Self(text.to_owned()))
    }
}

/// Refuses a part that is neither a level nor a target with one. A mistyped level would be taken for a target, at `trace`,
/// and nothing else would be heard.
fn level_or_target(part: &str) -> Result<(), String> {
    if part.contains('=') || part.parse::<LevelFilter>().is_ok() {
        return Ok(());
    }
    Err(format!(
        "{part:?} is no level ({}){}; for the lines of one target write target=level, such as {part}=debug",
        LEVELS.join(", "),
        hint(part, LEVELS)
    ))
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self(DEFAULT.to_owned())
    }
}

impl Lines {
    pub(super) fn new(asked_for: &LogFilter) -> Self {
        Self {
            asked_for: EnvFilter::new(&asked_for.0),
        }
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

/// Has the filter asked anew for every event and span.
///
/// A layer's filter leaves its answer in a thread-local of tracing-subscriber, where the next event finds it that is not
/// asked about. What only asks, as sqlx does through `log` after every statement, so has one line of ours left out that is
/// always enabled (tracing issue 2519).
fn asked_each_time(interest: Interest) -> Interest {
    if interest.is_always() {
        Interest::sometimes()
    } else {
        interest
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
            asked_each_time(Filter::<S>::callsite_enabled(&self.asked_for, metadata))
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
            asked_each_time(Interest::always())
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing::{Event, Subscriber};
    use tracing_log::{AsTrace, log};
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::{Layer, registry};

    use super::*;

    /// Counts what comes through.
    #[derive(Default)]
    struct Count(Arc<AtomicUsize>);

    impl<S: Subscriber> Layer<S> for Count {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_library_that_only_asks_takes_no_line_away() {
        let count = Count::default();
        let counted = count.0.clone();
        let lines = count.with_filter(Lines::new(&LogFilter::default()));
        tracing::subscriber::with_default(registry().with(lines), || {
            for _ in 0..3 {
                let asked = log::Metadata::builder()
                    .level(log::Level::Debug)
                    .target("sqlx::query")
                    .build();
                tracing::dispatcher::get_default(|dispatch| dispatch.enabled(&asked.as_trace()));
                tracing::error!("a line");
            }
        });
        assert_eq!(counted.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn levels_and_targets_with_a_level_are_filters() {
        for text in [DEFAULT, "off", "WARN", "info,", "info,openraft=debug"] {
            assert!(text.parse::<LogFilter>().is_ok(), "{text}");
        }
    }

    #[test]
    fn a_mistyped_level_is_refused_with_the_one_that_was_meant() {
        for (text, meant) in [
            ("inof", "info"),
            ("warning", "warn"),
            ("openraft=warn,debgu", "debug"),
        ] {
            let refusal = text.parse::<LogFilter>().unwrap_err();
            assert!(
                refusal.contains(&format!("did you mean `{meant}`?")),
                "{refusal}"
            );
        }
    }

    #[test]
    fn a_target_without_a_level_is_refused() {
        for (text, meant) in [
            ("verbose", "verbose=debug"),
            ("info,threefold_replication", "threefold_replication=debug"),
        ] {
            let refusal = text.parse::<LogFilter>().unwrap_err();
            assert!(refusal.contains("write target=level"), "{refusal}");
            assert!(refusal.contains(meant), "{refusal}");
            assert!(!refusal.contains("did you mean"), "{refusal}");
        }
        assert!("info,openraft=debgu".parse::<LogFilter>().is_err());
    }
}

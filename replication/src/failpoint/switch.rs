//! Setting failpoints, and passing them. The crate `fail` counts and throws the dice.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::list::{Kind, LIST, Point};

/// How often each failpoint has acted since the start, in the order of the list.
static ACTED: [AtomicU64; LIST.len()] = [const { AtomicU64::new(0) }; LIST.len()];

/// Longest sleep: more is a hung process, and another test.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The failure that was asked for.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("failpoint {0}")]
pub struct Injected(pub &'static str);

impl From<Injected> for std::io::Error {
    fn from(injected: Injected) -> Self {
        Self::other(injected)
    }
}

/// Why a failpoint was not set.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// The list does not have it.
    #[error("there is no failpoint {0:?}")]
    Unknown(String),
    /// Nobody knows what to do then.
    #[error("{action:?} is not an action of failpoint {name}: {reason}")]
    Action {
        /// The failpoint.
        name: &'static str,
        /// What was asked for.
        action: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What a failpoint is set to.
#[derive(Clone, Debug)]
pub struct State {
    /// Which one.
    pub point: Point,
    /// The actions it was set to, if it is set.
    pub action: Option<String>,
    /// How often it has acted since the start.
    pub acted: u64,
}

/// What happens at a failpoint.
enum Action {
    Crash,
    Sleep(Duration),
    Error,
    On,
}

impl Action {
    /// Reads one action without its frequency. The same text is what the crate `fail` keeps as the argument of `return`.
    fn parse(text: &str) -> Result<Self, String> {
        let sleep = text
            .strip_prefix("sleep(")
            .and_then(|rest| rest.strip_suffix(')'));
        match (text, sleep) {
            ("crash", _) => Ok(Self::Crash),
            ("error", _) => Ok(Self::Error),
            ("on", _) => Ok(Self::On),
            (_, Some(millis)) => match millis.parse().map(Duration::from_millis) {
                Ok(sleep) if sleep <= LONGEST_SLEEP => Ok(Self::Sleep(sleep)),
                Ok(_) => Err(format!("it sleeps longer than {LONGEST_SLEEP:?}")),
                Err(error) => Err(error.to_string()),
            },
            _ => Err("actions are crash, sleep(MS), error, on and off".to_owned()),
        }
    }

    fn suits(&self, kind: Kind) -> bool {
        match self {
            Self::Crash | Self::Sleep(_) => kind != Kind::Sabotage,
            Self::Error => kind == Kind::Fallible,
            Self::On => kind == Kind::Sabotage,
        }
    }
}

/// Sets a failpoint; an action that is `off` lets it be.
///
/// # Errors
/// A name that is not listed, or an action that does not suit it.
pub fn set(name: &str, action: &str) -> Result<(), SetError> {
    let point = LIST.iter().find(|point| point.name == name);
    let point = point.ok_or_else(|| SetError::Unknown(name.to_owned()))?;
    let unsuitable = |reason: String| SetError::Action {
        name: point.name,
        action: action.to_owned(),
        reason,
    };
    if action.trim() == "off" {
        fail::remove(point.name);
        return Ok(());
    }
    let mut translated = Vec::new();
    for part in action.split("->").map(str::trim) {
        let begin = part.rfind(['%', '*']).map_or(0, |end| end + 1);
        let (frequency, task) = part.split_at(begin);
        if task == "off" {
            translated.push(part.to_owned());
            continue;
        }
        if !Action::parse(task).map_err(unsuitable)?.suits(point.kind) {
            return Err(unsuitable(format!("it is a {:?}", point.kind)));
        }
        translated.push(format!("{frequency}return({task})"));
    }
    fail::cfg(point.name, &translated.join("->")).map_err(unsuitable)?;
    tracing::warn!(failpoint = point.name, action, "a failpoint is set");
    Ok(())
}

/// Sets what the variable `FAILPOINTS` says.
///
/// # Errors
/// The first one that cannot be set.
pub fn from_environment() -> Result<(), SetError> {
    let text = std::env::var("FAILPOINTS").unwrap_or_default();
    for setting in text.split(';').map(str::trim).filter(|s| !s.is_empty()) {
        let (name, action) = setting.split_once('=').unwrap_or((setting, ""));
        set(name.trim(), action.trim())?;
    }
    Ok(())
}

/// All failpoints as they are set.
pub fn states() -> Vec<State> {
    let set = fail::list();
    let state = |(point, acted): (&Point, &AtomicU64)| State {
        point: *point,
        action: set
            .iter()
            .find(|(name, _)| name == point.name)
            .map(|(_, action)| action.clone()),
        acted: acted.load(Ordering::Relaxed),
    };
    LIST.iter().zip(&ACTED).map(state).collect()
}

/// Passes a place.
///
/// # Errors
/// The failure that was asked for.
pub async fn pass(name: &'static str) -> Result<(), Injected> {
    match next(name) {
        Some(Action::Sleep(time)) => {
            tokio::time::sleep(time).await;
            Ok(())
        }
        other => act(name, other),
    }
}

/// Passes a place that cannot fail.
pub async fn at(name: &'static str) {
    match next(name) {
        Some(Action::Sleep(time)) => tokio::time::sleep(time).await,
        other => drop(act(name, other)),
    }
}

/// Passes a place that cannot fail, in code that blocks its thread.
pub fn at_blocking(name: &'static str) {
    match next(name) {
        Some(Action::Sleep(time)) => std::thread::sleep(time),
        other => drop(act(name, other)),
    }
}

/// True while a broken behaviour is on.
pub fn is_on(name: &'static str) -> bool {
    matches!(next(name), Some(Action::On))
}

fn act(name: &'static str, action: Option<Action>) -> Result<(), Injected> {
    match action {
        Some(Action::Crash) => {
            // To the descriptor that is flushed at every write: nothing that waits in memory is to be saved.
            eprintln!("failpoint {name}: the process ends here");
            std::process::abort()
        }
        Some(Action::Error) => Err(Injected(name)),
        _ => Ok(()),
    }
}

fn next(name: &'static str) -> Option<Action> {
    let action = fail::eval(name, |text| Action::parse(&text.unwrap_or_default()).ok());
    let action = action.flatten();
    if action.is_some()
        && let Some(position) = LIST.iter().position(|point| point.name == name)
        && let Some(acted) = ACTED.get(position)
    {
        acted.fetch_add(1, Ordering::Relaxed);
    }
    action
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_suit_is_refused() {
        assert!(matches!(set("nowhere", "crash"), Err(SetError::Unknown(_))));
        for (name, action) in [
            ("batch.begin", "error"),
            ("batch.begin", "on"),
            ("sabotage.stale-read", "crash"),
            ("batch.begin", "panic"),
            ("batch.begin", "sleep(x)"),
            ("batch.begin", "sleep(9999999)"),
            ("batch.begin", "x%crash"),
            ("batch.begin", ""),
        ] {
            assert!(
                matches!(set(name, action), Err(SetError::Action { .. })),
                "{name}={action}"
            );
        }
    }

    #[tokio::test]
    async fn actions_come_in_order_and_are_counted() {
        // A name that no other test of this process passes.
        let name = "flush.before";
        set(name, "2*off->1*error->2*sleep(1)->off").unwrap();
        for fails in [false, false, true, false, false, false, false] {
            assert_eq!(pass(name).await.is_err(), fails);
        }
        let state = states().into_iter().find(|state| state.point.name == name);
        let state = state.unwrap();
        assert_eq!(state.acted, 3);
        assert!(state.action.is_some());
        set(name, "off").unwrap();
        let state = states().into_iter().find(|state| state.point.name == name);
        assert_eq!(state.unwrap().action, None);
    }
}

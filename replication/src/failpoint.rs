//! Places in the code where a test can stop the process, let it wait, or let something fail; and deliberately broken
//! behaviours, which the checkers of the torture test must notice. [`LIST`](list::LIST) names them all.
//!
//! Only builds with the feature `failpoints` have them. In all others the macros here are nothing, and the crate `fail`
//! is not linked.
//!
//! An action is `crash` (gone at once, as by `kill -9`), `sleep(MS)`, `error` where the list says that the place can fail,
//! `on` for a broken behaviour, or `off`. `P%` before it lets it happen that often, `N*` at most N times, and `->` leads on to the next:
//! `3*off->1*crash` is the fourth time only, `5%error` one time in twenty. Set at the start by the variable `FAILPOINTS`
//! (`name=action;name=action`), and at run time by [`set`].

#[cfg(any(test, feature = "failpoints"))]
mod list;
#[cfg(feature = "failpoints")]
mod switch;

#[cfg(feature = "failpoints")]
pub use self::list::{Kind, LIST, Point};
#[cfg(feature = "failpoints")]
pub use self::switch::{
    Injected, SetError, State, at, at_blocking, from_environment, is_on, pass, set, states,
};

/// A place in asynchronous code. With a second part, the injected failure becomes that error and is returned.
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        crate::failpoint::at($name).await;
    };
    ($name:literal, $error:expr) => {
        #[cfg(feature = "failpoints")]
        if let Err(injected) = crate::failpoint::pass($name).await {
            return Err(($error)(injected));
        }
    };
}

/// A place in code that blocks its thread.
macro_rules! failpoint_blocking {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        crate::failpoint::at_blocking($name);
    };
}

/// True while a deliberately broken behaviour is on; never in a build without the feature.
#[cfg(feature = "failpoints")]
macro_rules! sabotaged {
    ($name:literal) => {
        crate::failpoint::is_on($name)
    };
}
#[cfg(not(feature = "failpoints"))]
macro_rules! sabotaged {
    ($name:literal) => {
        false
    };
}

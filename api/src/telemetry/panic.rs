//! A panic, which is a fault of this program, as a line of the log.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write;
use std::panic::PanicHookInfo;

use super::line::LineFormat;

/// What is said in place of a message that was put together when the program ran: it may quote what people have stored, as
/// that of a text cut in the middle of a character does.
const NOT_SHOWN: &str = "its message may hold what people have stored, and is not shown";

/// Has panics written as lines of this form from here on, straight to standard error: they may come from anywhere.
pub(super) fn hook(lines: LineFormat) {
    std::panic::set_hook(Box::new(move |panic| {
        let line = lines.panic(
            &place(panic),
            message(panic.payload()),
            backtrace().as_deref(),
        );
        // Where nobody reads there is nobody to tell.
        let _unread = std::io::stderr().write_all(line.as_bytes());
    }));
}

fn place(panic: &PanicHookInfo<'_>) -> String {
    panic
        .location()
        .map_or_else(|| "an unknown place".to_owned(), ToString::to_string)
}

/// A message that is part of the program, or none.
fn message(payload: &dyn Any) -> &'static str {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .unwrap_or(NOT_SHOWN)
}

/// Only with `RUST_BACKTRACE=1`.
fn backtrace() -> Option<String> {
    let backtrace = Backtrace::capture();
    (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_that_are_part_of_the_program_are_shown() {
        let quoted = std::panic::catch_unwind(|| {
            let typed = String::from("Pharmacié");
            typed[..9].len()
        });
        assert_eq!(message(quoted.unwrap_err().as_ref()), NOT_SHOWN);
        let fixed = std::panic::catch_unwind(|| panic!("a rule is broken"));
        assert_eq!(message(fixed.unwrap_err().as_ref()), "a rule is broken");
    }
}

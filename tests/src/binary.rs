//! The `threefold` binary under test. Building it is not the tests' business.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The file named by `THREEFOLD_BIN`, or the one that `cargo build` leaves beside the tests.
pub fn path() -> PathBuf {
    let path = env::var_os("THREEFOLD_BIN").map_or_else(beside_the_tests, PathBuf::from);
    assert!(
        path.is_file(),
        "{} is missing: run `cargo build` first, or name the binary in THREEFOLD_BIN",
        path.display()
    );
    path
}

/// The binary that is built with failpoints, as `make torture-binary` does: the file named by `THREEFOLD_TORTURE_BIN`, or
/// `threefold-torture` beside the other one.
pub fn with_failpoints() -> PathBuf {
    let path = env::var_os("THREEFOLD_TORTURE_BIN").map_or_else(
        || beside_the_tests().with_file_name("threefold-torture"),
        PathBuf::from,
    );
    assert!(
        path.is_file(),
        "{} is missing: run `make torture-binary` first, or name the binary in THREEFOLD_TORTURE_BIN",
        path.display()
    );
    path
}

/// A command of the binary, free of settings that the person at the keyboard keeps in the environment.
pub fn command() -> Command {
    command_of(&path())
}

/// The same of any build.
pub fn command_of(path: &Path) -> Command {
    free_of_settings(Command::new(path))
}

/// The same for any command.
pub(crate) fn free_of_settings(mut command: Command) -> Command {
    for (name, _) in env::vars_os() {
        let name_text = name.to_string_lossy();
        if ["THREEFOLD_", "OTEL_", "FAILPOINTS"]
            .iter()
            .any(|begin| name_text.starts_with(begin))
        {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its successful end and returns what it printed.
pub async fn run(arguments: &[&str]) -> Vec<u8> {
    let mut command = command();
    command.args(arguments);
    let output: Output = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("the task that runs the binary")
        .expect("the binary starts");
    assert!(
        output.status.success(),
        "threefold {} failed ({}): {}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// `target/debug/threefold` for `target/debug/deps/same_data-0123456789abcdef`.
fn beside_the_tests() -> PathBuf {
    let test = env::current_exe().expect("the test knows its own file");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("the test lies in target/<profile>/deps");
    profile.join("threefold")
}

//! Environment variables that look like settings and are none.

use std::collections::BTreeSet;

use clap::Command;

use super::nearest::nearest;
use super::problem::Problem;

/// How every variable of ours begins.
const PREFIX: &str = "THREEFOLD_";

/// The variables of this process that begin like ours and that no flag of any command knows, in order.
pub(super) fn unknown(command: &Command) -> Vec<Problem> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    unknown_among(names, command)
}

fn unknown_among(names: impl Iterator<Item = String>, command: &Command) -> Vec<Problem> {
    let mut known = BTreeSet::new();
    collect(command, &mut known);
    // The beginning is the same for all: it would make every name look near.
    let bare = |name: &str| name.strip_prefix(PREFIX).unwrap_or_default().to_owned();
    let known_bare: Vec<String> = known.iter().map(|name| bare(name)).collect();
    let unknown: BTreeSet<String> = names
        .filter(|name| name.starts_with(PREFIX) && !known.contains(name))
        .collect();
    unknown
        .into_iter()
        .map(|name| {
            let near = nearest(&bare(&name), known_bare.iter().map(String::as_str));
            let hint = near.map(|it| format!("; did you mean `{PREFIX}{it}`?"));
            Problem {
                reason: format!("no setting has this name{}", hint.unwrap_or_default()),
                place: name,
            }
        })
        .collect()
}

fn collect(command: &Command, known: &mut BTreeSet<String>) {
    let variables = command
        .get_arguments()
        .filter_map(|arg| arg.get_env()?.to_str());
    known.extend(variables.map(str::to_owned));
    for subcommand in command.get_subcommands() {
        collect(subcommand, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn a_variable_of_no_flag_is_named() {
        let names = [
            "THREEFOLD_IN_SYNC_TIMEOUT",
            "THREEFOLD_URL",
            "THREEFOLD_LOG",
            "THREEFOLD_ID",
            "THREEFOLD_COLOUR",
            "PATH",
        ];
        let command = crate::cli::Cli::command();
        let problems = unknown_among(names.iter().map(ToString::to_string), &command);
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "THREEFOLD_COLOUR: no setting has this name",
                "THREEFOLD_IN_SYNC_TIMEOUT: no setting has this name; did you mean `THREEFOLD_IN_SYNC_TIMEOUT_MS`?",
            ]
        );
    }
}

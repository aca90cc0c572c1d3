//! Flags beat the environment, the environment beats the file, the file beats the defaults.
//!
//! The file's values become the defaults of the flags, so that flags, variables and file are read by one parser and
//! judged alike. What is wrong is collected first, since that parser would stop at the first of it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::environment;
use super::example;
use super::file::{self, ConfigFile};
use super::permissions;
use super::problem::{ConfigError, Problem};
use super::setting::Setting;
use super::sources::{Effective, Source, Sources};

/// Settings of which a replica needs one, whichever it is.
const DATABASE: [&str; 2] = ["database", "database-url-file"];

/// Why a command line comes to nothing.
#[derive(Debug)]
pub enum LoadError {
    /// It is no command line of ours, or asks for help.
    Usage(clap::Error),
    /// Its settings cannot be used.
    Settings(ConfigError),
}

/// Reads a command line and, for those commands that have settings, the other layers.
///
/// # Errors
/// Flags that there are not, and everything that is wrong with the settings as far as it can be told without them all.
pub fn load(
    command: Command,
    arguments: Vec<OsString>,
) -> Result<(ArgMatches, Option<Sources>), LoadError> {
    let settings = Setting::all();
    let flags_only = each_setting(command.clone(), &settings, |arg| {
        arg.required(false).env(None::<&'static str>)
    });
    let flags = flags_only
        .try_get_matches_from(&arguments)
        // The whole command says better what it needs.
        .map_err(|error| {
            let better = command.clone().try_get_matches_from(&arguments).err();
            LoadError::Usage(better.unwrap_or(error))
        })?;
    let Some((given, is_check)) = with_settings(&flags) else {
        return Ok((flags, None));
    };
    let path = given.get_one::<PathBuf>("config").cloned();
    let (file, mut problems) = match &path {
        Some(path) => file::read(path, &settings),
        None => Default::default(),
    };
    if path.is_some() && !file.is_whole {
        // Whether anything is missing cannot be told.
        return Err(LoadError::Settings(ConfigError(problems)));
    }
    let unheeded = environment::unknown(&command);
    let unusable = unusable_variables(&settings, given);
    let missing = missing(&settings, given, &file);
    let incomplete = !unusable.is_empty() || !missing.is_empty();
    let mut warnings = Vec::new();
    problems.extend(unusable);
    if is_check {
        problems.extend(unheeded);
    } else {
        // Others may share the environment.
        warnings.extend(unheeded.iter().map(ToString::to_string));
    }
    problems.extend(missing);
    if incomplete {
        return Err(LoadError::Settings(ConfigError(problems)));
    }

    let layered = each_setting(command, &settings, |arg| {
        let entry = arg.get_long().and_then(|key| file.entries.get(key));
        match entry {
            Some(entry) => arg.required(false).default_values(entry.values.clone()),
            None => arg,
        }
    });
    let matches = layered
        .try_get_matches_from(arguments)
        .map_err(LoadError::Usage)?;
    let effective = match with_settings(&matches) {
        Some((matches, _)) => effective(settings, matches, &file),
        None => Vec::new(),
    };
    warnings.extend(path.and_then(|path| password_warning(&path, &effective)));
    let sources = Sources {
        settings: effective,
        problems,
        warnings,
    };
    Ok((matches, Some(sources)))
}

/// The flags of the command, if it is one that has settings, and whether that is `config check`.
fn with_settings(matches: &ArgMatches) -> Option<(&ArgMatches, bool)> {
    match matches.subcommand()? {
        ("serve", serve) => Some((serve, false)),
        ("config", config) => match config.subcommand()? {
            ("check", check) => Some((check, true)),
            _ => None,
        },
        ("restore", restore) => Some((restore, false)),
        ("cluster", cluster) => cluster.subcommand().map(|(_, chosen)| (chosen, false)),
        _ => None,
    }
}

/// The command with its settings changed, wherever it has them.
fn each_setting(command: Command, settings: &[Setting], change: impl Fn(Arg) -> Arg) -> Command {
    let change = |arg: Arg| {
        if settings.iter().any(|it| it.id() == arg.get_id().as_str()) {
            change(arg)
        } else {
            arg
        }
    };
    command
        .mut_subcommand("serve", |serve| serve.mut_args(&change))
        .mut_subcommand("restore", |restore| restore.mut_args(&change))
        .mut_subcommand("config", |config| {
            config.mut_subcommand("check", |check| check.mut_args(&change))
        })
        .mut_subcommand("cluster", |cluster| {
            cluster.mut_subcommands(|chosen| chosen.mut_args(&change))
        })
}

fn is_flag_given(setting: &Setting, given: &ArgMatches) -> bool {
    given.value_source(setting.id()) == Some(ValueSource::CommandLine)
}

fn variable(setting: &Setting) -> Option<(&str, OsString)> {
    let name = setting.variable()?;
    Some((name, env::var_os(name)?))
}

/// Variables of settings that no flag takes the place of, and that cannot be used.
fn unusable_variables(settings: &[Setting], given: &ArgMatches) -> Vec<Problem> {
    let unset = settings.iter().filter(|it| !is_flag_given(it, given));
    unset
        .filter_map(|setting| {
            let (name, value) = variable(setting)?;
            let reason = match value.to_str() {
                Some(value) => setting.refusal(value)?,
                None => "its value is no UTF-8".to_owned(),
            };
            let place = name.to_owned();
            Some(Problem { place, reason })
        })
        .collect()
}

/// What a replica needs and nobody has set.
fn missing(settings: &[Setting], given: &ArgMatches, file: &ConfigFile) -> Vec<Problem> {
    let is_set = |setting: &Setting| {
        let in_file = file.entries.get(setting.key());
        is_flag_given(setting, given)
            || variable(setting).is_some()
            || in_file.is_some_and(|entry| !entry.values.is_empty())
            || file.unusable.iter().any(|key| key == setting.key())
    };
    let unset = settings.iter().filter(|it| !is_set(it));
    let (unset_database, unset): (Vec<_>, Vec<_>) =
        unset.partition(|it| DATABASE.contains(&it.key()));
    let unset = unset.into_iter().filter(|it| it.is_required());
    let unset_database = unset_database
        .first()
        .filter(|_| unset_database.len() == DATABASE.len())
        .copied();
    unset
        .chain(unset_database)
        .map(|setting| Problem {
            place: format!("--{}", setting.key()),
            reason: format!(
                "is not set; give it, or {}, or in a configuration file: {}",
                setting.variable().unwrap_or_default(),
                example::line(setting)
            ),
        })
        .collect()
}

fn effective(settings: Vec<Setting>, matches: &ArgMatches, file: &ConfigFile) -> Vec<Effective> {
    settings
        .into_iter()
        .map(|setting| {
            let in_file = file.entries.get(setting.key());
            let source = match (matches.value_source(setting.id()), in_file) {
                (Some(ValueSource::CommandLine), _) => Source::Flag,
                (Some(ValueSource::EnvVariable), _) => Source::Environment,
                (_, Some(entry)) => Source::File(entry.place.clone()),
                (_, None) => Source::Default,
            };
            let values = matches.get_raw(setting.id()).unwrap_or_default();
            Effective {
                values: values.map(|it| it.to_string_lossy().into_owned()).collect(),
                setting,
                source,
            }
        })
        .collect()
}

/// A warning where the file holds a password that everybody on this machine may read.
fn password_warning(path: &Path, settings: &[Effective]) -> Option<String> {
    let from_file = |it: &&Effective| matches!(it.source, Source::File(_));
    let holds_secret = settings
        .iter()
        .filter(from_file)
        .any(Effective::holds_secret);
    holds_secret.then(|| permissions::warning(path)).flatten()
}

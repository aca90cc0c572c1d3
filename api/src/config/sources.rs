//! Where each setting of one `threefold serve` comes from.

use std::fmt;

use super::file::Place;
use super::problem::Problem;
use super::redact::shown;
use super::setting::Setting;

/// The settings of one `threefold serve` with their sources. Empty where flags were read without their layers, as in unit
/// tests.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub(super) settings: Vec<Effective>,
    /// What is wrong with settings that something else takes the place of.
    pub(super) problems: Vec<Problem>,
    /// What a person should look at, and what no replica stops for.
    pub(super) warnings: Vec<String>,
}

/// One setting as it is.
#[derive(Clone, Debug)]
pub struct Effective {
    /// Which one.
    pub setting: Setting,
    pub(super) values: Vec<String>,
    /// Who said so.
    pub source: Source,
}

/// What says what a setting is. The first of these that says anything is obeyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The command line.
    Flag,
    /// The environment.
    Environment,
    /// The configuration file.
    File(Place),
    /// Nobody.
    Default,
}

impl Sources {
    /// All settings, in the order of the help.
    pub fn settings(&self) -> &[Effective] {
        &self.settings
    }

    /// The place of the setting with this flag, for a message.
    pub(super) fn place(&self, flag: &str) -> String {
        let key = flag.trim_start_matches("--");
        let effective = self.settings.iter().find(|it| it.setting.key() == key);
        match effective.map(|it| (&it.source, it.setting.variable())) {
            Some((Source::File(place), _)) => format!("{place}: `{key}`"),
            Some((Source::Environment, Some(variable))) => variable.to_owned(),
            _ => flag.to_owned(),
        }
    }
}

impl Effective {
    /// Its values as they may be shown: without passwords. None where it is not set.
    pub fn values(&self) -> Vec<String> {
        self.values.iter().map(|value| shown(value)).collect()
    }

    /// True where a value holds a password.
    pub(super) fn holds_secret(&self) -> bool {
        self.values.iter().any(|value| shown(value) != *value)
    }

    /// Where exactly it is set: a flag, a variable, or file, line and column. None for a default.
    pub fn place(&self) -> Option<String> {
        match &self.source {
            Source::Flag => Some(format!("--{}", self.setting.key())),
            Source::Environment => self.setting.variable().map(str::to_owned),
            Source::File(place) => Some(place.to_string()),
            Source::Default => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File(_) => "file",
            Self::Default => "default",
        })
    }
}

//! The settings of `threefold serve`, as its flags define them: the only list there is. Files, examples and documents
//! follow it.

use std::any::TypeId;
use std::error::Error;

use clap::{Arg, ArgAction, Args as _, Command};

use crate::cli::serve::Args;

/// The flag that names the configuration file; all other flags of `serve` are settings.
const FILE_FLAG: &str = "config";

/// What a value is written as in a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In quotes.
    Text,
    /// In digits, without quotes.
    Number,
    /// `true` or `false`, without quotes.
    Boolean,
}

/// One setting: a flag, an environment variable and a key of the file.
#[derive(Clone, Debug)]
pub struct Setting {
    arg: Arg,
    key: String,
}

impl Setting {
    /// All settings, in the order of the help.
    pub fn all() -> Vec<Self> {
        let command = Args::augment_args(Command::new("serve"));
        command
            .get_arguments()
            .filter(|arg| arg.get_id() != FILE_FLAG)
            .filter_map(|arg| {
                Some(Self {
                    key: arg.get_long()?.to_owned(),
                    arg: arg.clone(),
                })
            })
            .collect()
    }

    /// Its name in a file; with two dashes before it, the flag.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its environment variable.
    pub fn variable(&self) -> Option<&str> {
        self.arg.get_env()?.to_str()
    }

    /// What a value is called in the help, such as `MS`.
    pub fn value_name(&self) -> &str {
        let names = self.arg.get_value_names().unwrap_or_default();
        names.first().map_or("VALUE", |name| name.as_str())
    }

    /// What it means, in one paragraph.
    pub fn help(&self) -> String {
        let help = self.arg.get_help().map(ToString::to_string);
        help.unwrap_or_default()
    }

    /// What it belongs to.
    pub fn heading(&self) -> Option<&str> {
        self.arg.get_help_heading()
    }

    /// What it is where nobody sets it, as one would write it after the flag.
    pub fn default(&self) -> Option<&str> {
        match self.arg.get_default_values().first() {
            Some(default) => default.to_str(),
            // A flag that is given or not.
            None if self.kind() == Kind::Boolean => Some("false"),
            None => None,
        }
    }

    /// The only values that there are, if it has such a list.
    pub fn choices(&self) -> Vec<String> {
        if self.kind() == Kind::Boolean {
            return Vec::new();
        }
        let choices = self.arg.get_possible_values();
        choices.iter().map(|it| it.get_name().to_owned()).collect()
    }

    /// Whether a replica does not start without it.
    pub fn is_required(&self) -> bool {
        self.arg.is_required_set()
    }

    /// Whether it has any number of values.
    pub fn is_list(&self) -> bool {
        matches!(self.arg.get_action(), ArgAction::Append)
    }

    /// Whether the flag stands alone and means true.
    pub fn is_switch(&self) -> bool {
        matches!(self.arg.get_action(), ArgAction::SetTrue)
    }

    /// Whether its value may hold a password.
    pub fn is_secret(&self) -> bool {
        self.arg.is_hide_env_values_set()
    }

    /// How its values are written in a file.
    pub fn kind(&self) -> Kind {
        let type_id = self.arg.get_value_parser().type_id();
        let numbers = [
            TypeId::of::<u16>(),
            TypeId::of::<u32>(),
            TypeId::of::<u64>(),
            TypeId::of::<usize>(),
            TypeId::of::<f64>(),
        ];
        if numbers.iter().any(|number| type_id == *number) {
            Kind::Number
        } else if type_id == TypeId::of::<bool>() {
            Kind::Boolean
        } else {
            Kind::Text
        }
    }

    /// The flag's identifier among parsed arguments.
    pub(super) fn id(&self) -> &str {
        self.arg.get_id().as_str()
    }

    /// Why the value cannot be used, asked of the flag itself.
    pub(super) fn refusal(&self, value: &str) -> Option<String> {
        let mut arg = self.arg.clone().required(false).env(None::<&'static str>);
        if self.is_switch() {
            // Given or not on a command line; elsewhere it has a value.
            arg = arg.action(ArgAction::Set).num_args(1);
        }
        let parser = Command::new("serve").no_binary_name(true).arg(arg);
        let error = parser
            .try_get_matches_from([format!("--{}={value}", self.key)])
            .err()?;
        if self.is_secret() {
            return Some("this value cannot be used".to_owned());
        }
        let reason = match error.source() {
            Some(cause) => cause.to_string(),
            None => format!("give one of {}", self.choices().join(", ")),
        };
        Some(format!("{value:?} cannot be used: {reason}"))
    }
}

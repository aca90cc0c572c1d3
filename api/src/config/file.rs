//! The configuration file: TOML whose keys are the names of the flags.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::nearest::hint;
use super::problem::Problem;
use super::setting::{Kind, Setting};

/// Most bytes of a configuration file; one with every setting and its explanation has a few thousand.
const MAX_BYTES: u64 = 1 << 20;

/// What a configuration file says: only what can be used.
#[derive(Debug, Default)]
pub(super) struct ConfigFile {
    /// The values of each key, in the words of the flag, and where they stand.
    pub(super) entries: BTreeMap<String, Entry>,
    /// Keys that stand in the file with something that cannot be used.
    pub(super) unusable: Vec<String>,
    /// False where it is no TOML or could not be read: what it does not say may stand in it all the same.
    pub(super) is_whole: bool,
}

/// The values of one key.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) values: Vec<String>,
    pub(super) place: Place,
}

/// File, line and column, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    file: String,
    line: usize,
    column: usize,
}

impl Place {
    fn new(file: &str, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let last_line = before.rsplit('\n').next().unwrap_or_default();
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: last_line.chars().count() + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Reads a file, and tells everything that is wrong with it.
pub(super) fn read(path: &Path, settings: &[Setting]) -> (ConfigFile, Vec<Problem>) {
    let name = path.display().to_string();
    match text(path) {
        Ok(text) => Reader::new(&name, &text).read(settings),
        Err(reason) => {
            let place = name;
            (ConfigFile::default(), vec![Problem { place, reason }])
        }
    }
}

fn text(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text));
    match read {
        Ok(bytes) if bytes as u64 > MAX_BYTES => Err(format!(
            "has more than {MAX_BYTES} bytes; is it a configuration file?"
        )),
        Ok(_) => Ok(text),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    file: ConfigFile,
    /// What is wrong, by offset in the text.
    faults: Vec<(usize, String)>,
}

impl<'a> Reader<'a> {
    fn new(name: &'a str, text: &'a str) -> Self {
        Self {
            name,
            text,
            file: ConfigFile::default(),
            faults: Vec::new(),
        }
    }

    fn read(mut self, settings: &[Setting]) -> (ConfigFile, Vec<Problem>) {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        self.file.is_whole = errors.is_empty();
        for error in &errors {
            // Only the message: the whole would repeat the line, which may hold a password.
            let at = error.span().map_or(0, |span| span.start);
            self.fault(at, format!("this is no TOML: {}", error.message().trim()));
        }
        for (key, value) in table.into_inner() {
            let at = key.span().start;
            let setting = settings
                .iter()
                .find(|it| it.key() == key.get_ref().as_ref());
            match setting {
                Some(setting) => self.setting(setting, at, &value),
                // What is half a line reads as something else, and has been told.
                None if !errors.is_empty() => {}
                None => self.unknown(key.get_ref(), at, &value, settings),
            }
        }
        self.faults.sort();
        let faults = std::mem::take(&mut self.faults);
        let problems = faults.into_iter().map(|(offset, reason)| Problem {
            place: self.place(offset).to_string(),
            reason,
        });
        let problems = problems.collect();
        (self.file, problems)
    }

    fn setting(&mut self, setting: &Setting, at: usize, value: &Spanned<DeValue<'_>>) {
        let several = match value.get_ref() {
            DeValue::Array(values) if setting.is_list() => values.iter().collect(),
            _ => vec![value],
        };
        let mut values = Vec::with_capacity(several.len());
        let mut usable = true;
        for value in several {
            let checked = written(setting, value.get_ref())
                .and_then(|text| setting.refusal(&text).map_or(Ok(text), Err));
            match checked {
                Ok(text) => values.push(text),
                Err(reason) => {
                    usable = false;
                    self.fault(value.span().start, format!("`{}`: {reason}", setting.key()));
                }
            }
        }
        let key = setting.key().to_owned();
        if usable {
            let place = self.place(at);
            self.file.entries.insert(key, Entry { values, place });
        } else {
            self.file.unusable.push(key);
        }
    }

    fn unknown(
        &mut self,
        key: &str,
        at: usize,
        value: &Spanned<DeValue<'_>>,
        settings: &[Setting],
    ) {
        let reason = if value.get_ref().is_table() {
            format!("unknown section `{key}`; settings stand at the top level, without sections")
        } else {
            let hint = hint(key, settings.iter().map(Setting::key));
            format!("unknown setting `{key}`{hint}")
        };
        self.fault(at, reason);
    }

    fn fault(&mut self, offset: usize, reason: String) {
        self.faults.push((offset, reason));
    }

    fn place(&self, offset: usize) -> Place {
        Place::new(self.name, self.text, offset)
    }
}

/// The value as one would write it after the flag.
fn written(setting: &Setting, value: &DeValue<'_>) -> Result<String, String> {
    match (setting.kind(), value) {
        (Kind::Text, DeValue::String(text)) => Ok(text.clone().into_owned()),
        (Kind::Number, DeValue::Integer(number)) => {
            // A number of another base, such as 0x10, comes to what it is worth.
            let worth = i128::from_str_radix(number.as_str(), number.radix());
            worth
                .map(|worth| worth.to_string())
                .map_err(|e| e.to_string())
        }
        (Kind::Number, DeValue::Float(number)) => Ok(number.as_str().to_owned()),
        (Kind::Boolean, DeValue::Boolean(value)) => Ok(value.to_string()),
        (kind, _) => Err(format!(
            "{} is needed here, such as {}",
            match kind {
                Kind::Text if setting.is_list() => "a list of texts in quotes",
                Kind::Text => "a text in quotes",
                Kind::Number => "a number without quotes",
                Kind::Boolean => "true or false, without quotes,",
            },
            super::example::line(setting)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let (_, problems) = Reader::new("t.toml", text).read(&Setting::all());
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_every_problem_with_its_place() {
        let text = "id = 1\nin-sync-timeout = 3\npeers = []\n\n  min-in-sync = '3'\nelection_timeout_ms = 1\n";
        assert_eq!(
            problems(text),
            [
                "t.toml:2:1: unknown setting `in-sync-timeout`; did you mean `in-sync-timeout-ms`?",
                "t.toml:3:1: unknown setting `peers`; did you mean `peer`?",
                "t.toml:5:17: `min-in-sync`: a number without quotes is needed here, such as min-in-sync = 2",
                "t.toml:6:1: unknown setting `election_timeout_ms`; did you mean `election-timeout-ms`?",
            ]
        );
    }

    #[test]
    fn a_value_is_judged_by_its_flag() {
        for (text, expected) in [
            ("id = -1", "t.toml:1:6: `id`: \"-1\" cannot be used: "),
            (
                "open = 1",
                "true or false, without quotes, is needed here, such as open = false",
            ),
            (
                "data = 7",
                "`data`: a text in quotes is needed here, such as data = \"",
            ),
            (
                "log-format = 'jsn'",
                "`log-format`: \"jsn\" cannot be used: give one of text, json",
            ),
            (
                "peer = ['1=http://a:1', 2]",
                "t.toml:1:25: `peer`: a list of texts in quotes",
            ),
            (
                "allow-origin = ['*']",
                "t.toml:1:17: `allow-origin`: \"*\" cannot be used: \"*\" is no origin",
            ),
            (
                "[cluster]\nid = 1",
                "t.toml:1:2: unknown section `cluster`; settings stand at the top level",
            ),
            ("id = 1\nid = 2", "t.toml:2:1: this is no TOML: "),
            (
                "listen = 127.0.0.1:1",
                "t.toml:1:10: `listen`: a text in quotes is needed here, such as listen = \"",
            ),
            ("config = 'x'", "t.toml:1:1: unknown setting `config`"),
        ] {
            let problems = problems(text);
            let first = problems.first().map_or("nothing", String::as_str);
            assert!(first.contains(expected), "{text} gave {problems:?}");
        }
    }

    #[test]
    fn a_password_is_not_repeated() {
        for text in [
            "database = \"postgres://me:hunter2@h/d",
            "database = postgres://me:hunter2@h/d",
            "database = [\"postgres://me:hunter2@h/d\"]",
        ] {
            let problems = problems(text).join("\n");
            assert!(!problems.is_empty());
            assert!(!problems.contains("hunter2"), "{problems}");
        }
    }

    #[test]
    fn reads_values_in_the_words_of_the_flags() {
        let text = "id = 0x10\nopen = true\npeer = ['1=http://a:1', '2=http://b:1']\nallow-origin = 'http://a:1'\n";
        let (file, problems) = Reader::new("t.toml", text).read(&Setting::all());
        assert!(problems.is_empty(), "{problems:?}");
        let values = |key: &str| file.entries[key].values.join(" ");
        assert_eq!(values("id"), "16");
        assert_eq!(values("open"), "true");
        assert_eq!(values("peer"), "1=http://a:1 2=http://b:1");
        assert_eq!(values("allow-origin"), "http://a:1");
        assert_eq!(file.entries["open"].place.to_string(), "t.toml:2:1");
    }
}

//! A configuration file with every setting, its meaning and its default, made from the flags.

use super::setting::{Kind, Setting};

/// Widest line of an explanation.
const WIDTH: usize = 100;

/// What to write where a setting has no default; a setting that is not here is shown with its value's name.
const VALUES: [(&str, &[&str]); 9] = [
    ("id", &["1"]),
    ("data", &["/var/lib/threefold/data"]),
    (
        "peer",
        &[
            "1=http://10.0.0.1:9081",
            "2=http://10.0.0.2:9081",
            "3=http://10.0.0.3:9081",
        ],
    ),
    ("public-url", &["https://money.example.org"]),
    (
        "database",
        &["sqlite:///var/lib/threefold/threefold.sqlite"],
    ),
    ("database-url-file", &["/etc/threefold/database-url"]),
    ("cluster-secret-file", &["/etc/threefold/cluster-secret"]),
    ("access-token-file", &["/etc/threefold/access-token"]),
    ("allow-origin", &["https://pages.example.org"]),
];

const HEAD: &str = "\
# Settings of one replica of Threefold, for `threefold serve --config FILE`.
#
# Each key is the name of a flag. A flag beats its environment variable, which beats this file. Take away the # before
# a line to set it; what stands there is the default, or an example where there is none. `threefold config check
# --config FILE` tells what is wrong, and what is set by whom.
";

/// The whole file.
pub fn file() -> String {
    let settings = Setting::all();
    let (required, others): (Vec<_>, Vec<_>) = settings.iter().partition(|it| it.is_required());
    let mut text = HEAD.to_owned();
    section(&mut text, "Required", &required);
    let mut headings: Vec<&str> = Vec::new();
    for setting in &others {
        let heading = heading(setting);
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for title in headings {
        let members: Vec<&Setting> = others
            .iter()
            .copied()
            .filter(|it| heading(it) == title)
            .collect();
        section(&mut text, title, &members);
    }
    text
}

fn heading(setting: &Setting) -> &str {
    setting.heading().unwrap_or("Others")
}

fn section(text: &mut String, title: &str, settings: &[&Setting]) {
    text.push_str(&format!("\n\n## {title}\n"));
    for setting in settings {
        text.push('\n');
        let mut help = setting.help();
        if !help.ends_with('.') {
            help.push('.');
        }
        let choices = setting.choices();
        if !choices.is_empty() {
            help.push_str(&format!(" One of: {}.", choices.join(", ")));
        }
        for line in wrapped(&help) {
            text.push_str(&format!("# {line}\n"));
        }
        text.push_str(&format!("#{}\n", line(setting)));
    }
}

/// The line of a file that sets it to its default, or to an example where it has none.
pub(super) fn line(setting: &Setting) -> String {
    let key = setting.key();
    if let Some(default) = setting.default() {
        return assignment(setting, &[default]);
    }
    let known = VALUES.iter().find(|(name, _)| *name == key);
    match (known, setting.kind()) {
        (Some((_, values)), _) => assignment(setting, values),
        (None, Kind::Number) => assignment(setting, &["2"]),
        (None, _) => assignment(setting, &[setting.value_name()]),
    }
}

/// The line of a file that sets it to these values.
pub(super) fn assignment(setting: &Setting, values: &[&str]) -> String {
    let written: Vec<String> = values
        .iter()
        .map(|value| match setting.kind() {
            Kind::Text => toml::Value::String((*value).to_owned()).to_string(),
            Kind::Number | Kind::Boolean => (*value).to_owned(),
        })
        .collect();
    let written = written.join(", ");
    if setting.is_list() {
        format!("{} = [{written}]", setting.key())
    } else {
        format!("{} = {written}", setting.key())
    }
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_line_that_can_be_read() {
        let text = file();
        for setting in Setting::all() {
            let line = line(&setting);
            assert!(text.contains(&format!("\n#{line}\n")), "{line}");
            assert!(!setting.help().is_empty(), "{line}");
            assert!(toml::de::DeTable::parse(&line).is_ok(), "{line} is no TOML");
            let named = VALUES.iter().any(|(name, _)| *name == setting.key());
            assert!(
                setting.default().is_some() || named || setting.kind() != Kind::Text,
                "--{} has no default: give it a value in VALUES",
                setting.key()
            );
        }
    }

    #[test]
    fn every_value_belongs_to_a_setting_without_default() {
        for (key, _) in VALUES {
            let settings = Setting::all();
            let setting = settings.iter().find(|it| it.key() == key);
            assert!(setting.is_some_and(|it| it.default().is_none()), "{key}");
        }
    }
}

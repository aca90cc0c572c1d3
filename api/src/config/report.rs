//! The settings as they are, with who said so.

use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde_json::json;

use super::example::assignment;
use super::setting::Kind;
use super::sources::{Effective, Source};

/// How settings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// A table for people.
    #[default]
    Text,
    /// A list of objects for programs.
    Json,
    /// A configuration file that says the same; passwords in it are hidden.
    Toml,
}

/// All settings with their values, passwords hidden, and where each comes from.
pub fn report(settings: &[Effective], format: ReportFormat) -> String {
    match format {
        ReportFormat::Text => text(settings),
        ReportFormat::Json => json(settings),
        ReportFormat::Toml => toml(settings),
    }
}

fn text(settings: &[Effective]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["setting", "value", "from"]);
    for it in settings {
        table.add_row([
            it.setting.key().to_owned(),
            shown(it),
            it.place().unwrap_or_else(|| it.source.to_string()),
        ]);
    }
    table.trim_fmt()
}

fn shown(it: &Effective) -> String {
    let values = it.values();
    if values.is_empty() {
        "-".to_owned()
    } else {
        values.join("\n")
    }
}

fn json(settings: &[Effective]) -> String {
    let settings: Vec<_> = settings
        .iter()
        .map(|it| {
            json!({
                "setting": it.setting.key(),
                "value": value(it),
                "source": it.source.to_string(),
                "place": it.place(),
            })
        })
        .collect();
    format!("{:#}", json!(settings))
}

fn value(it: &Effective) -> serde_json::Value {
    let values = it.values().into_iter().map(|value| {
        let number = value.parse::<serde_json::Number>().ok();
        match (it.setting.kind(), number, value.as_str()) {
            (Kind::Number, Some(number), _) => json!(number),
            (Kind::Boolean, _, "true" | "false") => json!(value == "true"),
            _ => json!(value),
        }
    });
    let mut values: Vec<_> = values.collect();
    if it.setting.is_list() {
        json!(values)
    } else {
        values.pop().unwrap_or_default()
    }
}

fn toml(settings: &[Effective]) -> String {
    let lines = settings.iter().map(|it| {
        let values = it.values();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        match (values.is_empty(), &it.source) {
            (true, _) => format!("# {} is not set", it.setting.key()),
            (false, Source::Default) => assignment(&it.setting, &values),
            (false, _) => {
                let line = assignment(&it.setting, &values);
                format!("{line} # {}", it.place().unwrap_or_default())
            }
        }
    });
    let lines: Vec<String> = lines.collect();
    lines.join("\n")
}

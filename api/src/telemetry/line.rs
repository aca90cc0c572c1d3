//! One event, one line: as text for people, or as JSON.

use std::fmt::{self, Debug, Write as _};
use std::sync::Arc;

use chrono::{SecondsFormat, Utc};
use opentelemetry::trace::TraceContextExt;
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

use super::LogFormat;
use super::rate_limit::RateLimit;

/// Most bytes of a field or message; the rest is cut off.
const MAX_FIELD_BYTES: usize = 4_096;

/// Writes events of one replica.
#[derive(Clone, Debug)]
pub(super) struct LineFormat {
    pub(super) replica: u64,
    pub(super) format: LogFormat,
    pub(super) limit: Arc<RateLimit>,
}

impl LineFormat {
    /// The line of a panic, with its end.
    pub(super) fn panic(&self, place: &str, message: &str, backtrace: Option<&str>) -> String {
        let mut fields = Map::new();
        fields.insert("place".to_owned(), place.into());
        if let Some(backtrace) = backtrace {
            fields.insert("backtrace".to_owned(), backtrace.into());
        }
        let line = Line {
            timestamp: now(),
            level: Level::ERROR.as_str(),
            target: module_path!(),
            replica: self.replica,
            message: format!("this program panicked, which is a fault of it: {message}"),
            fields,
            trace_id: None,
            span_id: None,
        };
        let mut text = String::new();
        // Writing to memory has no failing case.
        let _written = match self.format {
            LogFormat::Json => line.write_json(&mut text),
            LogFormat::Text => line.write_text(&mut text, None),
        };
        text
    }
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A line, in the order in which JSON has it.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'static str,
    target: &'a str,
    replica: u64,
    message: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<String>,
}

impl<S, N> FormatEvent<S, N> for LineFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        // Here and not in a filter: one that decides event by event, beside another layer, loses other events, too.
        if !self.limit.admit(metadata) {
            return Ok(());
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let span = opentelemetry::Context::map_current(|current| {
            let span = current.span().span_context().clone();
            span.is_valid().then_some(span)
        });
        let line = Line {
            timestamp: now(),
            level: metadata.level().as_str(),
            target: metadata.target(),
            replica: self.replica,
            message: fields.message,
            fields: fields.others,
            trace_id: span.as_ref().map(|span| span.trace_id().to_string()),
            span_id: span.as_ref().map(|span| span.span_id().to_string()),
        };
        match self.format {
            LogFormat::Json => line.write_json(&mut writer),
            LogFormat::Text => {
                let colored = writer.has_ansi_escapes();
                line.write_text(&mut writer, colored.then_some(*metadata.level()))
            }
        }
    }
}

impl Line<'_> {
    fn write_json(&self, writer: &mut impl fmt::Write) -> fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        writeln!(writer, "{text}")
    }

    /// `colored` says the level, where it is to have a color.
    fn write_text(&self, writer: &mut impl fmt::Write, colored: Option<Level>) -> fmt::Result {
        write!(writer, "{} ", self.timestamp)?;
        if let Some(level) = colored {
            let color = match level {
                Level::ERROR => 31,
                Level::WARN => 33,
                Level::INFO => 32,
                Level::DEBUG => 34,
                Level::TRACE => 35,
            };
            write!(writer, "\x1b[{color}m{:>5}\x1b[0m", self.level)?;
        } else {
            write!(writer, "{:>5}", self.level)?;
        }
        write!(writer, " replica={} {}: ", self.replica, self.target)?;
        write_one_line(writer, &self.message)?;
        for (name, value) in &self.fields {
            write!(writer, " {name}=")?;
            match value {
                // As it stands, unless one could not tell where it ends.
                Value::String(text) if is_plain(text) => writer.write_str(text)?,
                other => write!(writer, "{other}")?,
            }
        }
        if let Some(trace) = &self.trace_id {
            write!(writer, " trace_id={trace}")?;
        }
        writeln!(writer)
    }
}

fn is_plain(text: &str) -> bool {
    let special = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '=');
    !text.is_empty() && !text.contains(special)
}

/// A message that brings lines of its own could pretend to be several.
fn write_one_line(writer: &mut impl fmt::Write, text: &str) -> fmt::Result {
    for character in text.chars() {
        if character.is_control() {
            write!(writer, "{}", character.escape_default())?;
        } else {
            writer.write_char(character)?;
        }
    }
    Ok(())
}

/// What an event says.
#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn keep(&mut self, field: &Field, value: Value) {
        // What the log crate says of itself is in the metadata already; whose line it is, every line says.
        if !field.name().starts_with("log.") && field.name() != "replica" {
            self.others.insert(field.name().to_owned(), value);
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = Bounded(String::new());
        // Fails where the bound is met, and the text has been cut there.
        let _cut = write!(text, "{value:?}");
        if field.name() == "message" {
            self.message = text.0;
        } else {
            self.keep(field, Value::String(text.0));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.keep(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.keep(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.keep(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.keep(field, value.into());
    }
}

/// Text up to the bound of a field.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MAX_FIELD_BYTES.saturating_sub(self.0.len());
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        self.0.push('…');
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn said(format: LogFormat, say: impl FnOnce()) -> String {
        said_within(0, format, say)
    }

    fn said_within(lines_a_minute: u32, format: LogFormat, say: impl FnOnce()) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let layer = tracing_subscriber::fmt::layer()
            .event_format(LineFormat {
                replica: 7,
                format,
                limit: Arc::new(RateLimit::new(lines_a_minute)),
            })
            .with_ansi(false)
            .with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, say);
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_has_the_same_members_always_and_fields_apart() {
        let text = said(LogFormat::Json, || {
            tracing::warn!(peer = 2, error = %"no \"answer\"", "a replica\nis silent");
        });
        assert_eq!(text.lines().count(), 1);
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["replica"], 7);
        assert_eq!(line["target"], "threefold_api::telemetry::line::tests");
        assert_eq!(line["message"], "a replica\nis silent");
        assert_eq!(line["fields"]["peer"], 2);
        assert_eq!(line["fields"]["error"], "no \"answer\"");
        let timestamp = line["timestamp"].as_str().unwrap();
        assert!(chrono::DateTime::parse_from_rfc3339(timestamp).is_ok());
    }

    #[test]
    fn text_is_one_line_whatever_it_says() {
        let text = said(LogFormat::Text, || {
            tracing::info!(peer = 2, reason = %"a b\nc", "up\n2026-01-01 ERROR forged");
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        let (_, rest) = text.split_once(' ').unwrap();
        assert_eq!(
            rest,
            " INFO replica=7 threefold_api::telemetry::line::tests: up\\n2026-01-01 ERROR forged peer=2 reason=\"a b\\nc\"\n"
        );
    }

    #[test]
    fn a_panic_is_one_line_in_either_form() {
        let line = |format| {
            let limit = Arc::new(RateLimit::new(0));
            let (replica, lines) = (7, Some("first\nsecond"));
            LineFormat {
                replica,
                format,
                limit,
            }
            .panic("src/a.rs:1:2", "a rule is broken", lines)
        };
        let text = line(LogFormat::Text);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            text.contains("ERROR replica=7") && text.contains("place=src/a.rs:1:2"),
            "{text}"
        );
        let json: Value = serde_json::from_str(&line(LogFormat::Json)).unwrap();
        assert_eq!(json["fields"]["backtrace"], "first\nsecond");
        assert!(
            json["message"]
                .as_str()
                .unwrap()
                .ends_with("a rule is broken")
        );
    }

    #[test]
    fn what_is_too_much_from_one_place_is_left_out_and_nothing_else() {
        let text = said_within(2, LogFormat::Text, || {
            for number in 0..5 {
                tracing::warn!(number, "again");
                tracing::debug!(number, "asked for");
            }
            tracing::warn!("from elsewhere");
        });
        assert_eq!(text.matches("again").count(), 2, "{text}");
        assert_eq!(text.matches("asked for").count(), 5, "{text}");
        assert_eq!(text.lines().count(), 8, "{text}");
    }

    #[test]
    fn a_field_has_a_bound() {
        let text = said(LogFormat::Json, || {
            tracing::error!(reason = %"ä".repeat(MAX_FIELD_BYTES), "long");
        });
        let line: Value = serde_json::from_str(&text).unwrap();
        let reason = line["fields"]["reason"].as_str().unwrap();
        assert!(reason.len() <= MAX_FIELD_BYTES + '…'.len_utf8());
        assert!(reason.ends_with('…'));
    }
}

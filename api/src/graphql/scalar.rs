//! Scalars of the public schema. All of them travel as strings: no number passes through binary floating point.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{NaiveDate, SecondsFormat, Utc};

/// Calendar date, ISO 8601: 2026-11-22. Never converted between time zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub NaiveDate);

/// Calendar date, ISO 8601: 2026-11-22. Never converted between time zones.
#[Scalar(specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = string(value, "a date is a string such as \"2026-11-22\"")?;
        let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok();
        date.filter(|date| text.len() == 10 && date.to_string() == text)
            .map(Self)
            .ok_or_else(|| fault(format!("{} is no date such as 2026-11-22", shown(&text))))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// Instant, RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub chrono::DateTime<Utc>);

/// Instant, RFC 3339 in UTC.
#[Scalar(specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = string(
            value,
            "an instant is a string such as \"2026-11-22T10:15:00Z\"",
        )?;
        let instant = chrono::DateTime::parse_from_rfc3339(&text);
        instant
            .map(|instant| Self(instant.with_timezone(&Utc)))
            .map_err(|_| {
                fault(format!(
                    "{} is no instant such as 2026-11-22T10:15:00Z",
                    shown(&text)
                ))
            })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

/// Exact decimal number as a string: "12.50". A JSON number is refused: it would pass through binary floating point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal(pub String);

/// Exact decimal number as a string: "12.50". A JSON number is refused: it would pass through binary floating point.
#[Scalar]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        string(value, "a decimal is a string such as \"12.50\", never a number: a number would pass through binary floating point").map(Self)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// ISO 4217 code: EUR, JPY, KWD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrencyCode(pub String);

/// ISO 4217 code: EUR, JPY, KWD.
#[Scalar(specified_by_url = "https://www.iso.org/iso-4217-currency-codes.html")]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        string(value, "a currency code is a string such as \"EUR\"").map(Self)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

impl From<threefold_entity::CurrencyCode> for CurrencyCode {
    fn from(currency: threefold_entity::CurrencyCode) -> Self {
        Self(currency.to_string())
    }
}

/// Position in the replicated history, as a decimal string. Later revisions compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision(pub threefold_entity::Revision);

/// Position in the replicated history, as a decimal string. Later revisions compare greater.
#[Scalar]
impl ScalarType for Revision {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = string(value, "a revision is a decimal string such as \"42\"")?;
        text.parse()
            .map(Self)
            .map_err(|e: threefold_entity::value::RevisionError| fault(e.to_string()))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

fn string<T: ScalarType + async_graphql::InputType>(
    value: Value,
    otherwise: &str,
) -> Result<String, InputValueError<T>> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(fault(otherwise.to_owned())),
    }
}

fn fault<T: async_graphql::InputType>(message: String) -> InputValueError<T> {
    InputValueError::custom(message)
}

/// As much of a client's text as a message repeats.
fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parses<T: ScalarType>(value: impl Into<Value>) -> bool {
        T::parse(value.into()).is_ok()
    }

    #[test]
    fn only_strings_are_decimals_and_revisions() {
        assert!(parses::<Decimal>("12.50"));
        assert!(!parses::<Decimal>(12));
        assert!(!parses::<Decimal>(Value::from(12.5)));
        assert!(parses::<Revision>("42"));
        assert!(!parses::<Revision>(42));
        assert!(!parses::<Revision>("-1"));
        assert!(!parses::<Revision>("1e3"));
    }

    #[test]
    fn dates_are_written_in_full() {
        assert!(parses::<Date>("2026-11-22"));
        for text in [
            "2026-2-2",
            "2026-02-30",
            "22.11.2026",
            "2026-11-22T00:00:00Z",
            " 2026-11-22",
            "+12026-11-22",
        ] {
            assert!(!parses::<Date>(text), "{text}");
        }
    }

    #[test]
    fn instants_are_shown_in_utc() {
        let instant = <DateTime as ScalarType>::parse("2026-11-22T10:15:00.5+02:00".into())
            .ok()
            .unwrap();
        assert_eq!(
            ScalarType::to_value(&instant),
            Value::from("2026-11-22T08:15:00.500Z")
        );
    }
}

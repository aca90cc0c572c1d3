//! Cursors: where a page ends, as an opaque text that only we can have made.
//!
//! Base64url of: format version, order, values of the order's columns, id, and the first bytes of a hash of all that.
//! The hash is no secret; it tells a cursor of ours from a damaged or invented one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, NaiveDate};
use uuid::Uuid;

use super::order::{ExpenseOrder, Key, OrderField, Position};
use super::{ReadError, ReadResult};

const VERSION: u8 = 1;
const CHECK_BYTES: usize = 6;
const CHECK_CONTEXT: &str = "threefold expense cursor v1";

/// The cursor of a position in an order.
pub fn encode(order: ExpenseOrder, position: &Position) -> String {
    let mut bytes = vec![VERSION, order_byte(order)];
    match &position.key {
        Key::SpentOn(date) => bytes.extend(date.num_days_from_ce().to_be_bytes()),
        Key::Amount(whole, fraction) => {
            bytes.extend(whole.to_be_bytes());
            bytes.extend(fraction.to_be_bytes());
        }
        Key::CreatedAt(at) => bytes.extend(at.timestamp_micros().to_be_bytes()),
        Key::Description(text) => bytes.extend(text.as_bytes()),
    }
    bytes.extend(position.id.as_bytes());
    let check = check(&bytes);
    bytes.extend(check);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The position that a cursor names, if the cursor is ours and of this order.
///
/// # Errors
/// Any other text.
pub fn decode(cursor: &str, order: ExpenseOrder) -> ReadResult<Position> {
    let bytes = read(cursor).ok_or_else(|| {
        ReadError::Invalid(
            "a cursor that is not ours: pass one that this API returned, unchanged".into(),
        )
    })?;
    if bytes[1] != order_byte(order) {
        let message =
            "a cursor that is not ours: it belongs to another order; start again without a cursor";
        return Err(ReadError::Invalid(message.into()));
    }
    position(&bytes[2..], order.field).ok_or_else(|| {
        ReadError::Invalid("a cursor that is not ours: its values cannot be read".into())
    })
}

/// The bytes without their check, at least version and order.
fn read(cursor: &str) -> Option<Vec<u8>> {
    let mut bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (content, given) = bytes.split_last_chunk::<CHECK_BYTES>()?;
    if content.len() < 2 || content[0] != VERSION || check(content) != *given {
        return None;
    }
    bytes.truncate(bytes.len() - CHECK_BYTES);
    Some(bytes)
}

fn position(bytes: &[u8], field: OrderField) -> Option<Position> {
    let (key, id) = bytes.split_last_chunk::<16>()?;
    let key = match field {
        OrderField::SpentOn => {
            let days = i32::from_be_bytes(key.try_into().ok()?);
            Key::SpentOn(NaiveDate::from_num_days_from_ce_opt(days)?)
        }
        OrderField::Amount => {
            let (whole, fraction) = key.split_at_checked(8)?;
            let whole = i64::from_be_bytes(whole.try_into().ok()?);
            Key::Amount(whole, i16::from_be_bytes(fraction.try_into().ok()?))
        }
        OrderField::CreatedAt => {
            let micros = i64::from_be_bytes(key.try_into().ok()?);
            Key::CreatedAt(DateTime::from_timestamp_micros(micros)?)
        }
        OrderField::Description => Key::Description(String::from_utf8(key.to_vec()).ok()?),
    };
    Some(Position {
        key,
        id: Uuid::from_bytes(*id),
    })
}

fn order_byte(order: ExpenseOrder) -> u8 {
    let field = match order.field {
        OrderField::SpentOn => 0,
        OrderField::Amount => 1,
        OrderField::CreatedAt => 2,
        OrderField::Description => 3,
    };
    field << 1 | u8::from(order.descending)
}

fn check(content: &[u8]) -> [u8; CHECK_BYTES] {
    let mut hasher = blake3::Hasher::new_derive_key(CHECK_CONTEXT);
    hasher.update(content);
    let mut check = [0; CHECK_BYTES];
    hasher.finalize_xof().fill(&mut check);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [OrderField; 4] = [
        OrderField::SpentOn,
        OrderField::Amount,
        OrderField::CreatedAt,
        OrderField::Description,
    ];

    fn position_of(field: OrderField) -> Position {
        let key = match field {
            OrderField::SpentOn => Key::SpentOn("2026-11-22".parse().unwrap()),
            OrderField::Amount => Key::Amount(-13, 5000),
            OrderField::CreatedAt => Key::CreatedAt("2026-11-22T01:02:03.000004Z".parse().unwrap()),
            OrderField::Description => Key::Description("größe".into()),
        };
        Position {
            key,
            id: Uuid::from_u128(77),
        }
    }

    #[test]
    fn every_position_survives() {
        for field in FIELDS {
            for descending in [true, false] {
                let order = ExpenseOrder { field, descending };
                let position = position_of(field);
                assert_eq!(decode(&encode(order, &position), order).unwrap(), position);
            }
        }
    }

    #[test]
    fn a_cursor_of_another_order_is_refused() {
        for field in FIELDS {
            let order = ExpenseOrder {
                field,
                descending: true,
            };
            let cursor = encode(order, &position_of(field));
            assert!(decode(&cursor, order.reversed()).is_err());
            for other in FIELDS.into_iter().filter(|other| *other != field) {
                let error = decode(
                    &cursor,
                    ExpenseOrder {
                        field: other,
                        ..order
                    },
                )
                .unwrap_err();
                assert!(
                    error.to_string().starts_with("a cursor that is not ours"),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        let order = ExpenseOrder::default();
        let good = encode(order, &position_of(OrderField::SpentOn));
        for at in 0..good.len() {
            let mut bad = good.clone().into_bytes();
            bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
            assert!(
                decode(&String::from_utf8(bad).unwrap(), order).is_err(),
                "byte {at}"
            );
        }
        for text in [
            "",
            "x",
            "AQ",
            "cursor:1",
            "=",
            "ü",
            &good[1..],
            &good[..good.len() - 1],
        ] {
            assert!(decode(text, order).is_err(), "{text:?}");
        }
    }
}

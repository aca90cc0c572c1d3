use std::fmt;
use std::str::FromStr;

use iso_currency::Currency;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An ISO 4217 currency that money can be counted in: `EUR`, `JPY`, `KWD`.
///
/// Codes without minor units (`XAU`, `XXX`) are not currencies in this sense and are refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CurrencyCode {
    code: [u8; 3],
    scale: u8,
}

/// The text names no currency that money can be counted in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an ISO 4217 currency code such as EUR, JPY or KWD")]
pub struct UnknownCurrency(pub String);

impl CurrencyCode {
    /// Number of decimals of the currency's smallest unit: 0 to 4.
    pub fn scale(self) -> u32 {
        u32::from(self.scale)
    }

    /// The three upper-case letters.
    pub fn as_str(&self) -> &str {
        // The bytes come from an ISO code and are ASCII.
        std::str::from_utf8(&self.code).unwrap_or_default()
    }
}

impl FromStr for CurrencyCode {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        let unknown = || UnknownCurrency(text.chars().take(16).collect());
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| unknown())?;
        let currency = Currency::from_code(text).ok_or_else(unknown)?;
        let scale = currency.exponent().ok_or_else(unknown)?;
        let scale = u8::try_from(scale).map_err(|_| unknown())?;
        Ok(Self { code, scale })
    }
}

impl fmt::Display for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for CurrencyCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CurrencyCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_those_of_iso_4217() {
        for (code, scale) in [("JPY", 0), ("EUR", 2), ("KWD", 3), ("CLF", 4)] {
            let currency: CurrencyCode = code.parse().unwrap();
            assert_eq!((currency.as_str(), currency.scale()), (code, scale));
        }
    }

    #[test]
    fn what_is_no_currency_is_refused() {
        for text in ["", "eur", "EURO", "ABC", "XAU", "€", "E\0R"] {
            assert!(text.parse::<CurrencyCode>().is_err(), "{text:?} was taken");
        }
    }
}

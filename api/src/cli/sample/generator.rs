//! Makes up one expense after the other, in the order of their dates.

use chrono::{Datelike, NaiveDate, Weekday};

use super::calendar::{self, DAYS, Trips};
use super::draw::Draw;
use super::places::{self, Currency, HOME, NOTES, ONLINE, Place};

/// One made-up expense; valid by the rules of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleExpense {
    /// Calendar date, never before that of the expense before.
    pub spent_on: NaiveDate,
    pub description: String,
    /// Never 0; below 0 for a refund.
    pub minor_units: i64,
    pub currency: &'static str,
    /// Decimals of the currency: 0, 2 or 3.
    pub scale: u32,
    /// Empty now and then: not everybody files everything.
    pub category: &'static str,
    /// Mostly empty; some hold commas, quotes and line ends, as real ones do.
    pub notes: String,
    pub tags: Vec<&'static str>,
}

impl SampleExpense {
    /// The amount as a plain decimal with all digits of its currency: `-12.50`, `1200`, `3.250`.
    pub fn amount(&self) -> String {
        let sign = if self.minor_units < 0 { "-" } else { "" };
        let (units, scale) = (self.minor_units.unsigned_abs(), self.scale as usize);
        if scale == 0 {
            return format!("{sign}{units}");
        }
        let one = 10_u64.pow(self.scale);
        format!("{sign}{}.{:0scale$}", units / one, units % one)
    }
}

/// Iterator over the expenses of one seed.
pub struct Generator {
    draw: Draw,
    trips: Trips,
    rows: u64,
    next_row: u64,
    previous: Option<SampleExpense>,
}

impl Generator {
    /// `rows` expenses, spread over all days of the sample's years.
    pub fn new(rows: u64, seed: u64) -> Self {
        Self {
            draw: Draw::new(seed, 0),
            trips: Trips::plan(seed),
            rows,
            next_row: 0,
            previous: None,
        }
    }

    /// The day of the next row: its share of the years, and up to one share later by chance.
    fn next_day(&mut self) -> u32 {
        const PARTS: u32 = 1 << 16;
        let parts =
            u128::from(self.next_row) * u128::from(PARTS) + u128::from(self.draw.below(PARTS));
        let day = parts * u128::from(DAYS) / (u128::from(self.rows) * u128::from(PARTS));
        u32::try_from(day).unwrap_or(DAYS - 1).min(DAYS - 1)
    }

    fn expense(&mut self, day: u32) -> Option<SampleExpense> {
        let spent_on = calendar::date(day);
        let trip = self.trips.on(day).filter(|_| self.draw.per_mille(750));
        let (place, currency) = match trip {
            Some(country) => (
                self.draw.pick_weighted(country.places, |p| p.weight)?,
                country.currency,
            ),
            None if self.draw.per_mille(45) => {
                let (currency, place) = self.draw.pick(ONLINE)?;
                (place, *currency)
            }
            None => (
                self.draw.pick_weighted(HOME, |p| weight_on(p, spent_on))?,
                places::EUR,
            ),
        };
        let mut tags = Vec::new();
        tags.extend(trip.map(|country| country.tag));
        if self.draw.per_mille(120) {
            tags.extend(self.draw.pick(place.tags));
        }
        let notes = if self.draw.per_mille(60) {
            self.draw.pick(NOTES).copied()
        } else {
            None
        };
        let refund = place.refundable && self.draw.per_mille(40);
        Some(SampleExpense {
            spent_on,
            description: place.name.to_owned(),
            minor_units: self.minor_units(place, currency, spent_on) * if refund { -1 } else { 1 },
            currency: currency.code,
            scale: currency.scale,
            category: if self.draw.per_mille(25) {
                ""
            } else {
                place.category
            },
            notes: if refund {
                "Refund"
            } else {
                notes.unwrap_or_default()
            }
            .to_owned(),
            tags,
        })
    }

    fn minor_units(&mut self, place: &Place, currency: Currency, spent_on: NaiveDate) -> i64 {
        let units = if place.low == place.high {
            // A contract: the same every month, two in a hundred more each year.
            place.low + place.low / 50 * spent_on.year().abs_diff(2021)
        } else {
            self.draw.price(place.low, place.high) / currency.step * currency.step
        };
        i64::from(units.max(currency.step))
    }
}

impl Iterator for Generator {
    type Item = SampleExpense;

    fn next(&mut self) -> Option<SampleExpense> {
        if self.next_row == self.rows {
            return None;
        }
        let day = self.next_day();
        self.next_row += 1;
        // Real twins: two coffees at the same counter on the same day.
        let twin = self.draw.per_mille(4);
        let expense = match self.previous.take().filter(|_| twin) {
            Some(previous) => previous,
            None => self.expense(day)?,
        };
        self.previous = Some(expense.clone());
        Some(expense)
    }
}

/// How likely a place is on that date: rent falls due early in the month, people eat out on weekends.
fn weight_on(place: &Place, date: NaiveDate) -> u32 {
    let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
    match place.category {
        "Housing" | "Insurance" => match date.day() {
            1..=5 => place.weight * 5,
            _ => 0,
        },
        "Utilities" if date.day() <= 10 => place.weight * 2,
        "Eating out" | "Leisure" if weekend => place.weight * 2,
        "Gifts" if date.month() == 12 => place.weight * 4,
        _ => place.weight,
    }
}

//! The fixed years of the sample, and the trips that a household makes in them.

use std::ops::Range;

use chrono::{Days, NaiveDate};

use super::draw::Draw;
use super::places::{ABROAD, Country};

/// Days from 2021-01-01 to 2025-12-31, both included.
pub const DAYS: u32 = 1826;

/// Days between the starts of two neighbouring trips, give or take.
const TRIP_EVERY_DAYS: u32 = 73;

/// The date of a day, counted from 0 = 2021-01-01.
pub fn date(day: u32) -> NaiveDate {
    FIRST_DAY
        .checked_add_days(Days::new(u64::from(day)))
        .unwrap_or(FIRST_DAY)
}

const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2021, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// Where the household was on which day.
pub struct Trips(Vec<(Range<u32>, &'static Country)>);

impl Trips {
    /// One trip of 6 to 12 days in every fifth of a year; five in a row lead to five countries.
    pub fn plan(seed: u64) -> Self {
        let mut draw = Draw::new(seed, 1);
        let mut trips = Vec::new();
        let mut countries: Vec<&'static Country> = Vec::new();
        for slot in 0..DAYS / TRIP_EVERY_DAYS {
            if countries.is_empty() {
                countries.extend(ABROAD);
            }
            let next = draw.below(u32::try_from(countries.len()).unwrap_or(1)) as usize;
            let country = countries.swap_remove(next);
            let first = slot * TRIP_EVERY_DAYS + draw.below(TRIP_EVERY_DAYS - 12);
            trips.push((first..first + 6 + draw.below(7), country));
        }
        Self(trips)
    }

    /// The country of that day's trip; none at home.
    pub fn on(&self, day: u32) -> Option<&'static Country> {
        // Sorted by day, so the only candidate is the last that has begun.
        let begun = self.0.partition_point(|(days, _)| days.start <= day);
        let (days, country) = self.0.get(begun.checked_sub(1)?)?;
        days.contains(&day).then_some(country)
    }
}

//! Where the money of the sample goes: shops, landlords and restaurants, at home and on trips.

/// A currency of the sample.
#[derive(Debug, Clone, Copy)]
pub struct Currency {
    /// ISO 4217 code.
    pub code: &'static str,
    /// Decimals: 0, 2 or 3.
    pub scale: u32,
    /// Prices are multiples of this many minor units.
    pub step: u32,
}

/// Somewhere that takes money.
#[derive(Debug)]
pub struct Place {
    pub name: &'static str,
    pub category: &'static str,
    /// How often, compared to the others of its list.
    pub weight: u32,
    /// Lowest price in minor units, at least 1.
    pub low: u32,
    /// Highest price in minor units; the same as `low` for a contract.
    pub high: u32,
    /// Whether things are brought back.
    pub refundable: bool,
    /// Tags that fit.
    pub tags: &'static [&'static str],
}

/// A country that the household travels to.
#[derive(Debug)]
pub struct Country {
    pub tag: &'static str,
    pub currency: Currency,
    pub places: &'static [Place],
}

pub const EUR: Currency = Currency {
    code: "EUR",
    scale: 2,
    step: 1,
};
const USD: Currency = Currency {
    code: "USD",
    scale: 2,
    step: 1,
};
const GBP: Currency = Currency {
    code: "GBP",
    scale: 2,
    step: 1,
};
const CHF: Currency = Currency {
    code: "CHF",
    scale: 2,
    step: 5,
};
const JPY: Currency = Currency {
    code: "JPY",
    scale: 0,
    step: 10,
};
const KWD: Currency = Currency {
    code: "KWD",
    scale: 3,
    step: 5,
};

const fn place(
    name: &'static str,
    category: &'static str,
    weight: u32,
    low: u32,
    high: u32,
) -> Place {
    Place {
        name,
        category,
        weight,
        low,
        high,
        refundable: false,
        tags: &["shared", "cash"],
    }
}

/// A shop: takes things back.
const fn shop(
    name: &'static str,
    category: &'static str,
    weight: u32,
    low: u32,
    high: u32,
) -> Place {
    let tags = &["household", "kids", "warranty", "shared"];
    Place {
        name,
        category,
        weight,
        low,
        high,
        refundable: true,
        tags,
    }
}

/// Everyday life, in euros.
pub const HOME: &[Place] = &[
    shop("Bäckerei Weiß", "Groceries", 90, 180, 1450),
    shop("Supermarkt Müller & Söhne", "Groceries", 160, 420, 12_900),
    shop("Wochenmarkt, Stand 7", "Groceries", 50, 350, 4200),
    shop("Épicerie Le Goût", "Groceries", 40, 290, 3900),
    shop("Bio-Laden \"Grüne Ecke\"", "Groceries", 45, 310, 6800),
    place("Café Größenwahn", "Eating out", 70, 280, 2450),
    place("寿司 さくら", "Eating out", 22, 1450, 8900),
    place("Trattoria Da Niccolò", "Eating out", 30, 1190, 9600),
    place("Ταβέρνα Η Θάλασσα", "Eating out", 16, 1350, 7800),
    place("Kebab Haus Özgür", "Eating out", 34, 550, 2600),
    place("Miete / rent", "Housing", 22, 118_500, 118_500),
    place("Hausverwaltung Nebenkosten", "Housing", 8, 21_000, 21_000),
    place("Stadtwerke Strom", "Utilities", 12, 7400, 9800),
    place("Stadtwerke Gas & Wasser", "Utilities", 10, 5200, 16_400),
    place("Glasfaser Nord", "Utilities", 10, 3995, 3995),
    place("Mobilfunk", "Utilities", 14, 1499, 1499),
    place("Haftpflichtversicherung", "Insurance", 6, 640, 640),
    place("Krankenzusatz", "Insurance", 6, 2875, 2875),
    place("ÖPNV Monatskarte", "Transport", 14, 4900, 8600),
    place("Tankstelle Łódź-Süd", "Transport", 34, 2800, 9700),
    place("Bahnfahrt", "Transport", 24, 890, 14_900),
    place("Car sharing", "Transport", 16, 420, 6400),
    place("Apotheke am Markt", "Health", 26, 395, 5400),
    place("Zahnärztin Dr. Çelik", "Health", 5, 2500, 48_000),
    place("Kita Sonnenblume", "Children", 10, 24_500, 24_500),
    shop("Kinderkleidung Zoë", "Children", 18, 790, 8900),
    shop("Musikschule", "Children", 8, 6400, 6400),
    shop("Baumarkt", "Household", 24, 249, 18_900),
    shop("Möbelhaus Ängsby", "Household", 12, 499, 42_000),
    shop("Elektronik Šimůnek", "Household", 8, 990, 129_900),
    shop("Schuhhaus Jørgensen", "Clothing", 12, 2995, 15_900),
    shop("Kleiderkreisel", "Clothing", 16, 450, 6200),
    place("Kino Łuna", "Leisure", 16, 850, 4600),
    place("Schwimmbad", "Leisure", 18, 450, 2200),
    shop("Buchhandlung Šárka", "Leisure", 18, 899, 6400),
    place("Fitness-Studio", "Leisure", 10, 2990, 2990),
    shop("Blumen Désirée", "Gifts", 8, 790, 5600),
    shop("Geschenke & Papier", "Gifts", 8, 350, 7900),
    place("Spende Tierheim", "Donations", 4, 2500, 2500),
    place("Friseur Åsa", "Personal care", 10, 1800, 8800),
];

/// Bought over the network, in the seller's currency.
pub const ONLINE: &[(Currency, Place)] = &[
    (USD, place("Cloud storage", "Subscriptions", 1, 999, 999)),
    (USD, place("Domain renewal", "Subscriptions", 1, 1200, 3600)),
    (USD, shop("App store", "Subscriptions", 1, 99, 4999)),
    (GBP, shop("The Wool Shop, Leeds", "Clothing", 1, 850, 9400)),
    (
        GBP,
        place("Newspaper, weekly", "Subscriptions", 1, 1250, 1250),
    ),
    (
        CHF,
        shop("Messer & Scheren Bern", "Household", 1, 1900, 18_500),
    ),
];

/// Countries with another currency than the household's.
pub const ABROAD: &[Country] = &[
    Country {
        tag: "trip-usa",
        currency: USD,
        places: UNITED_STATES,
    },
    Country {
        tag: "trip-uk",
        currency: GBP,
        places: UNITED_KINGDOM,
    },
    Country {
        tag: "trip-schweiz",
        currency: CHF,
        places: SWITZERLAND,
    },
    Country {
        tag: "trip-日本",
        currency: JPY,
        places: JAPAN,
    },
    Country {
        tag: "trip-kuwait",
        currency: KWD,
        places: KUWAIT,
    },
];

const UNITED_STATES: &[Place] = &[
    place("Joe's Diner", "Eating out", 6, 1150, 8400),
    place("Taquería El Niño", "Eating out", 5, 650, 4200),
    shop("Corner grocery", "Groceries", 5, 299, 6900),
    place("Subway fare", "Transport", 6, 290, 3400),
    place("Motel 66", "Travel", 2, 7900, 21_900),
    place("Museum of Modern Art", "Leisure", 1, 2500, 9000),
];

const UNITED_KINGDOM: &[Place] = &[
    place("The Crown & Anchor", "Eating out", 6, 590, 6400),
    place("Fish 'n' Chips, Whitby", "Eating out", 4, 850, 3900),
    shop("Food hall", "Groceries", 5, 180, 5200),
    place("Oyster top-up", "Transport", 5, 1000, 4000),
    place("B&B Llanfairpwllgwyngyll", "Travel", 2, 6500, 16_500),
];

const SWITZERLAND: &[Place] = &[
    place("Bergbahn", "Transport", 5, 1800, 14_400),
    place("Gasthof Rössli", "Eating out", 5, 2400, 14_500),
    shop("Dorfladen", "Groceries", 5, 350, 8600),
    place("Hôtel du Léman", "Travel", 2, 12_900, 34_000),
];

const JAPAN: &[Place] = &[
    place("ラーメン 一番", "Eating out", 6, 780, 4200),
    place("喫茶店 あおい", "Eating out", 5, 450, 2400),
    shop("コンビニ", "Groceries", 7, 120, 3800),
    place("新幹線 東京→京都", "Transport", 2, 13_320, 27_000),
    place("旅館 やまもと", "Travel", 2, 12_800, 64_000),
    place("温泉", "Leisure", 2, 800, 3600),
];

const KUWAIT: &[Place] = &[
    place("مطعم البحر", "Eating out", 6, 1250, 24_500),
    place("Souq Al-Mubarakiya", "Gifts", 4, 500, 38_000),
    shop("سوق التمور", "Groceries", 4, 350, 9750),
    place("Taxi", "Transport", 5, 1000, 7500),
    place("Hotel Salmiya", "Travel", 2, 22_000, 79_500),
];

/// What people note down.
pub const NOTES: &[&str] = &[
    "Paid in cash",
    "Split with Zoë, she pays half",
    "For the birthday party 🎂",
    "Ask for the receipt, \"Rechnung\" needed",
    "Warranty until the end of next year; receipt in the blue folder",
    "Milk, bread, cheese\nand the good coffee",
    "Für Oma mitgebracht",
    "On the work card by mistake",
];

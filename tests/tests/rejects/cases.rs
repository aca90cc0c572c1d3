//! What may not be, case by case, and what just may.

use serde_json::{Value, json};
use uuid::Uuid;

/// A wrong value: refused by the command, or by the scalar that it does not fit.
const INVALID: &[&str] = &["INVALID", "BAD_USER_INPUT"];
const BAD_INPUT: &[&str] = &["BAD_USER_INPUT"];
const NOT_FOUND: &[&str] = &["NOT_FOUND"];
const TOO_MANY: &[&str] = &["INVALID", "BAD_USER_INPUT", "LIMIT_REACHED", "TOO_LARGE"];

/// A request that must be refused.
pub struct Case {
    /// What is wrong with it.
    pub name: String,
    /// The body of the request.
    pub body: String,
    /// Any of these codes will do.
    pub codes: &'static [&'static str],
}

/// What is there when the cases are tried.
pub struct Known {
    /// An expense.
    pub expense: Uuid,
    /// Its version, 2 or more.
    pub version: i64,
    /// A category.
    pub category: Uuid,
    /// A key that was used for another mutation.
    pub key: Uuid,
}

/// Every refusal that is promised.
pub fn all(known: &Known) -> Vec<Case> {
    let mut cases = amounts();
    cases.extend(texts());
    cases.extend(dates());
    cases.extend(bulks());
    cases.extend(unknown_ids(known));
    cases.extend(conflicts(known));
    cases.extend(strange_characters(known));
    cases.extend(pages());
    cases.extend(requests());
    cases
}

/// Inputs of `addExpense` at the bounds, on the right side of them.
pub fn within_bounds() -> Vec<(&'static str, Value)> {
    vec![
        ("smallest amount", with(&[("amount", json!("0.01"))])),
        (
            "largest amount",
            with(&[("amount", json!("9999999999999.99"))]),
        ),
        (
            "largest refund",
            with(&[("amount", json!("-9999999999999.99"))]),
        ),
        (
            "no decimals",
            with(&[("amount", json!("1500")), ("currency", json!("JPY"))]),
        ),
        (
            "three decimals",
            with(&[("amount", json!("1.234")), ("currency", json!("KWD"))]),
        ),
        ("shortest description", with(&[("description", json!("x"))])),
        (
            "longest description",
            with(&[("description", json!("ü".repeat(255)))]),
        ),
        (
            "longest notes",
            with(&[("notes", json!("ü".repeat(32_768)))]),
        ),
        (
            "most and longest tags",
            with(&[("tags", json!(tags(20, 64)))]),
        ),
        ("first day", with(&[("spentOn", json!("1900-01-01"))])),
        ("last day", with(&[("spentOn", json!("2200-12-31"))])),
        ("leap day", with(&[("spentOn", json!("2024-02-29"))])),
        (
            "beyond the basic plane",
            with(&[("description", json!("🧾 𝒜"))]),
        ),
    ]
}

/// The body of a mutation that adds so many expenses at once.
pub fn bulk(count: usize) -> String {
    let expenses: Vec<Value> = (0..count)
        .map(|number| with(&[("description", json!(format!("{number}")))]))
        .collect();
    bulk_of(&expenses)
}

fn amounts() -> Vec<Case> {
    let wrong = [
        ("12.345", "EUR", "decimals beyond the currency's scale"),
        ("1.5", "JPY", "decimals where the currency has none"),
        (
            "1.2345",
            "KWD",
            "four decimals where the currency has three",
        ),
        ("12.50", "XYZ", "an unknown currency"),
        ("12.50", "EURO", "no currency code"),
        ("12.50", "", "an empty currency"),
        ("0", "EUR", "an amount of zero"),
        ("-0.00", "EUR", "an amount of minus zero"),
        ("10000000000000.00", "EUR", "sixteen digits of minor units"),
        (
            "-10000000000000.00",
            "EUR",
            "minus sixteen digits of minor units",
        ),
        ("1000000000000000", "JPY", "sixteen digits"),
        (
            "99999999999999999999999999999999999999",
            "EUR",
            "more digits than any machine number",
        ),
        ("1e3", "EUR", "an exponent"),
        ("1,50", "EUR", "a decimal comma"),
        ("NaN", "EUR", "no number"),
        ("", "EUR", "an empty amount"),
    ];
    let mut cases: Vec<Case> = wrong
        .into_iter()
        .map(|(amount, currency, name)| {
            let fields = [("amount", json!(amount)), ("currency", json!(currency))];
            add(
                &format!("{name} ({amount} {currency})"),
                with(&fields),
                INVALID,
            )
        })
        .collect();
    cases.push(add(
        "an amount as a JSON number",
        with(&[("amount", json!(12.5))]),
        BAD_INPUT,
    ));
    cases
}

fn texts() -> Vec<Case> {
    vec![
        add(
            "an empty description",
            with(&[("description", json!(""))]),
            INVALID,
        ),
        add(
            "a description of 256 characters",
            with(&[("description", json!("ü".repeat(256)))]),
            INVALID,
        ),
        add(
            "notes of 32,769 characters",
            with(&[("notes", json!("x".repeat(32_769)))]),
            INVALID,
        ),
        add(
            "21 tags",
            with(&[("tags", json!(tags(21, 8)))]),
            &["INVALID", "BAD_USER_INPUT", "LIMIT_REACHED"],
        ),
        add(
            "a tag of 65 characters",
            with(&[("tags", json!(tags(1, 65)))]),
            INVALID,
        ),
    ]
}

fn dates() -> Vec<Case> {
    [
        "1899-12-31",
        "2201-01-01",
        "2026-02-30",
        "2025-02-29",
        "22.11.2026",
        "2026-11-22T00:00:00Z",
        "",
    ]
    .into_iter()
    .map(|date| {
        add(
            &format!("the date {date:?}"),
            with(&[("spentOn", json!(date))]),
            INVALID,
        )
    })
    .collect()
}

fn bulks() -> Vec<Case> {
    let mixed = [with(&[]), with(&[("amount", json!("0"))]), with(&[])];
    vec![
        Case {
            name: "a bulk of 1,001".to_owned(),
            body: bulk(1_001),
            codes: TOO_MANY,
        },
        Case {
            name: "a bulk of none".to_owned(),
            body: bulk(0),
            codes: INVALID,
        },
        Case {
            name: "one wrong expense among good ones".to_owned(),
            body: bulk_of(&mixed),
            codes: INVALID,
        },
    ]
}

fn unknown_ids(known: &Known) -> Vec<Case> {
    let unknown = json!(Uuid::new_v4());
    vec![
        add(
            "an unknown category",
            with(&[("categoryId", unknown.clone())]),
            NOT_FOUND,
        ),
        add(
            "an unknown ledger",
            with(&[("ledgerId", unknown.clone())]),
            NOT_FOUND,
        ),
        mutation(
            "an update of nothing",
            "updateExpense",
            json!({ "id": unknown, "description": "x" }),
            NOT_FOUND,
        ),
        mutation(
            "an update to an unknown category",
            "updateExpense",
            json!({ "id": known.expense, "categoryId": unknown }),
            NOT_FOUND,
        ),
        mutation(
            "a deletion of nothing",
            "deleteExpense",
            json!({ "id": unknown }),
            NOT_FOUND,
        ),
        mutation(
            "a restoration of nothing",
            "restoreExpense",
            json!({ "id": unknown }),
            NOT_FOUND,
        ),
        mutation(
            "an update of no category",
            "updateCategory",
            json!({ "id": unknown, "name": "x" }),
            NOT_FOUND,
        ),
        mutation(
            "a deletion of no category",
            "deleteCategory",
            json!({ "id": unknown }),
            NOT_FOUND,
        ),
        mutation(
            "a merge into no category",
            "deleteCategory",
            json!({ "id": known.category, "mergeInto": unknown }),
            NOT_FOUND,
        ),
        add(
            "an id that is no id",
            with(&[("id", json!("seven"))]),
            BAD_INPUT,
        ),
    ]
}

fn conflicts(known: &Known) -> Vec<Case> {
    const CONFLICT: &[&str] = &["VERSION_CONFLICT"];
    const REUSED: &[&str] = &["KEY_REUSED"];
    let stale = known.version - 1;
    let (id, key) = (known.expense, known.key);
    vec![
        mutation(
            "an update of what has moved on",
            "updateExpense",
            json!({ "id": id, "expectedVersion": stale, "description": "x" }),
            CONFLICT,
        ),
        mutation(
            "an update of a version to come",
            "updateExpense",
            json!({ "id": id, "expectedVersion": known.version + 1, "description": "x" }),
            CONFLICT,
        ),
        mutation(
            "a deletion of what has moved on",
            "deleteExpense",
            json!({ "id": id, "expectedVersion": stale }),
            CONFLICT,
        ),
        add(
            "a key used again",
            with(&[
                ("idempotencyKey", json!(key)),
                ("description", json!("other")),
            ]),
            REUSED,
        ),
        mutation(
            "a key used again for another mutation",
            "deleteExpense",
            json!({ "idempotencyKey": key, "id": id }),
            REUSED,
        ),
        add(
            "an id that is taken",
            with(&[("id", json!(id))]),
            &["ALREADY_EXISTS"],
        ),
        mutation(
            "a name that is taken",
            "addCategory",
            json!({ "name": "Food" }),
            &["ALREADY_EXISTS"],
        ),
    ]
}

fn strange_characters(known: &Known) -> Vec<Case> {
    let surrogate = |field: &str, value: &str| {
        let body = add("", with(&[(field, json!("MARK"))]), INVALID).body;
        body.replace("\"MARK\"", value)
    };
    vec![
        add(
            "a NUL in the description",
            with(&[("description", json!("a\0b"))]),
            INVALID,
        ),
        add(
            "a NUL in the notes",
            with(&[("notes", json!("a\0b"))]),
            INVALID,
        ),
        add(
            "a NUL in a tag",
            with(&[("tags", json!(["a\0b"]))]),
            INVALID,
        ),
        mutation(
            "a NUL in a category's name",
            "addCategory",
            json!({ "name": "a\0b" }),
            INVALID,
        ),
        mutation(
            "a NUL in an update",
            "updateExpense",
            json!({ "id": known.expense, "description": "a\0b" }),
            INVALID,
        ),
        Case {
            name: "an unpaired high surrogate".to_owned(),
            body: surrogate("description", "\"a\\ud83e\""),
            codes: INVALID,
        },
        Case {
            name: "an unpaired low surrogate".to_owned(),
            body: surrogate("notes", "\"a\\udc00b\""),
            codes: INVALID,
        },
    ]
}

fn pages() -> Vec<Case> {
    [
        "first: 101",
        "first: 0",
        "first: -1",
        "last: 101",
        "first: 10, after: \"bm90IG91cnM=\"",
        "first: 10, after: \"\u{1f9fe}\"",
        "last: 10, before: \"x\"",
    ]
    .into_iter()
    .map(|arguments| {
        let query = format!("{{ expenses({arguments}) {{ nodes {{ id }} }} }}");
        Case {
            name: format!("the page ({arguments})"),
            body: json!({ "query": query }).to_string(),
            codes: BAD_INPUT,
        }
    })
    .collect()
}

fn requests() -> Vec<Case> {
    let case = |name: &str, body: &str| Case {
        name: name.to_owned(),
        body: body.to_owned(),
        codes: BAD_INPUT,
    };
    vec![
        case("a body that is no JSON", "{"),
        case("a body without a query", "{}"),
        case("a document that is none", r#"{"query":"{ expenses("}"#),
        case("a field that is none", r#"{"query":"{ nothing }"}"#),
        case(
            "a variable that is missing",
            r#"{"query":"query ($id: UUID!) { expense(id: $id) { id } }"}"#,
        ),
    ]
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut input = json!({ "description": "refused", "amount": "12.50", "currency": "EUR", "spentOn": "2026-11-22" });
    for (field, value) in changes {
        input[*field] = value.clone();
    }
    input
}

fn tags(count: usize, length: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("{number:0length$}"))
        .collect()
}

fn add(name: &str, input: Value, codes: &'static [&'static str]) -> Case {
    mutation(name, "addExpense", input, codes)
}

/// `updateExpense` takes an `UpdateExpenseInput`, and so on.
fn mutation(name: &str, field: &str, input: Value, codes: &'static [&'static str]) -> Case {
    let capital = field[..1].to_uppercase() + &field[1..];
    let query = format!(
        "mutation ($input: {capital}Input!) {{ {field}(input: $input) {{ userErrors {{ code message field }} }} }}"
    );
    let body = json!({ "query": query, "variables": { "input": input } }).to_string();
    Case {
        name: name.to_owned(),
        body,
        codes,
    }
}

fn bulk_of(expenses: &[Value]) -> String {
    let query = "mutation ($input: AddExpensesInput!) { addExpenses(input: $input) \
        { expenses { id } userErrors { code message field } } }";
    json!({ "query": query, "variables": { "input": { "expenses": expenses } } }).to_string()
}

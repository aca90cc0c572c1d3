//! What an expression names, told from how Prometheus' own parser writes it: always `name{label="value"}` without spaces, and
//! `by (a, b)`.

use std::collections::BTreeSet;

/// The series that it selects, each as an expression of its own.
pub fn selectors_of(formatted: &str) -> BTreeSet<String> {
    let mut selectors = BTreeSet::new();
    for (start, word) in words(formatted) {
        let is_metric =
            word == "up" || word.starts_with("threefold_") || word.starts_with("process_");
        if !is_metric {
            continue;
        }
        let rest = &formatted[start + word.len()..];
        let matchers = match rest.strip_prefix('{') {
            Some(matchers) => &rest[..end_of_matchers(matchers) + 1],
            None => "",
        };
        selectors.insert(format!("{word}{matchers}"));
    }
    selectors
}

/// The labels by which it groups and matches.
pub fn labels_of(formatted: &str) -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    for (start, word) in words(formatted) {
        if ![
            "by",
            "on",
            "ignoring",
            "without",
            "group_left",
            "group_right",
        ]
        .contains(&word)
        {
            continue;
        }
        let rest = formatted[start + word.len()..].trim_start();
        let listed = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let listed = listed.map_or("", |(listed, _)| listed).split(',');
        labels.extend(
            listed
                .map(str::trim)
                .filter(|label| !label.is_empty())
                .map(str::to_owned),
        );
    }
    labels
}

/// Where the closing brace is, counted from the opening one; those in strings are none.
fn end_of_matchers(text: &str) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (position, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            '}' if !quoted => return position + 1,
            _ => {}
        }
    }
    panic!("no end: {text}")
}

/// Names and keywords outside of strings, with where they begin.
fn words(text: &str) -> Vec<(usize, &str)> {
    let joins = |character: char| character.is_ascii_alphanumeric() || "_:".contains(character);
    let mut words = Vec::new();
    let mut begun = None;
    let mut quoted = false;
    for (position, character) in text.char_indices().chain([(text.len(), ' ')]) {
        if character == '"' {
            quoted = !quoted;
        }
        if !quoted && joins(character) {
            begun.get_or_insert(position);
        } else if let Some(start) = begun.take() {
            words.push((start, &text[start..position]));
        }
    }
    words
}

#[test]
fn selectors_and_labels_are_found() {
    let expression = r#"sum by (le, peer) (rate(threefold_a_bucket{x="}b",y=~"up|on"}[5m])) / on (instance) up == 0"#;
    let selectors: Vec<String> = selectors_of(expression).into_iter().collect();
    assert_eq!(
        selectors,
        [r#"threefold_a_bucket{x="}b",y=~"up|on"}"#, "up"]
    );
    let labels: Vec<String> = labels_of(expression).into_iter().collect();
    assert_eq!(labels, ["instance", "le", "peer"]);
}

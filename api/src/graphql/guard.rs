//! A look at a document before the library works on it: parsing nested values, following fragments and counting what they
//! expand to are recursive there, and a small document could take a replica's stack or its time.

use std::collections::HashMap;

use async_graphql::ServerError;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

use super::error::{ErrorCode, request_error};

/// Deepest nesting of brackets of any kind.
const MAX_BRACKETS: usize = 64;
/// Most fragments of a document.
const MAX_FRAGMENTS: usize = 64;
/// Most selections, with every fragment put in wherever it is spread.
const MAX_SELECTIONS: usize = 20_000;

/// Parses a document, if it is small enough to be worked on.
///
/// # Errors
/// What is wrong with the document, or which bound it breaks.
pub(super) fn admit(text: &str) -> Result<ExecutableDocument, ServerError> {
    let too_complex = |message: String| request_error(ErrorCode::TooComplex, message);
    if deepest_brackets(text) > MAX_BRACKETS {
        let message = format!("the document is nested too deep: at most {MAX_BRACKETS} brackets");
        return Err(too_complex(message));
    }
    let document = parse_query(text)?;
    if document.fragments.len() > MAX_FRAGMENTS {
        let message = format!("the document has too many fragments: at most {MAX_FRAGMENTS}");
        return Err(too_complex(message));
    }
    match expanded(&document) {
        Some(count) if count <= MAX_SELECTIONS => Ok(document),
        Some(_) => Err(too_complex(format!(
            "the document selects too much: at most {MAX_SELECTIONS} fields, fragments put in"
        ))),
        None => Err(request_error(
            ErrorCode::BadUserInput,
            "a fragment of the document contains itself",
        )),
    }
}

/// The deepest nesting of brackets; those in strings and comments do not count.
fn deepest_brackets(document: &str) -> usize {
    let mut rest = document;
    let (mut depth, mut deepest) = (0_usize, 0);
    while let Some(first) = rest.chars().next() {
        let skipped = match first {
            '#' => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '"' if rest.starts_with("\"\"\"") => end_of_block_string(rest),
            '"' => end_of_string(rest),
            '{' | '[' | '(' => {
                depth += 1;
                deepest = deepest.max(depth);
                1
            }
            '}' | ']' | ')' => {
                depth = depth.saturating_sub(1);
                1
            }
            other => other.len_utf8(),
        };
        rest = rest.get(skipped..).unwrap_or_default();
    }
    deepest
}

fn end_of_block_string(text: &str) -> usize {
    let mut from = 3;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find("\"\"\"")) {
        let quotes = from + found;
        if !text[..quotes].ends_with('\\') {
            return quotes + 3;
        }
        from = quotes + 3;
    }
    text.len()
}

fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (position, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            // A line's end ends a string that was not closed; the parser will say so.
            '"' | '\n' | '\r' => return position + 1,
            _ => {}
        }
    }
    text.len()
}

/// What is known of a fragment: nothing yet but that it is being counted, or its count.
type Counted<'a> = HashMap<&'a str, Option<usize>>;

/// Selections with every fragment put in, each fragment looked at once; none where one contains itself.
fn expanded(document: &ExecutableDocument) -> Option<usize> {
    let mut counted = Counted::new();
    let mut all = 0_usize;
    for (_, operation) in document.operations.iter() {
        let count = count(document, &operation.node.selection_set.node, &mut counted)?;
        all = all.saturating_add(count);
    }
    Some(all)
}

fn count<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    counted: &mut Counted<'a>,
) -> Option<usize> {
    let mut all = 0_usize;
    for item in &set.items {
        let inner = match &item.node {
            Selection::Field(field) => count(document, &field.node.selection_set.node, counted)?,
            Selection::InlineFragment(inline) => {
                count(document, &inline.node.selection_set.node, counted)?
            }
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                match (
                    counted.get(name),
                    document.fragments.get(&spread.node.fragment_name.node),
                ) {
                    (Some(known), _) => (*known)?,
                    // Validation names it.
                    (None, None) => 0,
                    (None, Some(fragment)) => {
                        counted.insert(name, None);
                        let inner = count(document, &fragment.node.selection_set.node, counted)?;
                        counted.insert(name, Some(inner));
                        inner
                    }
                }
            }
        };
        all = all.saturating_add(1).saturating_add(inner);
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(document: &str) -> Option<String> {
        admit(document).err().map(|error| error.message)
    }

    #[test]
    fn usual_documents_pass() {
        for document in [
            "{ expenses { nodes { id ...e } } } fragment e on Expense { notes ...f } fragment f on Expense { id }",
            "# {[({[(\n{ a(b: \"[[[{{{\\\"[[[\") }",
            "{ a(b: \"\"\"[[[ \\\"\"\" {{{ \"\"\") }",
        ] {
            assert_eq!(refusal(document), None, "{document}");
        }
    }

    #[test]
    fn deep_values_are_refused_before_they_are_parsed() {
        let deep = format!(
            "{{ expense(id: {}{}) {{ id }} }}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert!(refusal(&deep).unwrap().contains("nested too deep"));
        // A string does not hide what follows it.
        let hidden = format!("{{ a(b: \"x\", c: {}) }}", "[".repeat(1_000));
        assert!(refusal(&hidden).unwrap().contains("nested too deep"));
    }

    #[test]
    fn fragments_that_multiply_are_refused_in_no_time() {
        let mut ladder = "{ ...f0 }".to_owned();
        for n in 0..40 {
            ladder += &format!(" fragment f{n} on Query {{ ...f{} ...f{} }}", n + 1, n + 1);
        }
        ladder += " fragment f40 on Query { replicas { id } }";
        assert!(refusal(&ladder).unwrap().contains("selects too much"));
        assert!(
            refusal("{ ...a } fragment a on Query { ...a ...a }")
                .unwrap()
                .contains("itself")
        );
        let chain: String = (0..100)
            .map(|n| format!(" fragment f{n} on Query {{ ...f{} }}", n + 1))
            .collect();
        assert!(
            refusal(&format!("{{ ...f0 }}{chain}"))
                .unwrap()
                .contains("too many fragments")
        );
    }
}

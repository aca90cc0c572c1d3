use super::{Path, Refusal, RefusalCode};

/// Checks a text: its length in characters, and that every database can store it.
pub(super) fn check(
    text: &str,
    least: usize,
    most: usize,
    path: Path<'_>,
    field: &str,
    faults: &mut Vec<Refusal>,
) {
    let mut fault =
        |message: String| faults.push(Refusal::at(RefusalCode::Invalid, &path, field, message));
    if text.contains('\0') {
        fault(format!(
            "{field} holds a NUL character, which cannot be stored"
        ));
    }
    if least > 0 && text.trim().is_empty() {
        fault(format!("{field} must not be empty"));
    }
    let length = text.chars().count();
    if length > most {
        fault(format!(
            "{field} has {length} characters, {most} are allowed"
        ));
    }
}

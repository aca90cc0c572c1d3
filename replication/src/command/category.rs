use serde::{Deserialize, Serialize};
use threefold_entity::category::MAX_NAME_CHARS;
use uuid::Uuid;

use super::{Command, Patch, Path, Refusal, RefusalCode, check_id, text};

/// Add a category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddCategory {
    /// The id that the client chose, if it did.
    pub id: Option<Uuid>,
    /// The ledger it goes to.
    pub ledger_id: Uuid,
    /// Its name, unique in the ledger without regard to case and accents.
    pub name: String,
    /// `#rrggbb`, if any.
    pub color: Option<String>,
}

/// Change fields of one category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateCategory {
    /// The category.
    pub id: Uuid,
    /// The version that the client saw, if it insists on it.
    pub expected_version: Option<i32>,
    /// New name.
    pub name: Option<String>,
    /// New colour, or none.
    pub color: Patch<Option<String>>,
}

/// Delete a category; its expenses move, or become uncategorised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteCategory {
    /// The category.
    pub id: Uuid,
    /// The category of the same ledger that takes its expenses, if any.
    pub merge_into: Option<Uuid>,
}

impl Command {
    /// Adds a category.
    ///
    /// # Errors
    /// Every fault of the fields.
    pub fn add_category(add: AddCategory) -> Result<Self, Vec<Refusal>> {
        let mut faults = Vec::new();
        check_id(add.id, Path::Top, &mut faults);
        text::check(&add.name, 1, MAX_NAME_CHARS, Path::Top, "name", &mut faults);
        check_color(add.color.as_deref(), &mut faults);
        if faults.is_empty() {
            Ok(Self::AddCategory(add))
        } else {
            Err(faults)
        }
    }

    /// Changes fields of one category.
    ///
    /// # Errors
    /// Every fault of the fields, and an edit that changes nothing.
    pub fn update_category(update: UpdateCategory) -> Result<Self, Vec<Refusal>> {
        let mut faults = Vec::new();
        if let Some(name) = &update.name {
            text::check(name, 1, MAX_NAME_CHARS, Path::Top, "name", &mut faults);
        }
        if let Patch::Set(color) = &update.color {
            check_color(color.as_deref(), &mut faults);
        }
        if update.name.is_none() && update.color.is_keep() {
            faults.push(Refusal::whole(
                RefusalCode::Invalid,
                "the update names no field to change",
            ));
        }
        if faults.is_empty() {
            Ok(Self::UpdateCategory(update))
        } else {
            Err(faults)
        }
    }

    /// Deletes a category.
    ///
    /// # Errors
    /// A category that is to be merged into itself.
    pub fn delete_category(id: Uuid, merge_into: Option<Uuid>) -> Result<Self, Vec<Refusal>> {
        if merge_into == Some(id) {
            let message = "a category cannot be merged into itself";
            return Err(vec![Refusal::at(
                RefusalCode::Invalid,
                &Path::Top,
                "mergeInto",
                message,
            )]);
        }
        Ok(Self::DeleteCategory(DeleteCategory { id, merge_into }))
    }
}

fn check_color(color: Option<&str>, faults: &mut Vec<Refusal>) {
    let is_hex = |color: &str| {
        color
            .strip_prefix('#')
            .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    if color.is_some_and(|color| !is_hex(color)) {
        let message = "a colour is written #rrggbb, such as #3388ff";
        faults.push(Refusal::at(
            RefusalCode::Invalid,
            &Path::Top,
            "color",
            message,
        ));
    }
}

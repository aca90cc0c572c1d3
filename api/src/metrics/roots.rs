//! What a request asks for, told from its document in words of the schema: a set that clients cannot widen.

use std::collections::BTreeSet;

use async_graphql::Request;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{OperationType, Selection, TypeKind, TypeSystemDefinition};

use super::Asked;

/// A request whose document was not looked at, or does not have the operation that it names.
pub(super) const NONE: Asked = Asked {
    kind: "none",
    field: "none",
};
/// Fields that are in no schema's definition.
const OTHERS: [&str; 3] = ["several", "introspection", "unknown"];

/// The root fields of the schema.
#[derive(Debug)]
pub(super) struct Roots(BTreeSet<(&'static str, &'static str)>);

impl Roots {
    /// The names live as long as the process, which has one schema.
    pub(super) fn of(sdl: &str) -> Self {
        let mut roots = BTreeSet::new();
        let document = parse_schema(sdl).map(|document| document.definitions);
        for definition in document.into_iter().flatten() {
            let TypeSystemDefinition::Type(definition) = definition else {
                continue;
            };
            let definition = definition.node;
            let (Some(kind), TypeKind::Object(object)) =
                (kind_of_type(&definition.name.node), definition.kind)
            else {
                continue;
            };
            roots.extend(object.fields.into_iter().map(|field| {
                let name = field.node.name.node.to_string();
                (kind, &*Box::leak(name.into_boxed_str()))
            }));
        }
        Self(roots)
    }

    /// Everything that can be asked for.
    pub(super) fn all(&self) -> impl Iterator<Item = Asked> {
        let fields = self.0.iter().copied();
        fields.map(|(kind, field)| Asked { kind, field })
    }

    /// What this request asks for. Its document is parsed here unless it has been before.
    pub(super) fn asked(&self, request: &mut Request) -> Asked {
        let wanted = request.operation_name.clone();
        let Ok(document) = request.parsed_query() else {
            return NONE;
        };
        let mut operations = document.operations.iter();
        let operation = match &wanted {
            Some(wanted) => operations.find(|(name, _)| name.is_some_and(|name| name == wanted)),
            None => operations.next(),
        };
        let Some((_, operation)) = operation else {
            return NONE;
        };
        let kind = match operation.node.ty {
            OperationType::Query => "query",
            OperationType::Mutation => "mutation",
            OperationType::Subscription => "subscription",
        };
        let field = match &operation.node.selection_set.node.items[..] {
            [one] => match &one.node {
                Selection::Field(field) => self.named(kind, &field.node.name.node),
                Selection::FragmentSpread(_) | Selection::InlineFragment(_) => OTHERS[0],
            },
            _ => OTHERS[0],
        };
        Asked { kind, field }
    }

    fn named(&self, kind: &'static str, field: &str) -> &'static str {
        if field.starts_with("__") {
            return OTHERS[1];
        }
        let mut known = self.0.iter();
        let known = known.find(|(of, name)| *of == kind && *name == field);
        known.map_or(OTHERS[2], |(_, name)| name)
    }
}

fn kind_of_type(name: &str) -> Option<&'static str> {
    match name {
        "Query" => Some("query"),
        "Mutation" => Some("mutation"),
        "Subscription" => Some("subscription"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(document: &str) -> (&'static str, &'static str) {
        let asked = Roots::of(&crate::graphql::sdl()).asked(&mut Request::new(document));
        (asked.kind, asked.field)
    }

    #[test]
    fn a_request_is_told_by_its_root_field() {
        let cases = [
            ("{ replicas { id } }", ("query", "replicas")),
            (
                "query Mine { mine: expenses { totalCount } }",
                ("query", "expenses"),
            ),
            (
                "mutation { addExpense { userErrors { code } } }",
                ("mutation", "addExpense"),
            ),
            (
                "subscription { changes { __typename } }",
                ("subscription", "changes"),
            ),
            (
                "{ replicas { id } categories { id } }",
                ("query", "several"),
            ),
            (
                "{ ...Root } fragment Root on Query { replicas { id } }",
                ("query", "several"),
            ),
            (
                "{ __schema { queryType { name } } }",
                ("query", "introspection"),
            ),
            ("{ password1234 }", ("query", "unknown")),
            // A name of another kind is none of this one.
            ("{ addExpense }", ("query", "unknown")),
            ("{", ("none", "none")),
        ];
        for (document, expected) in cases {
            assert_eq!(asked(document), expected, "{document}");
        }
    }

    #[test]
    fn the_operation_that_is_asked_for_counts() {
        let document = "query A { replicas { id } } query B { ledgers { id } }";
        let roots = Roots::of(&crate::graphql::sdl());
        let mut request = Request::new(document).operation_name("B");
        assert_eq!(roots.asked(&mut request).field, "ledgers");
        let mut request = Request::new(document).operation_name("C");
        assert_eq!(roots.asked(&mut request), NONE);
    }
}

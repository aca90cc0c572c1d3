//! The committed schemas are the ones that are served, and the public one keeps its promises.

#![allow(
    clippy::unwrap_used,
    reason = "a test that meets what it does not expect stops there"
)]

use std::collections::BTreeSet;
use std::path::Path;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};

/// Compares with the committed file; with UPDATE_SCHEMA=1, writes it.
fn check(file: &str, sdl: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, sdl).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == sdl,
        "{file} is not the schema that is served; run the tests with UPDATE_SCHEMA=1 and look at the difference"
    );
}

#[test]
fn the_public_schema_is_committed() {
    check("schema.graphql", &threefold_api::graphql::sdl());
}

/// Every type, field with its type, argument in its order, and enum value, one a line.
fn parts(sdl: &str) -> BTreeSet<String> {
    let document = parse_schema(sdl).unwrap();
    let mut parts = BTreeSet::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else {
            continue;
        };
        let name = definition.node.name.node.to_string();
        match definition.node.kind {
            TypeKind::Scalar => {
                parts.insert(format!("scalar {name}"));
            }
            TypeKind::Object(object) => {
                for field in object.fields {
                    let arguments: Vec<String> = field
                        .node
                        .arguments
                        .iter()
                        .map(|argument| {
                            format!("{}: {}", argument.node.name.node, argument.node.ty.node)
                        })
                        .collect();
                    parts.insert(format!(
                        "{name}.{}({}): {}",
                        field.node.name.node,
                        arguments.join(", "),
                        field.node.ty.node
                    ));
                }
            }
            TypeKind::InputObject(object) => {
                for field in object.fields {
                    parts.insert(format!(
                        "input {name}.{}: {}",
                        field.node.name.node, field.node.ty.node
                    ));
                }
            }
            TypeKind::Enum(values) => {
                for value in values.values {
                    parts.insert(format!("{name}::{}", value.node.value.node));
                }
            }
            TypeKind::Union(union) => {
                for member in union.members {
                    parts.insert(format!("{name} | {}", member.node));
                }
            }
            TypeKind::Interface(_) => {
                parts.insert(format!("interface {name}"));
            }
        }
    }
    parts
}

/// The contract may grow; nothing of it goes away or changes its meaning.
#[test]
fn the_public_schema_keeps_its_contract() {
    let promised = parts(include_str!("contract.graphql"));
    let served = parts(&threefold_api::graphql::sdl());
    let missing: Vec<&String> = promised.difference(&served).collect();
    assert!(missing.is_empty(), "the schema no longer has: {missing:#?}");
    assert!(promised.len() > 150, "the contract was not read");
}

#[test]
fn everything_is_described() {
    let document = parse_schema(threefold_api::graphql::sdl()).unwrap();
    let mut bare = Vec::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else {
            continue;
        };
        let name = definition.node.name.node.to_string();
        if definition.node.description.is_none() {
            bare.push(name.clone());
        }
        match definition.node.kind {
            TypeKind::Object(object) => bare.extend(
                object
                    .fields
                    .iter()
                    .filter(|f| f.node.description.is_none())
                    .map(|f| format!("{name}.{}", f.node.name.node)),
            ),
            TypeKind::InputObject(object) => bare.extend(
                object
                    .fields
                    .iter()
                    .filter(|f| f.node.description.is_none())
                    .map(|f| format!("{name}.{}", f.node.name.node)),
            ),
            TypeKind::Enum(values) => bare.extend(
                values
                    .values
                    .iter()
                    .filter(|v| v.node.description.is_none())
                    .map(|v| format!("{name}.{}", v.node.value.node)),
            ),
            _ => {}
        }
    }
    assert_eq!(bare, [] as [String; 0], "these have no description");
}

#[test]
fn the_peer_schema_is_committed() {
    check("peer.graphql", &threefold_api::peer::schema::sdl());
}

//! Promise: the crates know of each other and of the big libraries what the table in ARCHITECTURE.md says, and no more.
//!
//! Looks at what `cargo metadata` knows and at the words of the sources, so that a shortcut fails here and not in review.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A package, and what it must not depend on: exact names, or beginnings where they end in `*`.
const FORBIDDEN_DEPENDENCIES: [(&str, &[&str]); 6] = [
    (
        "threefold-entity",
        &["openraft*", "async-graphql*", "axum*", "threefold-*"],
    ),
    (
        "threefold-migration",
        &["openraft*", "async-graphql*", "axum*", "threefold-*"],
    ),
    (
        "threefold-replication",
        &[
            "async-graphql*",
            "axum*",
            "threefold-api",
            "threefold-tests",
        ],
    ),
    ("threefold-api", &["openraft*", "threefold-tests"]),
    ("threefold-tests", &["openraft*"]),
    (
        "threefold-simulation",
        &["openraft*", "async-graphql*", "axum*", "threefold-api"],
    ),
];

/// A rule about words in sources.
struct WordRule {
    /// Folders below the workspace.
    folders: &'static [&'static str],
    /// Beginnings of paths, below the workspace, that the rule is not about.
    except: &'static [&'static str],
    /// The rule is only about files that have this word, if one is given.
    where_mentioned: Option<&'static str>,
    words: &'static [&'static str],
    because: &'static str,
}

const WORD_RULES: [WordRule; 7] = [
    WordRule {
        folders: &[
            "entity/src",
            "migration/src",
            "replication",
            "api",
            "tests/src",
        ],
        // The log filter names it, to quieten it.
        except: &["replication/src/consensus", "api/src/telemetry/filter.rs"],
        where_mentioned: None,
        words: &["openraft"],
        because: "openraft stays in replication/src/consensus, so that its next version is one swap",
    },
    WordRule {
        folders: &["entity/src", "migration/src", "replication/src"],
        except: &[],
        where_mentioned: None,
        words: &["async_graphql", "axum"],
        because: "only api knows GraphQL and HTTP",
    },
    WordRule {
        folders: &["entity/src", "migration/src", "replication/src", "api/src"],
        except: &[
            "replication/src/trace.rs",
            "api/src/trace.rs",
            "api/src/telemetry",
        ],
        where_mentioned: None,
        words: &["opentelemetry", "tracing_opentelemetry"],
        because: "what follows requests is a matter of few files; others begin spans by tracing, or by trace.rs",
    },
    WordRule {
        folders: &["migration/src"],
        except: &[],
        where_mentioned: None,
        words: &["threefold_entity", "threefold_replication"],
        because: "a migration step is frozen: it must not change with the live entities",
    },
    WordRule {
        folders: &["entity/src"],
        except: &[],
        where_mentioned: None,
        words: &[
            "threefold_migration",
            "threefold_replication",
            "threefold_api",
        ],
        because: "entity is what everything else stands on",
    },
    WordRule {
        folders: &["api/src"],
        // Rows for the unit tests of selects.
        except: &["api/src/read/testing.rs"],
        where_mentioned: Some("sea_orm"),
        words: &[
            "ActiveModel",
            "ActiveModelTrait",
            "IntoActiveModel",
            "TransactionTrait",
            "insert_many",
            "update_many",
            "delete_many",
            "delete_by_id",
            "execute",
            "execute_raw",
            "execute_unprepared",
            "exec",
            "exec_with_returning",
            "exec_without_returning",
            "InsertStatement",
            "UpdateStatement",
            "DeleteStatement",
        ],
        because: "replication is the only writer: what api writes past the log is on one replica only",
    },
    WordRule {
        folders: &[
            "replication/src/transition",
            "replication/src/transition.rs",
        ],
        // A test may count in any order.
        except: &["replication/src/transition/tests.rs"],
        where_mentioned: None,
        words: &[
            "Utc::now",
            "SystemTime",
            "Instant",
            "rand",
            "new_v4",
            "now_v7",
            "std::env",
            "HashMap",
            "HashSet",
        ],
        because: "a transition is a pure function: the same on every replica",
    },
];

#[test]
fn crates_depend_on_what_they_may() {
    let metadata = cargo_metadata();
    for (name, forbidden) in FORBIDDEN_DEPENDENCIES {
        let package = package(&metadata, name);
        // What tests of a crate use is not part of it.
        let dependencies = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["kind"] != "dev");
        let broken: Vec<&str> = dependencies
            .map(|dependency| dependency["name"].as_str().unwrap())
            .filter(|dependency| forbidden.iter().any(|pattern| matches(pattern, dependency)))
            .collect();
        assert!(broken.is_empty(), "{name} must not depend on {broken:?}");
    }
    let names: Vec<&str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    for name in names.iter().filter(|name| name.starts_with("threefold-")) {
        assert!(
            FORBIDDEN_DEPENDENCIES
                .iter()
                .any(|(known, _)| known == name),
            "{name} has no rule: give it one"
        );
    }
}

#[test]
fn sources_mention_what_they_may() {
    let root = workspace_root();
    let mut broken = Vec::new();
    for rule in &WORD_RULES {
        for path in rule
            .folders
            .iter()
            .flat_map(|folder| rust_files(&root.join(folder)))
        {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            if rule
                .except
                .iter()
                .any(|beginning| name.starts_with(beginning))
            {
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            broken.extend(
                violations(rule, &source)
                    .into_iter()
                    .map(|it| format!("{name}:{it}: {}", rule.because)),
            );
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_rules_find_what_they_look_for() {
    assert!(
        matches("openraft*", "openraft-macros")
            && matches("axum*", "axum")
            && matches("serde", "serde")
    );
    assert!(!matches("serde", "serde_json") && !matches("axum*", "tower"));

    let [consensus, .., writes, _] = &WORD_RULES;
    assert_eq!(
        violations(consensus, "//! Knows no openraft.\nuse openraft::Raft;\n"),
        ["2 has openraft"]
    );
    assert!(
        violations(
            consensus,
            "/// See openraft's guide.\nlet openrafts = 1; // openraft\n"
        )
        .is_empty()
    );
    assert!(
        violations(writes, "schema.execute(request)").is_empty(),
        "GraphQL executes, too"
    );
    assert_eq!(
        violations(writes, "use sea_orm::X;\ndb.execute(&it)"),
        ["2 has execute"]
    );
    assert!(violations(writes, "use sea_orm::X;\nmap.insert(1)").is_empty());

    for rule in &WORD_RULES {
        let files: usize = rule
            .folders
            .iter()
            .map(|folder| rust_files(&workspace_root().join(folder)).len())
            .sum();
        assert!(
            files > 0,
            "{:?} are gone: their rule looks at nothing",
            rule.folders
        );
    }
}

/// The lines, counted from 1, that break the rule, with the word.
fn violations(rule: &WordRule, source: &str) -> Vec<String> {
    let code: Vec<&str> = source.lines().map(without_comment).collect();
    let concerned = rule
        .where_mentioned
        .is_none_or(|word| code.iter().any(|line| has_word(line, word)));
    if !concerned {
        return Vec::new();
    }
    let numbered = (1..).zip(&code);
    numbered
        .flat_map(|(number, line)| {
            let found = rule.words.iter().filter(move |word| has_word(line, word));
            found.map(move |word| format!("{number} has {word}"))
        })
        .collect()
}

fn without_comment(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// Whether the text has the word with nothing joined to it.
fn has_word(text: &str, word: &str) -> bool {
    let joins = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + word.len()..].chars().next();
        !before.is_some_and(joins) && !after.is_some_and(joins)
    })
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}

/// All Rust files below a folder, or the file itself.
fn rust_files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let Ok(children) = fs::read_dir(path) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = children
        .flat_map(|child| {
            let path = child.unwrap().path();
            if path.is_dir() {
                rust_files(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    files
}

fn cargo_metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--offline",
            "--no-deps",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(workspace_root().join("Cargo.toml"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn package<'a>(metadata: &'a Value, name: &str) -> &'a Value {
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .find(|package| package["name"] == name)
        .unwrap_or_else(|| panic!("no package {name}"))
}

fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

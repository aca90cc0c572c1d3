//! A history as a file: a JSON object a line, so that it can be read by eye, cut, and searched.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Disturbance, FinalState, History, Operation, Row, Settlement, TableDigest, Watched};

/// Why a history cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file cannot be opened, read or written.
    #[error("the history {path} cannot be read or written: {error}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A line says nothing that this version understands.
    #[error("line {line} of the history {path} is damaged or from another version: {error}", path = .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        error: serde_json::Error,
    },
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Line {
    Operation(Operation),
    Settled { number: u64, settlement: Settlement },
    Watched(Watched),
    Disturbance(Disturbance),
    FinalState(FinalLine),
}

/// A final state. The rows are written once, since they should be alike everywhere.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FinalLine {
    replica: u16,
    revision: u64,
    history_hash: String,
    tables: std::collections::BTreeMap<String, TableDigest>,
    /// None: as on the replica of the line before.
    rows: Option<Arc<Vec<Row>>>,
}

impl History {
    /// Reads a history, and the final states where it has them.
    pub fn load(path: &Path) -> Result<(Self, Vec<FinalState>), HistoryError> {
        let io_error = |error| HistoryError::Io {
            path: path.to_owned(),
            error,
        };
        let mut history = Self::default();
        let mut finals: Vec<FinalState> = Vec::new();
        let mut settled: HashMap<u64, Settlement> = HashMap::new();
        let file = BufReader::new(File::open(path).map_err(io_error)?);
        for (index, line) in file.lines().enumerate() {
            let line = line.map_err(io_error)?;
            let line = serde_json::from_str(&line).map_err(|error| HistoryError::Line {
                path: path.to_owned(),
                line: index + 1,
                error,
            })?;
            match line {
                Line::Operation(operation) => history.operations.push(operation),
                Line::Settled { number, settlement } => {
                    settled.insert(number, settlement);
                }
                Line::Watched(watched) => history.watched.push(watched),
                Line::Disturbance(disturbance) => history.disturbances.push(disturbance),
                Line::FinalState(line) => {
                    let before = finals.last().map(|last| Arc::clone(&last.rows));
                    let rows = line.rows.or(before).unwrap_or_default();
                    finals.push(FinalState {
                        replica: line.replica,
                        revision: line.revision,
                        history_hash: line.history_hash,
                        tables: line.tables,
                        rows,
                    });
                }
            }
        }
        for operation in &mut history.operations {
            operation.settlement = settled
                .remove(&operation.number)
                .or(operation.settlement.take());
        }
        Ok((history, finals))
    }

    /// Writes a history that [`History::load`] reads.
    pub fn save(&self, path: &Path) -> Result<(), HistoryError> {
        let operations = self.operations.iter().cloned().map(Line::Operation);
        let watched = self.watched.iter().cloned().map(Line::Watched);
        let disturbances = self.disturbances.iter().copied().map(Line::Disturbance);
        let lines = operations.chain(watched).chain(disturbances);
        write(File::create(path), path, lines)
    }

    /// Appends the final states to a history's file, so that it can be judged without the cluster.
    pub fn append_final_states(path: &Path, finals: &[FinalState]) -> Result<(), HistoryError> {
        let mut before: Option<&Arc<Vec<Row>>> = None;
        let lines = finals.iter().map(|state| {
            let alike = before.is_some_and(|before| *before == state.rows);
            before = Some(&state.rows);
            Line::FinalState(FinalLine {
                replica: state.replica,
                revision: state.revision,
                history_hash: state.history_hash.clone(),
                tables: state.tables.clone(),
                rows: (!alike).then(|| Arc::clone(&state.rows)),
            })
        });
        write(File::options().append(true).open(path), path, lines)
    }
}

fn write(
    file: io::Result<File>,
    path: &Path,
    lines: impl Iterator<Item = Line>,
) -> Result<(), HistoryError> {
    let attempt = || -> io::Result<()> {
        let mut file = BufWriter::new(file?);
        for line in lines {
            serde_json::to_writer(&mut file, &line)?;
            file.write_all(b"\n")?;
        }
        file.flush()
    };
    attempt().map_err(|error| HistoryError::Io {
        path: path.to_owned(),
        error,
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::torture::history::{Action, Answer, Item, WatchedEvent};

    fn operation(number: u64, settlement: Option<Settlement>) -> Operation {
        let item = Item {
            id: None,
            mark: number,
        };
        Operation {
            number,
            worker: 1,
            replica: 2,
            begin: 3,
            end: 4,
            action: Action::Add {
                key: Uuid::from_u128(7),
                item,
            },
            answer: Answer::Lost("TIMEOUT".to_owned()),
            settlement,
        }
    }

    fn row(mark: u64) -> Row {
        Row {
            id: Uuid::from_u128(u128::from(mark)),
            version: 1,
            amount: mark,
            label: mark,
            deleted: false,
            revision: 9,
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let history = History {
            operations: vec![
                operation(1, None),
                operation(2, Some(Settlement::Accepted(5))),
            ],
            watched: vec![Watched {
                watcher: 0,
                replica: 1,
                at: 8,
                event: WatchedEvent::Bookmark(3),
            }],
            disturbances: vec![Disturbance { at: 6, replica: 3 }],
        };
        history.save(&path).unwrap();
        let state = |replica, rows: Vec<Row>| FinalState {
            replica,
            revision: 9,
            history_hash: "00ff".to_owned(),
            tables: [(
                "expense".to_owned(),
                TableDigest {
                    rows: 1,
                    digest: "aa".to_owned(),
                },
            )]
            .into(),
            rows: Arc::new(rows),
        };
        let finals = [
            state(1, vec![row(1)]),
            state(2, vec![row(1)]),
            state(3, vec![row(2)]),
        ];
        History::append_final_states(&path, &finals).unwrap();
        let (read, read_finals) = History::load(&path).unwrap();
        assert_eq!(read, history);
        assert_eq!(read_finals, finals);

        // What is settled later is a line of its own.
        let late = Line::Settled {
            number: 1,
            settlement: Settlement::Never,
        };
        write(
            File::options().append(true).open(&path),
            &path,
            std::iter::once(late),
        )
        .unwrap();
        let (read, _) = History::load(&path).unwrap();
        assert_eq!(read.operations[0].settlement, Some(Settlement::Never));
        assert_eq!(read.operations[1].settlement, Some(Settlement::Accepted(5)));
    }

    #[test]
    fn a_damaged_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        History {
            operations: vec![operation(1, None)],
            ..History::default()
        }
        .save(&path)
        .unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{whole}{}", &whole[..20])).unwrap();
        let error = History::load(&path).unwrap_err().to_string();
        assert!(error.starts_with("line 2 of the history"), "{error}");
    }
}

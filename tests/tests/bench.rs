//! The benchmark runs. What it measures is for a quiet machine and a release build.

use std::process::Command;

use threefold_tests::binary;

#[test]
fn a_short_one_leaves_a_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .env("THREEFOLD_BIN", binary::path())
        .args([
            "--part",
            "writes,sustained",
            "--sustained-seconds",
            "1",
            "--clients",
            "2",
            "--turns",
            "1",
            "--seconds",
            "1",
            "--warm-up",
            "0",
        ])
        .args(["--only", "pgbench, quorum", "--only", "SQLite, quorum"])
        .arg("--report")
        .arg(folder.path())
        .output()
        .expect("the benchmark starts");
    assert!(output.status.success(), "{output:?}");
    let figures = std::fs::read(folder.path().join("writes.json")).expect("figures");
    let figures: serde_json::Value = serde_json::from_slice(&figures).expect("JSON");
    let writes = figures["writes"].as_array().expect("a list");
    assert_eq!(writes.len(), 2, "{figures}");
    for write in writes {
        assert!(write["all"]["operations"].as_u64() > Some(0), "{write}");
    }
    for name in [
        "writes.md",
        "sustained.md",
        "sustained-latency.svg",
        "sustained-memory.svg",
        "writes-a-second.svg",
        "writes-median.svg",
        "writes-p99.svg",
    ] {
        let file = std::fs::metadata(folder.path().join(name)).expect(name);
        assert!(file.len() > 300, "{name}");
    }
}

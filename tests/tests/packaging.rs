//! Promise: what is installed beside the binary works: units for systemd, man pages, completions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use threefold_tests::binary;

/// Highest exposure that `systemd-analyze security` may find, in tenths: it says 1.1, and 9.6 of a service that is
/// free to do everything.
const MOST_EXPOSURE: &str = "12";
const UNITS: [&str; 2] = ["threefold.service", "threefold@.service"];

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/packaging")
}

/// Runs a program that the machine must have; `scripts/install-deps.sh test` installs it.
fn run(command: &mut Command) -> Output {
    let program = command.get_program().to_owned();
    command.output().unwrap_or_else(|error| {
        panic!("{program:?} does not start ({error}): run scripts/install-deps.sh test")
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn man_pages() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let status = binary::command()
        .arg("man")
        .arg(folder.path().join("man1"))
        .status()
        .unwrap();
    assert!(status.success());
    folder
}

/// The unit, as it is but for the binary, which is the one under test.
fn unit(folder: &Path, name: &str) -> PathBuf {
    let text = fs::read_to_string(packaging().join(name)).unwrap();
    let ours = text.replace("/usr/bin/threefold", binary::path().to_str().unwrap());
    assert_ne!(text, ours);
    let path = folder.join(name);
    fs::write(&path, ours).unwrap();
    path
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units_and_little_exposed() {
    let folder = tempfile::tempdir().unwrap();
    let pages = man_pages();
    for name in UNITS {
        let path = unit(folder.path(), name);
        // An unknown key is a mere remark, and ends well.
        let mut manual = pages.path().as_os_str().to_owned();
        manual.push(":");
        let verified = run(Command::new("systemd-analyze")
            .arg("verify")
            .arg(&path)
            .env("MANPATH", manual));
        assert!(verified.status.success(), "{}", text(&verified.stderr));
        assert_eq!(text(&verified.stderr), "", "{name}");

        let rated = run(Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--no-pager"])
            .arg(format!("--threshold={MOST_EXPOSURE}"))
            .arg(&path));
        assert!(rated.status.success(), "{}", text(&rated.stdout));
    }
}

#[test]
fn the_timer_takes_a_backup_and_its_service_is_as_little_exposed() {
    let folder = tempfile::tempdir().unwrap();
    let pages = man_pages();
    let service = unit(folder.path(), "threefold-backup.service");
    let timer = folder.path().join("threefold-backup.timer");
    fs::copy(packaging().join("threefold-backup.timer"), &timer).unwrap();
    let mut manual = pages.path().as_os_str().to_owned();
    manual.push(":");
    let verified = run(Command::new("systemd-analyze")
        .arg("verify")
        .args([&service, &timer])
        .env("MANPATH", manual));
    assert!(verified.status.success(), "{}", text(&verified.stderr));
    assert_eq!(text(&verified.stderr), "");
    let rated = run(Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager"])
        .arg(format!("--threshold={MOST_EXPOSURE}"))
        .arg(&service));
    assert!(rated.status.success(), "{}", text(&rated.stdout));
}

#[test]
fn the_check_of_units_finds_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = unit(folder.path(), UNITS[0]);
    let wrong = fs::read_to_string(&path)
        .unwrap()
        .replace("ProtectHome", "ProtektHome");
    fs::write(&path, wrong).unwrap();
    let verified = run(Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&path));
    assert!(text(&verified.stderr).contains("ProtektHome"));
}

/// The two units differ in what is said of an instance, and in nothing else.
#[test]
fn both_units_ask_for_the_same() {
    let lines = |name: &str| -> Vec<String> {
        let text = fs::read_to_string(packaging().join(name)).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    };
    let [one, several] = UNITS.map(lines);
    let same = several.iter().map(|line| {
        line.replace(" (%i)", "")
            .replace("threefold threefold/%i", "threefold")
            .replace("/%i.toml", "/threefold.toml")
    });
    assert_eq!(one, same.collect::<Vec<_>>());
}

#[test]
fn every_command_has_a_man_page_that_can_be_set() {
    let folder = man_pages();
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.path().join("man1")).unwrap() {
        let path = entry.unwrap().path();
        let shown = run(Command::new("man")
            .args(["--warnings", "--local-file"])
            .arg(&path)
            .env("MANWIDTH", "100"));
        assert!(shown.status.success(), "{}", text(&shown.stderr));
        assert_eq!(text(&shown.stderr), "", "{}", path.display());
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    for name in [
        "threefold.1",
        "threefold-serve.1",
        "threefold-config-check.1",
    ] {
        assert!(
            names.iter().any(|it| it == name),
            "{name} is not in {names:?}"
        );
    }
    let serve = fs::read_to_string(folder.path().join("man1/threefold-serve.1")).unwrap();
    for told in ["THREEFOLD_IN_SYNC_TIMEOUT_MS", "TIMEOUTS", "2000"] {
        assert!(serve.contains(told), "{told}");
    }
}

/// What bash offers for the last word of a line.
fn completed(words: &[&str]) -> Vec<String> {
    let script = r#"
        set -euo pipefail
        eval "$("$THREEFOLD" completions bash)"
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        command=$(complete -p threefold | sed 's/.*-F \([^ ]*\) .*/\1/')
        COMPREPLY=()
        "$command" threefold "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let output = run(Command::new("bash")
        .args(["--norc", "-c", script, "bash"])
        .args(words)
        .env("THREEFOLD", binary::path()));
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_values() {
    assert_eq!(completed(&["threefold", "comp"]), ["completions"]);
    let flags = completed(&["threefold", "serve", "--in-"]);
    assert_eq!(flags, ["--in-sync-timeout-ms"]);
    let values = completed(&["threefold", "serve", "--log-format", ""]);
    assert_eq!(values, ["text", "json"]);
    assert_eq!(completed(&["threefold", "config", "ch"]), ["check"]);
}

#[test]
fn other_shells_get_scripts_that_name_the_flags() {
    for shell in ["zsh", "fish"] {
        let output = binary::command()
            .args(["completions", shell])
            .output()
            .unwrap();
        assert!(output.status.success());
        assert!(
            text(&output.stdout).contains("in-sync-timeout-ms"),
            "{shell}"
        );
    }
}

#[test]
fn maintainer_scripts_are_shell() {
    for name in ["postinst", "postrm"] {
        let path = packaging().join("maintainer-scripts").join(name);
        assert!(
            fs::read_to_string(&path)
                .unwrap()
                .contains("\n#DEBHELPER#\n"),
            "{name}"
        );
        let read = run(Command::new("sh").arg("-n").arg(&path));
        assert!(read.status.success(), "{}", text(&read.stderr));
    }
}

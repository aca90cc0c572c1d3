//! Tells cargo to embed the web bundles anew when they have changed.

use std::path::Path;

/// What `rust-embed` puts into a release binary. A debug build reads the folder at run time instead.
const BUNDLE: &str = "../web/graphiql/dist";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let embeds = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    // Cargo takes a path that is not there as always changed: a release build without the bundle must notice it when it
    // comes, and a debug build need not be made again each time.
    if embeds || Path::new(BUNDLE).exists() {
        println!("cargo::rerun-if-changed={BUNDLE}");
    }
}

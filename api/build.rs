//! Lets cargo see a bundle that is built after the binary.

use std::{env, fs};

/// Folders whose files the binary carries.
const BUNDLES: [&str; 2] = ["../web/dist", "../web/graphiql/dist"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // A debug build reads the files when it runs, from folders that it must have known when it was built.
    let embeds = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    for bundle in BUNDLES {
        // A folder that is not there cannot be watched. An empty one is no bundle, either.
        if let Err(error) = fs::create_dir_all(bundle) {
            println!(
                "cargo:warning={bundle} cannot be made ({error}); build again once it is there"
            );
        } else if embeds {
            println!("cargo:rerun-if-changed={bundle}");
        }
    }
}

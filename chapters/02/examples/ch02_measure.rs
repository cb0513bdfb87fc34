//! What does the optimizer buy? Runs `ch02_questions` in both profiles.

use std::process::Command;

fn main() {
    for (name, profile) in [("debug", "dev"), ("release", "release")] {
        let output = Command::new("cargo")
            .args(["run", "--profile", profile, "--example", "ch02_questions"])
            // This package's folder, wherever the command was given; `env!` takes it from cargo while compiling.
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            // It was cargo that started us, so it is there.
            .expect("cargo can be started");
        let time = String::from_utf8_lossy(&output.stdout);
        print!("measured ch02.nearest.{name} {time}");
    }
}

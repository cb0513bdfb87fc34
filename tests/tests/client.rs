//! Do clients that people already use work unchanged? The Python client, in the version that
//! `python/requirements.txt` pins, runs `python/client.py` against the real binary.
//!
//! The client is installed once, into `target/python`. Where there is no Python, or nowhere to install from, the
//! test says so and is skipped; with `CI=true` it fails.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::server::{Server, binary};

#[test]
fn the_python_client_works() {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    let python = match environment(&scripts.join("requirements.txt")) {
        Ok(python) => python,
        Err(reason) if env::var("CI").is_ok_and(|ci| ci == "true") => panic!("{reason}"),
        Err(reason) => return println!("SKIPPED: {reason}"),
    };
    let data = tempfile::tempdir().unwrap();
    // Small enough that the points end up in segments of both kinds.
    let server = Server::start(data.path(), &["--flush-bytes", "200000"]);
    let address = format!("http://{}", server.client.address);
    let status = Command::new(python).arg(scripts.join("client.py")).arg(address).status().unwrap();
    assert!(status.success(), "python/client.py: {status}");
}

/// The interpreter of a virtual environment in which everything that is required is installed.
fn environment(requirements: &Path) -> Result<PathBuf, String> {
    let target = binary().ancestors().nth(2).unwrap();
    let (folder, wanted) = (target.join("python"), fs::read_to_string(requirements).unwrap());
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    // Written last: an installation that was interrupted is begun again.
    let installed = folder.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|have| have == wanted) {
        return Ok(python);
    }
    let run = |what: &str, command: &mut Command| match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{what} fails: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Err(format!("{what} can't be run: {error}")),
    };
    run("python3 -m venv", Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    run("pip install", pip.arg(requirements))?;
    fs::write(&installed, wanted).unwrap();
    Ok(python)
}

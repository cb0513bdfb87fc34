//! How is Kith told what to do? By flags, environment variables and a file, in this order of precedence; then there
//! are defaults.
//!
//! The file is TOML with the flags' names (`api-key = "…"`); a name it does not know is an error, because a
//! misspelt key would otherwise leave a server open that its owner believes closed.

use std::{
    fs,
    net::SocketAddr,
    num::NonZero,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use serde::Deserialize;

use crate::error::{Error, Result};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "kith",
    version,
    about = "A vector database that speaks Qdrant's HTTP interface",
    arg_required_else_help = true,
    subcommand_required = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the collections of a data directory over HTTP
    #[command(long_about = SERVE_ABOUT, after_long_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
    /// Fill a data directory with Rust's standard-library documentation, show a few searches, and serve it
    #[command(long_about = DEMO_ABOUT)]
    Demo(ServeArgs),
}

const DEMO_ABOUT: &str = "\
Fill a data directory with the documentation of Rust's standard library, show a few searches, and serve it.

Some 6,000 items with their payloads go into the collection `rust-std`; their vectors come from the embedder built into
Kith, so that nothing is downloaded. Run again, it opens what is there. The flags are those of `kith serve`.";

const SERVE_ABOUT: &str = "\
Serve the collections of a data directory over HTTP.

Clients written for Qdrant work unchanged; a browser finds the console at the same address. When it listens, it prints
one line, `kith listening on http://ADDRESS`. On Ctrl-C or SIGTERM it stops accepting connections, answers what is in
flight, writes everything to disk and exits with 0.

Every flag can also be given as the environment variable named with it, or in a TOML file under its long name without
the dashes. A flag goes before the environment, the environment before the file.";

const SERVE_EXAMPLES: &str = "\
Examples:
  kith serve                                    data in ./data, port 6333 of this machine
  kith serve --data /var/lib/kith --listen 0.0.0.0:6333 --api-key \"$(cat key)\"
  kith serve --config kith.toml                 with lines such as  listen = \"127.0.0.1:7000\"
  curl http://127.0.0.1:6333/collections        a first question";

/// The flags of `kith serve`; none of them has a default here, so that the file can be asked first.
#[derive(Debug, Default, Args)]
pub struct ServeArgs {
    /// Directory of the data; made if it does not exist [default: ./data]
    #[arg(long, value_name = "DIR", env = "KITH_DATA")]
    data: Option<PathBuf>,

    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:6333]
    #[arg(long, value_name = "ADDRESS", env = "KITH_LISTEN")]
    listen: Option<SocketAddr>,

    /// Key that clients must send, as `api-key` or as `Authorization: Bearer`; without one, everyone may do everything
    #[arg(long, value_name = "KEY", env = "KITH_API_KEY", hide_env_values = true)]
    api_key: Option<String>,

    /// Second key, for reading only
    #[arg(long, value_name = "KEY", env = "KITH_READ_ONLY_API_KEY", hide_env_values = true)]
    read_only_api_key: Option<String>,

    /// Largest request body in MiB [default: 32]
    #[arg(long, value_name = "MIB", env = "KITH_MAX_REQUEST_MB")]
    max_request_mb: Option<NonZero<usize>>,

    /// Seconds a request may take if it does not say itself [default: 60]
    #[arg(long, value_name = "SECONDS", env = "KITH_TIMEOUT")]
    timeout: Option<NonZero<u64>>,

    /// Seconds that requests in flight are given when the server stops [default: 10]
    #[arg(long, value_name = "SECONDS", env = "KITH_SHUTDOWN_GRACE")]
    shutdown_grace: Option<u64>,

    /// Requests that are worked on at the same time [default: one per core]
    #[arg(long, value_name = "COUNT", env = "KITH_WORKERS")]
    workers: Option<NonZero<usize>>,

    /// Memory in bytes that a collection's newest points take before they are sealed [default: 33554432]
    #[arg(long, value_name = "BYTES", env = "KITH_FLUSH_BYTES", hide_short_help = true)]
    flush_bytes: Option<NonZero<usize>>,

    /// What to log, as `info`, `debug` or `kith=debug,warn` [default: info]
    #[arg(long, value_name = "FILTER", env = "KITH_LOG")]
    log: Option<String>,

    /// TOML file with any of these settings
    #[arg(long, value_name = "FILE", env = "KITH_CONFIG")]
    config: Option<PathBuf>,
}

/// The file: the same settings under the same names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ConfigFile {
    data: Option<PathBuf>,
    listen: Option<SocketAddr>,
    api_key: Option<String>,
    read_only_api_key: Option<String>,
    max_request_mb: Option<NonZero<usize>>,
    timeout: Option<NonZero<u64>>,
    shutdown_grace: Option<u64>,
    workers: Option<NonZero<usize>>,
    flush_bytes: Option<NonZero<usize>>,
    log: Option<String>,
}

/// What the server runs with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Directory of the data.
    pub data: PathBuf,
    /// Where it listens.
    pub listen: SocketAddr,
    /// The key for everything.
    pub api_key: Option<String>,
    /// The key for reading.
    pub read_only_api_key: Option<String>,
    /// Largest request body.
    pub max_request_bytes: usize,
    /// How long a request may take that does not say itself.
    pub timeout: Duration,
    /// How long requests in flight are waited for at the end.
    pub shutdown_grace: Duration,
    /// Requests worked on at the same time; one per core if `None`.
    pub workers: Option<NonZero<usize>>,
    /// Memory that a collection's newest points take before they are sealed; the collection's own default if `None`.
    pub flush_bytes: Option<NonZero<usize>>,
    /// What is logged.
    pub log: String,
}

impl ServeArgs {
    /// Joins flags, environment (clap has seen to that), file and defaults.
    pub fn settings(self) -> Result<Settings> {
        let file = self.config.as_deref().map(read_file).transpose()?.unwrap_or_default();
        let megabytes = self.max_request_mb.or(file.max_request_mb).map_or(32, NonZero::get);
        let settings = Settings {
            data: self.data.or(file.data).unwrap_or_else(|| PathBuf::from("./data")),
            listen: self.listen.or(file.listen).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 6333))),
            api_key: self.api_key.or(file.api_key),
            read_only_api_key: self.read_only_api_key.or(file.read_only_api_key),
            max_request_bytes: megabytes.saturating_mul(1 << 20),
            timeout: Duration::from_secs(self.timeout.or(file.timeout).map_or(60, NonZero::get)),
            shutdown_grace: Duration::from_secs(self.shutdown_grace.or(file.shutdown_grace).unwrap_or(10)),
            workers: self.workers.or(file.workers),
            flush_bytes: self.flush_bytes.or(file.flush_bytes),
            log: self.log.or(file.log).unwrap_or_else(|| "info".to_owned()),
        };
        settings.check()
    }
}

impl Settings {
    fn check(self) -> Result<Self> {
        for (name, key) in [("api-key", &self.api_key), ("read-only-api-key", &self.read_only_api_key)] {
            if key.as_deref() == Some("") {
                return Err(Error::bad_request(format!(
                    "the {name} is empty; leave it out for a server without keys"
                )));
            }
        }
        if self.read_only_api_key.is_some() && self.api_key.is_none() {
            return Err(Error::bad_request(
                "a read-only-api-key without an api-key leaves the server open; give both",
            ));
        }
        Ok(self)
    }
}

fn read_file(path: &Path) -> Result<ConfigFile> {
    let text = fs::read_to_string(path).map_err(Error::io("read the configuration", path))?;
    toml::from_str(&text).map_err(|error| Error::bad_request(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(args: ServeArgs, file: &str) -> Result<Settings> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kith.toml");
        fs::write(&path, file).unwrap();
        ServeArgs { config: Some(path), ..args }.settings()
    }

    #[test]
    fn a_flag_goes_before_the_file_and_the_file_before_the_default() {
        let args = ServeArgs { data: Some("flag".into()), ..ServeArgs::default() };
        let settings =
            settings(args, "data = \"file\"\nlisten = \"127.0.0.1:1\"\nmax-request-mb = 1\nflush-bytes = 9")
                .unwrap();
        assert_eq!(settings.data, PathBuf::from("flag"));
        assert_eq!(settings.listen.port(), 1);
        assert_eq!(settings.max_request_bytes, 1 << 20);
        assert_eq!(settings.flush_bytes, NonZero::new(9));
        assert_eq!(settings.timeout, Duration::from_secs(60));
    }

    #[test]
    fn mistakes_in_the_file_are_named() {
        let refused = |file: &str| settings(ServeArgs::default(), file).unwrap_err().to_string();
        assert!(
            refused("api_key = \"x\"").contains("unknown field `api_key`"),
            "{}",
            refused("api_key = \"x\"")
        );
        assert!(refused("listen = \"nowhere\"").contains("socket address"));
        assert!(refused("timeout = 0").contains("nonzero"));
        assert!(refused("data = ").contains("kith.toml"));
        assert!(refused("api-key = \"\"").contains("api-key is empty"));
        assert!(refused("read-only-api-key = \"x\"").contains("give both"));
        let missing = ServeArgs { config: Some("/nonexistent/kith.toml".into()), ..ServeArgs::default() };
        assert!(missing.settings().unwrap_err().to_string().contains("/nonexistent/kith.toml"));
    }

    #[test]
    fn the_command_line_is_sound() {
        <Cli as clap::CommandFactory>::command().debug_assert();
        let cli = Cli::try_parse_from(["kith", "serve", "--listen", "[::1]:0", "--workers", "3"]).unwrap();
        let Command::Serve(args) = cli.command else { panic!("serve was asked for") };
        assert_eq!(args.workers, NonZero::new(3));
        assert!(Cli::try_parse_from(["kith", "serve", "--wait"]).is_err());
    }
}

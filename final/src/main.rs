//! The binary: reads the command line, opens the data, serves until it is told to stop.

use std::{io::IsTerminal, num::NonZero, process::ExitCode, sync::Arc};

use clap::Parser;
use kith::{
    collection::{Database, Options},
    config::{Cli, Command, Settings},
    demo,
    disk::FsStore,
    error::{Error, Result},
    server,
};
use tokio::signal;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(args) => args.settings().and_then(serve),
        Command::Demo(args) => args.settings().and_then(demo),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kith: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(settings: Settings) -> Result<()> {
    start_log(&settings)?;
    let database = open(&settings)?;
    tracing::info!("{} collections in {}", database.names().len(), settings.data.display());
    runtime()?.block_on(server::run(database, settings, |_| {}, stop_signal()))
}

fn demo(settings: Settings) -> Result<()> {
    start_log(&settings)?;
    let database = open(&settings)?;
    let points = demo::load(&database)?;
    println!("{points} items of Rust's standard library in {}", settings.data.display());
    println!("{}", demo::examples(&database)?);
    let greet = |address| println!("{}", demo::invitation(address));
    runtime()?.block_on(server::run(database, settings, greet, stop_signal()))
}

fn start_log(settings: &Settings) -> Result<()> {
    let filter = EnvFilter::try_new(&settings.log)
        .map_err(|error| Error::bad_request(format!("log filter {:?}: {error}", settings.log)))?;
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours).init();
    Ok(())
}

fn open(settings: &Settings) -> Result<Database> {
    let mut options = Options::default();
    options.flush_bytes = settings.flush_bytes.map_or(options.flush_bytes, NonZero::get);
    Database::open(Arc::new(FsStore), &settings.data, options)
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    // One more than there are cores: searches may take up all the others.
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get) + 1;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    runtime.map_err(|error| Error::closed(format!("the server's threads can't be started: {error}")))
}

/// Done when the process is asked to stop.
async fn stop_signal() {
    let ctrl_c = async {
        if let Err(error) = signal::ctrl_c().await {
            tracing::error!("Ctrl-C can't be listened to: {error}");
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(error) => {
                tracing::error!("SIGTERM can't be listened to: {error}");
                std::future::pending::<()>().await;
            }
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = ctrl_c => {}
        () = terminate => {}
    }
}

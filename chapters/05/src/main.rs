use std::process::ExitCode;

use ch05::{config, server};
#[cfg(unix)]
use tokio::signal::unix;
use tokio::{net::TcpListener, signal};

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kith: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(config::listen()?).await?;
    println!("kith listening on http://{}", listener.local_addr()?);
    server::run(listener, stop_signal()).await?;
    println!("stopped");
    Ok(())
}

/// Done when the process is asked to stop: Ctrl-C everywhere, SIGTERM on Unix too.
async fn stop_signal() {
    #[cfg(unix)]
    // This fails only where a program may not listen to signals at all; then there is no way to stop it kindly.
    let mut sigterm = unix::signal(unix::SignalKind::terminate()).expect("a signal to listen to");
    #[cfg(unix)]
    let sigterm = sigterm.recv();
    #[cfg(not(unix))]
    let sigterm = std::future::pending::<()>();
    tokio::select! {
        _ = signal::ctrl_c() => {}
        _ = sigterm => {}
    }
}

//! How is Kith told what to do? So far by one environment variable.

use std::{env, net::SocketAddr};

use crate::error::{Error, Result};

/// The address to listen on: `KITH_LISTEN`, or port 6333 of this machine.
pub fn listen() -> Result<SocketAddr> {
    let text = env::var("KITH_LISTEN").unwrap_or_else(|_| "127.0.0.1:6333".to_string());
    let reason = format!("KITH_LISTEN={text:?} is no address and port, as in 127.0.0.1:6333");
    text.parse().map_err(|_| Error::bad_request(reason))
}

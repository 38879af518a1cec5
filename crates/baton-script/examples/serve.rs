//! Plays a script from a JSON file: `cargo run -p baton-script --example serve -- SCRIPT.json`.
//!
//! Prints the URL on a line of its own, then serves until it is ended.
#![expect(clippy::print_stdout, reason = "the URL is what this program is asked for")]

use std::error::Error;
use std::net::Ipv4Addr;

use baton_script::{Script, serve_forever};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: serve SCRIPT.json")?;
    let script = Script::from_json(&std::fs::read_to_string(path)?)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("http://{}", listener.local_addr()?);
    serve_forever(script, listener).await?;
    Ok(())
}

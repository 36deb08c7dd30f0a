//! The parts that this program plays when it is started by itself: the browser, and a scale for children.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::{Command, ExitCode};
use std::time::Instant;

use url::Url;
use wait4::Wait4;

use crate::Outcome;

pub(crate) const VISIT: &str = "--visit";
pub(crate) const WEIGH: &str = "--weigh";

/// What to do in place of measuring, if these arguments ask for it.
pub(crate) fn mode(args: &[String]) -> Option<Outcome<ExitCode>> {
    match args {
        [mode, url] if mode == VISIT => Some(visit(url).map(|_| ExitCode::SUCCESS)),
        [mode, file, program, args @ ..] if mode == WEIGH => Some(weigh(file, program, args)),
        _ => None,
    }
}

/// Comes back to the client as the browser of somebody who signed in; tells when it set out to.
pub(crate) fn visit(url: &str) -> Outcome<Instant> {
    let url = Url::parse(url)?;
    let param = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned());
    let redirect_uri = Url::parse(&param("redirect_uri").ok_or("no redirect_uri")?)?;
    let (state, nonce) = (param("state").ok_or("no state")?, param("nonce").ok_or("no nonce")?);
    let host = &redirect_uri[url::Position::BeforeHost..url::Position::AfterPort];
    let begun = Instant::now();
    let mut stream = TcpStream::connect(host)?;
    let path = redirect_uri.path();
    write!(stream, "GET {path}?code={nonce}&state={state} HTTP/1.1\r\nHost: {host}\r\n\r\n")?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(begun)
}

/// Runs a program and writes its peak memory into a file.
///
/// Linux counts into a child's peak what its parent had when it was made (the child begins as a copy of it),
/// so the parent is this fresh, small process instead of the one that measures.
fn weigh(file: &str, program: &str, args: &[String]) -> Outcome<ExitCode> {
    let used = Command::new(program).args(args).spawn()?.wait4()?;
    fs::write(file, used.rusage.maxrss.to_string())?;
    let code = used.status.code().ok_or_else(|| io::Error::other("it was killed"))?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)))
}

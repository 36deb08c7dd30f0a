//! Support that the tests of the workspace share.
//!
//! | module | has |
//! |---|---|
//! | [`library`] | a sandbox for a program that uses the library: state directory, clock, browser, keychain, log |
//! | [`command`] | a sandbox for the real `hallpass`: home directory, browser, terminal, signals |
//! | [`scripted_server`] | an HTTP server whose responses are data |
//! | [`provider`] | Clerk and Paylent on a scripted server |
//! | [`keychain`] | GNOME Keyring on its own bus, and a Secret Service that misbehaves on demand |
//! | [`certificate_authority`], [`tls_terminator`], [`connect_proxy`] | TLS and proxies in front of a server |
//! | [`jose`] | keys and signatures for ID tokens |
//! | [`canary`] | the search for leaked secrets |
#![allow(missing_docs, reason = "not published; a comment stands where a name does not say it")]
#![allow(clippy::new_without_default, reason = "tests build each of these explicitly")]

pub mod canary;
pub mod certificate_authority;
#[cfg(unix)]
pub mod command;
pub mod connect_proxy;
pub mod files;
pub mod jose;
#[cfg(all(unix, not(target_vendor = "apple")))]
pub mod keychain;
pub mod library;
pub mod ports;
pub mod provider;
pub mod scripted_server;
pub mod tls_terminator;

use std::io::Write;

/// Reports that a test was skipped. Writes to stderr itself, because the test harness captures `eprintln!`.
pub fn skipped(why: &str) {
    // If stderr is closed, there is no other place to report to.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

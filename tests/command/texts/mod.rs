//! Every text a user can read, as snapshots: one file per command, to be reviewed as a whole when a text changes.
//!
//! A snapshot shows the command line, what was printed, and the exit code. What differs from run to run is replaced.

mod doctor;
mod errors;
mod help;
mod login;
mod logout;
mod pages;
mod profiles;
mod server;
mod status;
mod terminal;
mod token;
mod transcript;
mod usage;
mod whoami;

use transcript::Transcript;

//! The library in programs that run on tokio, of either flavour: what is answered on the spot, what a dropped future
//! ends and what it does not, and that nothing holds up the end of a runtime or of the process.

mod runtimes;

mod login;
mod shutdown;
mod token;

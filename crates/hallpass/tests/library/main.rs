//! The library from the outside: its requests, files, pages and results, at the development server and at scripted servers
//! that keep to, or break, the contracts of real ones.

mod diagnosis;
#[cfg(target_os = "linux")]
mod memory;
mod misbehaving_server;
mod model;
mod no_leak;

mod back_off;
mod bounds;
mod cancelled;
mod checks;
mod clocks;
mod conformance;
mod grants;
mod hostile_callback;
mod issuers;
mod login_browser;
mod logout;
mod long_lived;
mod lost_answer;
mod moving;
mod presets;
mod proxies;
mod redirects;
mod refresh;
mod sealed;
mod storage_policy;
mod token_source;
mod turns;
mod unreliable_network;
mod whoami;

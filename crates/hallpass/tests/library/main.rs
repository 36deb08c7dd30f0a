//! The library from the outside: what it sends, stores, shows and answers, against the development server
//! and against scripted servers that keep to, or break, the contracts of real ones.

#[path = "../http_client/authority.rs"]
#[allow(dead_code, reason = "the tests of the client use all of it")]
mod authority;
mod bench;
#[path = "../../../../tests/command/canary.rs"]
mod canary;
mod desk;
mod diagnosis;
mod diary;
mod jose;
mod keychains;
#[cfg(target_os = "linux")]
mod memory;
mod misbehaving_server;
mod model;
mod no_leak;
mod provider;
#[path = "../http_client/proxy.rs"]
mod proxy;
mod scripted;
#[path = "../http_client/tls_front.rs"]
mod tls_front;
mod wire;

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
mod whoami;

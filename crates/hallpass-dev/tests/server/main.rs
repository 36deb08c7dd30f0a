//! Tests over HTTP, in which the robot plays the user.

mod authorization;
mod code_flow;
mod device;
mod device_pages;
mod forms;
mod headers;
mod id_token;
mod introspection;
mod journal;
mod lifecycle;
mod metadata;
mod refresh;
mod revocation;
mod robot;
mod support;
mod token;
mod userinfo;

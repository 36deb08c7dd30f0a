//! The outside world, one small trait each.

pub mod http;

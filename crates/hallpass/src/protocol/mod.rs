//! The rules: values in, request or verdict out. No input or output, no clock, no randomness.

pub mod id_token;
pub mod jwk;

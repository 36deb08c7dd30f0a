//! A development authorization server.

//! A login that knows its server.

use std::sync::Arc;

use crate::error::Result;
use crate::flow::Context;
use crate::flow::endpoint::client_auth_for;
use crate::protocol::client::ClientAuth;
use crate::protocol::metadata::{Endpoint, ServerMetadata};
use crate::settings::Client;

/// The client, its server, and the scopes to request.
pub(super) struct Attempt {
    pub(super) context: Arc<Context>,
    pub(super) client: Client,
    pub(super) metadata: ServerMetadata,
    pub(super) scopes: Vec<String>,
}

impl Attempt {
    /// # Errors
    /// If the server has no token endpoint.
    pub(super) fn new(context: &Arc<Context>, client: Client, metadata: ServerMetadata) -> Result<Attempt> {
        metadata.endpoints.need(Endpoint::Token)?;
        let scopes = scopes(context, &metadata);
        Ok(Attempt { context: context.clone(), client, metadata, scopes })
    }

    /// Returns how the client authenticates.
    pub(super) fn client_auth(&self) -> ClientAuth<'_> {
        client_auth_for(&self.client, &self.metadata)
    }

    /// Returns the requested resource, as a list (RFC 8707).
    pub(super) fn resources(&self) -> Vec<String> {
        self.context.config.resource.iter().cloned().collect()
    }

    pub(super) fn requests_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|requested| requested == scope)
    }
}

/// The caller's scopes unchanged; the default ones without those the server lacks.
fn scopes(context: &Context, metadata: &ServerMetadata) -> Vec<String> {
    let mut scopes = context.config.scopes.clone();
    if context.config.scopes_are_ours {
        scopes.retain(|scope| metadata.supports_scope(scope));
    }
    scopes
}

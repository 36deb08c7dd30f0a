//! Which server and client a call is about.

use crate::args::Asked;
use crate::settings::file::variable;

/// The server and client that this call was given, by option or variable; either may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) issuer: Option<String>,
    pub(crate) client_id: Option<String>,
}

impl Target {
    pub(crate) fn of(asked: &Asked) -> Target {
        Target {
            issuer: asked.issuer.clone().or_else(|| variable("HALLPASS_ISSUER")),
            client_id: asked.client_id.clone().or_else(|| variable("HALLPASS_CLIENT_ID")),
        }
    }

    /// Whether issuer and client fit what was given; what was not given fits all.
    pub(crate) fn fits(&self, issuer: Option<&str>, client_id: Option<&str>) -> bool {
        let bare = |issuer: &str| issuer.strip_suffix('/').unwrap_or(issuer).to_owned();
        let is_same_issuer =
            self.issuer.as_deref().zip(issuer).is_none_or(|(given, stored)| bare(given) == bare(stored));
        is_same_issuer
            && self.client_id.as_deref().zip(client_id).is_none_or(|(given, stored)| given == stored)
    }
}

//! The server and client that a call asks for, or that a profile belongs to.

use hallpass::Status;

use crate::args::ServerArgs;
use crate::settings::variable;

/// An issuer and a client ID, either of which may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) issuer: Option<String>,
    pub(crate) client_id: Option<String>,
}

impl Target {
    /// Takes the options, else the variables.
    pub(crate) fn from_args(args: &ServerArgs) -> Target {
        Target {
            issuer: args.issuer.clone().or_else(|| variable("HALLPASS_ISSUER")),
            client_id: args.client_id.clone().or_else(|| variable("HALLPASS_CLIENT_ID")),
        }
    }

    /// Takes those of the stored record.
    pub(crate) fn from_status(status: Status) -> Target {
        Target { issuer: status.issuer, client_id: status.client_id }
    }

    /// Whether both agree where both are known. A trailing slash of the issuer does not matter.
    pub(crate) fn fits(&self, other: &Target) -> bool {
        fn agree(one: Option<&str>, other: Option<&str>) -> bool {
            match (one, other) {
                (Some(one), Some(other)) => one == other,
                _ => true,
            }
        }
        agree(self.bare_issuer(), other.bare_issuer())
            && agree(self.client_id.as_deref(), other.client_id.as_deref())
    }

    fn bare_issuer(&self) -> Option<&str> {
        let issuer = self.issuer.as_deref()?;
        Some(issuer.strip_suffix('/').unwrap_or(issuer))
    }
}

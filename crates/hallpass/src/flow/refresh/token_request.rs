//! The requirements on an access token.

use std::time::Duration;

use crate::error::Result;
use crate::secret::Secret;
use crate::settings::check_resource;

/// The requirements on an access token, for [`Hallpass::access_token_for`](crate::Hallpass::access_token_for) and
/// [`Hallpass::token_source_for`](crate::Hallpass::token_source_for).
///
/// By default, a token that expires within 30 seconds (or half of its lifetime, if that is less) is refreshed; if that
/// fails while the token is still valid, it is returned anyway. A token that violates a requirement set here is never
/// returned: the call fails instead.
///
/// ```
/// use std::time::Duration;
///
/// use hallpass::TokenRequest;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = hallpass_dev::DevServer::start()?;
/// # let pass = hallpass::Hallpass::builder("mytool", server.issuer(), "demo")
/// #     .browser(server.robot().opener()).storage(hallpass::Storage::Memory).build()?;
/// # pass.login(&mut hallpass::Terminal::new(Box::new(std::io::sink()), false))?;
/// // for a job of ten minutes that cannot refresh tokens itself
/// let request = TokenRequest::default().min_ttl(Duration::from_secs(600));
/// let token = pass.access_token_for(&request)?;
/// # assert!(token.expires_at().unwrap() > std::time::SystemTime::now() + Duration::from_secs(600));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct TokenRequest {
    pub(super) min_ttl: Option<Duration>,
    pub(super) refreshed: bool,
    pub(super) resource: Option<String>,
    /// A token that a server rejected: any other will do.
    pub(super) instead_of: Option<Secret>,
}

impl TokenRequest {
    /// Requires that the token is valid for at least this much longer.
    pub fn min_ttl(mut self, min_ttl: Duration) -> TokenRequest {
        self.min_ttl = Some(min_ttl);
        self
    }

    /// Requires a token that was refreshed after the call started, by this process or by another.
    pub fn refreshed(mut self) -> TokenRequest {
        self.refreshed = true;
        self
    }

    /// Requires a token for this API, the `resource` of RFC 8707 §2.2. Each API gets a token of its own, which is
    /// stored beside the others. Defaults to the resource of the login.
    pub fn resource(mut self, resource: &str) -> TokenRequest {
        self.resource = Some(resource.to_owned());
        self
    }

    /// Requires another token than this one.
    pub(crate) fn instead_of(mut self, rejected: &Secret) -> TokenRequest {
        self.instead_of = Some(rejected.clone());
        self
    }

    /// Checks that the resource is a valid one.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(resource) = &self.resource {
            check_resource(resource.clone())?;
        }
        Ok(())
    }
}

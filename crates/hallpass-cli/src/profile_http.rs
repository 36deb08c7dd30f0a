//! Requests of a stored session: a cached token must not cost the reading of settings, so the authority that
//! the profile trusts is looked up when something is sent.

use std::sync::OnceLock;

use hallpass::error::{NetworkError, NetworkErrorKind};
use hallpass::world::http::proxy::Proxies;
use hallpass::world::http::{Client, ClientSettings, Http, HttpRequest, HttpResponse};

use crate::failure::Failure;
use crate::profiles::ConfigDir;
use crate::report;
use crate::sources::variable;

/// An HTTP client that reads a profile's settings before its first request.
pub(crate) struct ProfileHttp {
    config_dir: ConfigDir,
    profile: String,
    client: OnceLock<Client>,
}

impl ProfileHttp {
    pub(crate) fn new(config_dir: ConfigDir, profile: &str) -> ProfileHttp {
        ProfileHttp { config_dir, profile: profile.to_owned(), client: OnceLock::new() }
    }

    fn client(&self) -> Result<&Client, Failure> {
        if self.client.get().is_none() {
            let own = self.config_dir.settings(&self.profile)?;
            let config = self.config_dir.config()?;
            let settings = ClientSettings {
                user_agent: format!("hallpass/{}", env!("CARGO_PKG_VERSION")),
                proxies: Proxies::from_lookup(variable),
                extra_ca: own.ca_cert.or(config.ca_cert),
            };
            let _ = self.client.set(Client::new(settings));
        }
        Ok(self.client.get_or_init(|| Client::new(ClientSettings::default())))
    }
}

impl Http for ProfileHttp {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, NetworkError> {
        let unusable = |failure: Failure| {
            let host = request.url.host_str().unwrap_or_default();
            NetworkError::new(NetworkErrorKind::Unreachable, host, &report::describe(&failure).message)
        };
        self.client().map_err(unusable)?.send(request)
    }
}

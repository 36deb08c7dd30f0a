//! Requests of a stored session: a cached token must not cost the reading of settings, so the authority that
//! the profile trusts is looked up when something is sent.

use std::path::PathBuf;
use std::sync::OnceLock;

use hallpass::error::NetworkError;
use hallpass::world::http::proxy::Proxies;
use hallpass::world::http::{Client, ClientSettings, Http, HttpRequest, HttpResponse};

use crate::failure::Failure;
use crate::output::say;
use crate::settings::file::variable;
use crate::settings::profiles::ConfigDir;
use crate::system::signals;

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

    /// A mistake in a settings file must neither look like a dead network nor keep a session from being renewed
    /// or revoked: it is told, and the file does not count.
    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            let settings = ClientSettings {
                user_agent: format!("hallpass/{}", env!("CARGO_PKG_VERSION")),
                proxies: Proxies::from_lookup(variable),
                extra_ca: self.ca_cert(),
            };
            Client::new(settings)
        })
    }

    fn ca_cert(&self) -> Option<PathBuf> {
        let told = |failure: Failure| say::note(&failure.to_string());
        let own = self.config_dir.settings(&self.profile).map_err(told).unwrap_or_default();
        own.ca_cert.or_else(|| self.config_dir.config().map_err(told).unwrap_or_default().ca_cert)
    }
}

impl Http for ProfileHttp {
    /// What is posted may spend a token, so a signal has to wait for what becomes of it. Where signals cannot be watched,
    /// they end the command as they end any other.
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, NetworkError> {
        if request.form.is_some() {
            let _ = signals::at_first(signals::end_when_saved);
        }
        self.client().send(request)
    }
}

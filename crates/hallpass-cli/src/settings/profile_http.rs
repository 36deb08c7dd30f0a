//! The HTTP client of stored credentials. A cached token must not cost the time to read settings files, so these are
//! read before the first request.

use std::path::PathBuf;
use std::sync::OnceLock;

use hallpass::error::NetworkError;
use hallpass::world::http::proxy::Proxies;
use hallpass::world::http::{Client, ClientSettings, Http, HttpRequest, HttpResponse};

use crate::failure::Failure;
use crate::output::say;
use crate::settings::file::SettingsFile;
use crate::settings::profiles::ConfigDir;
use crate::settings::variable;
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

    fn client(&self) -> &Client {
        self.client.get_or_init(|| {
            Client::new(ClientSettings {
                user_agent: format!("hallpass/{}", env!("CARGO_PKG_VERSION")),
                proxies: Proxies::from_lookup(variable),
                extra_ca: self.ca_cert(),
            })
        })
    }

    /// Returns the profile's CA file. A mistake in a settings file becomes a note: it must not keep tokens from being
    /// refreshed or revoked.
    fn ca_cert(&self) -> Option<PathBuf> {
        let or_note = |file: Result<SettingsFile, Failure>| {
            file.unwrap_or_else(|failure| {
                say::note(&failure.to_string());
                SettingsFile::default()
            })
        };
        let own = or_note(self.config_dir.settings(&self.profile));
        own.ca_cert.or_else(|| or_note(self.config_dir.config()).ca_cert)
    }
}

impl Http for ProfileHttp {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, NetworkError> {
        if request.form.is_some() {
            // A POST may spend a token, so a signal has to wait for the response. If signals cannot be watched, they
            // end the command as usual.
            let _ = signals::on_first(signals::exit_when_saved);
        }
        self.client().send(request)
    }
}

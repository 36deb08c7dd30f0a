//! Settings: parsed once, valid afterwards.

pub(crate) mod name;
pub(crate) mod provider;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::error::{Misuse, Result};
use crate::loopback::Binding;
use crate::protocol::client::AuthMethod;
use crate::protocol::issuer::Issuer;
use crate::protocol::metadata::{Endpoint, Endpoints};
use crate::protocol::redirect_uri::{ForwardedUri, RedirectUri};
use crate::secret::Secret;
use provider::Preset;
pub use provider::Provider;

/// The storage for credentials. Defaults to [`Storage::Auto`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Storage {
    /// A file encrypted with a key from the keychain, or a plain file if there is no usable keychain. The login says which
    /// before the browser opens.
    #[default]
    Auto,
    /// A file encrypted with a key from the operating system's keychain; no login without one.
    Keychain,
    /// A plain file, of mode 0600 in a directory of mode 0700.
    File,
    /// Memory alone: for tests, and for programs that sign in at every start.
    Memory,
}

/// The use of the device authorization grant (RFC 8628), a code to enter on another device. Defaults to
/// [`DeviceGrant::Offered`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum DeviceGrant {
    /// In addition to the browser, if the user's browser is probably on another machine and the server supports it.
    #[default]
    Offered,
    /// Instead of the browser.
    Only,
    /// Never: a user who enters a stranger's code signs the stranger in.
    Off,
}

/// The scopes requested by default, unless the server lists its scopes without them.
pub(crate) const DEFAULT_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// Parameters of the authorization request that Hallpass sets itself or that would change its meaning.
const RESERVED_PARAMETERS: [&str; 14] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "nonce",
    "scope",
    "code_challenge",
    "code_challenge_method",
    "resource",
    "prompt",
    "request",
    "request_uri",
    "response_mode",
    "client_secret",
];

/// The settings as the builder received them.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) service: String,
    pub(crate) profile: String,
    pub(crate) client: Option<(String, String)>,
    pub(crate) provider: Option<Provider>,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) resource: Option<String>,
    pub(crate) prompt: Option<String>,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) endpoints: Vec<(String, String)>,
    pub(crate) storage: Storage,
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) takes_turns: bool,
    pub(crate) device_grant: DeviceGrant,
    pub(crate) account: Option<String>,
    pub(crate) login_timeout: Duration,
    pub(crate) request_timeout: Duration,
}

/// Valid settings.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) service: String,
    pub(crate) profile: String,
    /// `None` for a pass that works from a stored record alone.
    pub(crate) client: Option<Client>,
    pub(crate) scopes: Vec<String>,
    /// Whether the scopes are the default ones, which the server's list may shorten; chosen ones are kept.
    pub(crate) scopes_are_ours: bool,
    pub(crate) binding: Binding,
    pub(crate) resource: Option<String>,
    pub(crate) prompt: Option<String>,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) storage: Storage,
    /// Whether a login waits while another process signs in to the same profile.
    pub(crate) takes_turns: bool,
    pub(crate) device_grant: DeviceGrant,
    /// The account required to sign in.
    pub(crate) account: Option<String>,
    pub(crate) login_timeout: Duration,
    pub(crate) request_timeout: Duration,
}

/// A client registered at a server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) issuer: Issuer,
    pub(crate) client_id: String,
    pub(crate) secret: Option<Secret>,
    /// Endpoints set by hand; they override the metadata.
    pub(crate) endpoints: Endpoints,
    /// The issuer in the metadata, if one document serves all tenants.
    pub(crate) metadata_issuer: Option<String>,
    /// The server's names for claims, by their standard names.
    pub(crate) claim_names: BTreeMap<String, String>,
}

impl Client {
    /// Whether a record with this issuer belongs to this client's server.
    pub(crate) fn is_issuer(&self, issuer: &str) -> bool {
        let is_of_all_tenants = self.metadata_issuer.as_deref() == Some(issuer);
        self.issuer.as_str() == issuer || self.issuer.differs_by_slash(issuer) || is_of_all_tenants
    }

    /// Returns how the client authenticates, given the methods the server supports.
    pub(crate) fn auth_method(&self, supported: Option<&[String]>) -> AuthMethod {
        let has = |name: &str| supported.is_some_and(|methods| methods.iter().any(|method| method == name));
        match self.secret {
            None => AuthMethod::None,
            Some(_) if has("client_secret_post") && !has("client_secret_basic") => {
                AuthMethod::ClientSecretPost
            }
            Some(_) => AuthMethod::ClientSecretBasic,
        }
    }
}

impl Draft {
    pub(crate) fn new(service: &str) -> Draft {
        Draft {
            service: service.to_owned(),
            profile: "default".to_owned(),
            client: None,
            provider: None,
            client_secret: None,
            scopes: None,
            redirect_uris: Vec::new(),
            listen: None,
            resource: None,
            prompt: None,
            params: Vec::new(),
            endpoints: Vec::new(),
            storage: Storage::Auto,
            state_dir: None,
            takes_turns: true,
            device_grant: DeviceGrant::default(),
            account: None,
            login_timeout: Duration::from_secs(5 * 60),
            request_timeout: Duration::from_secs(30),
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// Names the first one that can't work.
    pub(crate) fn check(mut self) -> Result<Config> {
        name::check("service", &self.service)?;
        name::check("profile", &self.profile)?;
        let preset = self.provider.map(Provider::preset).unwrap_or_default();
        self.fill_from(&preset);
        let client = self.check_client(preset)?;
        Ok(Config {
            scopes_are_ours: self.scopes.is_none(),
            scopes: check_scopes(self.scopes.as_deref())?,
            binding: check_binding(&self.redirect_uris, self.listen)?,
            resource: self.resource.map(check_resource).transpose()?,
            params: check_params(self.params)?,
            client,
            service: self.service,
            profile: self.profile,
            prompt: self.prompt,
            storage: self.storage,
            takes_turns: self.takes_turns,
            device_grant: self.device_grant,
            account: self.account.filter(|account| !account.trim().is_empty()),
            login_timeout: self.login_timeout,
            request_timeout: self.request_timeout,
        })
    }

    /// Fills in the preset where the program set nothing.
    fn fill_from(&mut self, preset: &Preset) {
        if self.scopes.is_none() && !preset.scopes.is_empty() {
            self.scopes = Some(preset.scopes.clone());
        }
        if self.redirect_uris.is_empty() && self.listen.is_none() {
            self.redirect_uris.clone_from(&preset.redirect_uris);
        }
        self.prompt = self.prompt.take().or_else(|| preset.prompt.clone());
        let missing = |set: &[(String, String)], name: &str| !set.iter().any(|(known, _)| known == name);
        for (own, all) in [(&mut self.params, &preset.params), (&mut self.endpoints, &preset.endpoints)] {
            let more: Vec<_> = all.iter().filter(|(name, _)| missing(own, name)).collect();
            own.extend(more.into_iter().map(|(name, value)| (name.clone(), value.clone())));
        }
    }

    fn check_client(&self, preset: Preset) -> Result<Option<Client>> {
        let Some((issuer, client_id)) = &self.client else { return Ok(None) };
        let issuer = Issuer::parse(issuer)?;
        if client_id.trim().is_empty() {
            return Err(Misuse::setting(
                "client_id",
                "must not be empty; register a client at the server and pass its ID",
            )
            .into());
        }
        let mut endpoints = Endpoints::default();
        for (name, url) in &self.endpoints {
            let endpoint = Endpoint::parse(name)?;
            let url = Url::parse(url).map_err(|_| {
                Misuse::setting(
                    "endpoint",
                    format!("{name}: \"{}\" is not a URL", crate::sanitize::text(url)),
                )
            })?;
            endpoints
                .set(endpoint, url, &issuer)
                .map_err(|error| Misuse::setting("endpoint", error.to_string()))?;
        }
        Ok(Some(Client {
            issuer,
            client_id: client_id.clone(),
            secret: self.client_secret.clone(),
            endpoints,
            metadata_issuer: preset.metadata_issuer,
            claim_names: preset.claims,
        }))
    }
}

/// Splits scopes into tokens (RFC 6749 §3.3), each once.
fn check_scopes(scopes: Option<&[String]>) -> Result<Vec<String>> {
    let Some(scopes) = scopes else { return Ok(DEFAULT_SCOPES.map(str::to_owned).to_vec()) };
    let mut checked: Vec<String> = Vec::new();
    for scope in scopes.iter().flat_map(|scope| scope.split_ascii_whitespace()) {
        if !scope.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)) {
            return Err(Misuse::setting(
                "scope",
                format!("\"{}\" contains a character not allowed in a scope", crate::sanitize::text(scope)),
            )
            .into());
        }
        if !checked.iter().any(|known| known == scope) {
            checked.push(scope.to_owned());
        }
    }
    Ok(checked)
}

fn check_binding(uris: &[String], listen: Option<SocketAddr>) -> Result<Binding> {
    match (uris, listen) {
        ([], None) => Ok(Binding::Default),
        (uris, None) => {
            let uris = uris.iter().map(|uri| RedirectUri::parse(uri));
            Ok(Binding::FirstFree(uris.collect::<Result<_, _>>()?))
        }
        ([uri], Some(listen)) => Ok(Binding::Forwarded { redirect_uri: ForwardedUri::parse(uri)?, listen }),
        _ => Err(Misuse::setting(
            "listen",
            "requires exactly one redirect URI (the URI the browser is sent back to)",
        )
        .into()),
    }
}

/// Checks that a resource is an absolute URI without a fragment (RFC 8707 §2).
pub(crate) fn check_resource(resource: String) -> Result<String> {
    match Url::parse(&resource) {
        Ok(url) if url.fragment().is_none() => Ok(resource),
        _ => Err(Misuse::setting(
            "resource",
            "must be an absolute URI without a fragment (example: https://api.example.com)",
        )
        .into()),
    }
}

fn check_params(params: Vec<(String, String)>) -> Result<Vec<(String, String)>> {
    for (index, (name, value)) in params.iter().enumerate() {
        let problem =
            |what: &str| Misuse::setting("param", format!("\"{}\" {what}", crate::sanitize::text(name)));
        if RESERVED_PARAMETERS.contains(&name.as_str()) {
            return Err(problem("is set by Hallpass or would change the meaning of the request").into());
        }
        if name.is_empty() || params[..index].iter().any(|(earlier, _)| earlier == name) {
            return Err(problem("is empty or given twice").into());
        }
        if name == "max_age" && value.parse::<u64>().is_err() {
            return Err(problem("must be a whole number of seconds").into());
        }
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    fn draft(change: impl FnOnce(&mut Draft)) -> Result<Config> {
        let mut draft = Draft::new("mytool");
        draft.client = Some(("https://a.example".to_owned(), "cli".to_owned()));
        change(&mut draft);
        draft.check()
    }

    fn setting(result: Result<Config>) -> &'static str {
        match result.unwrap_err() {
            Error::Misuse(Misuse::Setting { setting, .. }) => setting,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_defaults_are_as_documented() {
        let config = draft(|_| {}).unwrap();
        assert_eq!(config.scopes.join(" "), "openid profile email offline_access");
        assert_eq!(config.binding, Binding::Default);
        assert_eq!(config.login_timeout, Duration::from_secs(300));
    }

    #[test]
    fn each_invalid_setting_is_named() {
        assert_eq!(setting(draft(|d| d.service = "My Tool".to_owned())), "service");
        assert_eq!(setting(draft(|d| d.profile = "../x".to_owned())), "profile");
        assert_eq!(setting(draft(|d| d.client = Some(("nope".to_owned(), "c".to_owned())))), "issuer");
        assert_eq!(
            setting(draft(|d| d.client = Some(("https://a.example".to_owned(), " ".to_owned())))),
            "client_id"
        );
        assert_eq!(setting(draft(|d| d.scopes = Some(vec!["a\"b".to_owned()]))), "scope");
        assert_eq!(setting(draft(|d| d.redirect_uris = vec!["https://x".to_owned()])), "redirect_uri");
        assert_eq!(setting(draft(|d| d.listen = "0.0.0.0:9999".parse().ok())), "listen");
        assert_eq!(setting(draft(|d| d.resource = Some("https://a/#x".to_owned()))), "resource");
        assert_eq!(
            setting(draft(|d| d.endpoints = vec![("token".to_owned(), "http://a.example".to_owned())])),
            "endpoint"
        );
    }

    #[test]
    fn parameters_that_would_change_the_request_are_rejected() {
        for name in ["state", "request_uri", "response_mode", "client_secret", "code_challenge", ""] {
            assert_eq!(setting(draft(|d| d.params = vec![(name.to_owned(), "x".to_owned())])), "param");
        }
        assert!(draft(|d| d.params = vec![("audience".to_owned(), "x".to_owned())]).is_ok());
    }

    #[test]
    fn n61_a_max_age_that_is_not_a_number_is_rejected() {
        let max_age = |value: &str| draft(|d| d.params = vec![("max_age".to_owned(), value.to_owned())]);
        assert!(max_age("0").is_ok() && max_age("86400").is_ok());
        for value in ["", "soon", "-1", "1.5", "1h"] {
            assert_eq!(setting(max_age(value)), "param", "{value}");
        }
    }

    #[test]
    fn scopes_may_be_one_string_and_count_once() {
        let config = draft(|d| d.scopes = Some(vec!["openid email".to_owned(), "email".to_owned()])).unwrap();
        assert_eq!(config.scopes, ["openid", "email"]);
    }
}

//! Presets for well-known servers, as data: no code elsewhere knows any of them by name.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::Misuse;

/// A preset for a well-known server. Settings of the program override it.
///
/// ```
/// # fn main() -> hallpass::Result<()> {
/// use hallpass::{Hallpass, Provider};
/// let google = Provider::Google;
/// let pass = Hallpass::builder("mytool", &google.issuer_example(), "CLIENT_ID")
///     .provider(google)
///     .build()?;
/// # let _ = pass;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Provider {
    /// Clerk.
    Clerk,
    /// Paylent.
    Paylent,
    /// Google.
    Google,
    /// GitHub: without OpenID Connect, with tokens that don't expire.
    GitHub,
    /// GitLab.
    GitLab,
    /// Microsoft Entra ID.
    Entra,
    /// Auth0.
    Auth0,
    /// Okta.
    Okta,
    /// Keycloak.
    Keycloak,
}

/// The settings of a preset.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Preset {
    pub(crate) title: String,
    pub(crate) issuer: Option<String>,
    pub(crate) issuer_example: Option<String>,
    /// The issuer in the metadata of all tenants, with a placeholder that each ID token fills in.
    pub(crate) metadata_issuer: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) prompt: Option<String>,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) endpoints: BTreeMap<String, String>,
    /// The server's names for claims, by their standard names.
    pub(crate) claims: BTreeMap<String, String>,
}

impl Provider {
    /// All presets.
    pub const ALL: [Provider; 9] = [
        Provider::Clerk,
        Provider::Paylent,
        Provider::Google,
        Provider::GitHub,
        Provider::GitLab,
        Provider::Entra,
        Provider::Auth0,
        Provider::Okta,
        Provider::Keycloak,
    ];

    /// Returns the name used in settings.
    pub fn name(self) -> &'static str {
        match self {
            Provider::Clerk => "clerk",
            Provider::Paylent => "paylent",
            Provider::Google => "google",
            Provider::GitHub => "github",
            Provider::GitLab => "gitlab",
            Provider::Entra => "entra",
            Provider::Auth0 => "auth0",
            Provider::Okta => "okta",
            Provider::Keycloak => "keycloak",
        }
    }

    /// Parses a name.
    ///
    /// # Errors
    /// [`Misuse::Setting`] lists the valid names.
    pub fn parse(name: &str) -> Result<Provider, Misuse> {
        match Provider::ALL.into_iter().find(|provider| provider.name() == name) {
            Some(provider) => Ok(provider),
            None => Err(Misuse::setting(
                "provider",
                format!(
                    "\"{}\" is not a known provider (expected one of: {})",
                    crate::sanitize::text(name),
                    Provider::ALL.map(Provider::name).join(", ")
                ),
            )),
        }
    }

    /// Returns the issuer, if it is the same for everyone.
    pub fn issuer(self) -> Option<String> {
        self.preset().issuer
    }

    /// Returns an example of an issuer of this provider.
    pub fn issuer_example(self) -> String {
        let preset = self.preset();
        preset.issuer.or(preset.issuer_example).unwrap_or_default()
    }

    pub(crate) fn preset(self) -> Preset {
        serde_json::from_str(self.data()).expect("a test reads every preset")
    }

    fn data(self) -> &'static str {
        match self {
            Provider::Clerk => include_str!("providers/clerk.json"),
            Provider::Paylent => include_str!("providers/paylent.json"),
            Provider::Google => include_str!("providers/google.json"),
            Provider::GitHub => include_str!("providers/github.json"),
            Provider::GitLab => include_str!("providers/gitlab.json"),
            Provider::Entra => include_str!("providers/entra.json"),
            Provider::Auth0 => include_str!("providers/auth0.json"),
            Provider::Okta => include_str!("providers/okta.json"),
            Provider::Keycloak => include_str!("providers/keycloak.json"),
        }
    }
}

impl std::fmt::Display for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.preset().title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Draft;

    #[test]
    fn every_preset_is_readable_and_valid() {
        for provider in Provider::ALL {
            assert_eq!(Provider::parse(provider.name()), Ok(provider));
            let preset = provider.preset();
            assert!(!preset.title.is_empty());
            assert!(preset.issuer.is_some() != preset.issuer_example.is_some(), "{provider:?}");
            let mut draft = Draft::new("mytool");
            draft.client = Some((provider.issuer_example(), "client".to_owned()));
            draft.provider = Some(provider);
            draft.check().unwrap_or_else(|error| panic!("{provider:?}: {error}"));
        }
    }
}

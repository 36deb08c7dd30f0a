//! What the server says about itself (OpenID Discovery 1.0, RFC 8414), and its endpoints.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use url::Url;

use super::issuer::{Issuer, escaped, is_loopback};
use super::json;
use crate::error::{Misuse, ServerIncompatible, ServerMisbehaved};

/// An endpoint that Hallpass uses, by its standard name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Endpoint {
    /// Where the browser goes (RFC 6749 §3.1).
    Authorization,
    /// Where codes and refresh tokens are exchanged (RFC 6749 §3.2).
    Token,
    /// Who the token speaks for (OpenID Connect Core §5.3).
    Userinfo,
    /// The server's public keys (RFC 7517).
    Jwks,
    /// Where tokens are given back (RFC 7009).
    Revocation,
    /// Where a device code is asked for (RFC 8628 §3.1).
    DeviceAuthorization,
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Endpoint; 6] = [
        Endpoint::Authorization,
        Endpoint::Token,
        Endpoint::Userinfo,
        Endpoint::Jwks,
        Endpoint::Revocation,
        Endpoint::DeviceAuthorization,
    ];

    /// The metadata member (RFC 8414 §2).
    pub fn member(self) -> &'static str {
        match self {
            Endpoint::Authorization => "authorization_endpoint",
            Endpoint::Token => "token_endpoint",
            Endpoint::Userinfo => "userinfo_endpoint",
            Endpoint::Jwks => "jwks_uri",
            Endpoint::Revocation => "revocation_endpoint",
            Endpoint::DeviceAuthorization => "device_authorization_endpoint",
        }
    }

    /// The short name that settings use: `authorization`, `token`, `userinfo`, `jwks`, `revocation`,
    /// `device_authorization`.
    pub fn name(self) -> &'static str {
        let member = self.member();
        member.strip_suffix("_endpoint").or(member.strip_suffix("_uri")).unwrap_or(member)
    }

    /// Reads a short name.
    ///
    /// # Errors
    /// [`Misuse::Setting`] lists the names that exist.
    pub fn parse(name: &str) -> Result<Endpoint, Misuse> {
        let known = || Endpoint::ALL.map(Endpoint::name).join(", ");
        Endpoint::ALL.into_iter().find(|endpoint| endpoint.name() == name).ok_or_else(|| {
            Misuse::setting("endpoint", format!("\"{}\" is none of {}", crate::sanitize::text(name), known()))
        })
    }
}

/// Endpoints by name; every URL in it has passed the rule of [`Endpoints::set`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Endpoints(BTreeMap<Endpoint, Url>);

impl Endpoints {
    /// The URL, if it is known.
    pub fn get(&self, endpoint: Endpoint) -> Option<&Url> {
        self.0.get(&endpoint)
    }

    /// The URL of an endpoint that the caller cannot do without.
    ///
    /// # Errors
    /// [`ServerIncompatible::NoEndpoint`].
    pub fn need(&self, endpoint: Endpoint) -> Result<&Url, ServerIncompatible> {
        self.get(endpoint).ok_or(ServerIncompatible::NoEndpoint(endpoint.member()))
    }

    /// Adds an endpoint: `https`, or `http` on loopback under an http loopback issuer; without user
    /// name and fragment (RFC 6749 §3.1, §3.2).
    ///
    /// # Errors
    /// [`ServerIncompatible::InsecureEndpoint`].
    pub fn set(&mut self, endpoint: Endpoint, url: Url, issuer: &Issuer) -> Result<(), ServerIncompatible> {
        let plain_allowed = issuer.is_http_on_loopback() && is_loopback(&url);
        let safe = url.scheme() == "https" || (url.scheme() == "http" && plain_allowed);
        let bare = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
        if !(safe && bare && url.has_host()) {
            return Err(ServerIncompatible::InsecureEndpoint {
                name: endpoint.member(),
                url: crate::sanitize::text(url.as_str()),
            });
        }
        self.0.insert(endpoint, url);
        Ok(())
    }

    /// These, and `others` where these have a gap.
    pub fn or(mut self, others: &Endpoints) -> Endpoints {
        for (endpoint, url) in &others.0 {
            self.0.entry(*endpoint).or_insert_with(|| url.clone());
        }
        self
    }

    /// Every endpoint with its URL, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (Endpoint, &Url)> {
        self.0.iter().map(|(endpoint, url)| (*endpoint, url))
    }
}

/// A judged metadata document, or two of them merged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerMetadata {
    /// The document's own issuer, which everything after is compared with.
    pub issuer: String,
    /// The endpoints it names.
    pub endpoints: Endpoints,
    /// `scopes_supported`; `None` where the document is silent.
    pub scopes_supported: Option<Vec<String>>,
    /// `code_challenge_methods_supported`; `None` where the document is silent, which does not mean no.
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// `token_endpoint_auth_methods_supported`; `None` where the document is silent.
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// `prompt_values_supported`.
    pub prompt_values_supported: Vec<String>,
    /// Whether `iss` comes with every answer of the authorization endpoint (RFC 9207 §3).
    pub authorization_response_iss_parameter_supported: bool,
}

/// Where the documents are, in the order to ask: OpenID first, then RFC 8414 before and after the
/// issuer's path (RFC 8414 §3.1, §5).
pub fn well_known(issuer: &Issuer) -> [Url; 3] {
    let path = issuer.url().path().trim_end_matches('/').to_owned();
    [
        format!("{path}/.well-known/openid-configuration"),
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("{path}/.well-known/oauth-authorization-server"),
    ]
    .map(|path| {
        let mut url = issuer.url().clone();
        url.set_path(&path);
        url
    })
}

impl ServerMetadata {
    /// Judges one document that was found for `issuer`.
    ///
    /// Members of the wrong type count as absent, unknown ones are ignored (RFC 8414 §3.2). The issuer
    /// must match byte for byte; one trailing slash more or less is accepted, and then the document's
    /// spelling rules, and so it does if it is the one `shared_issuer`.
    ///
    /// # Errors
    /// `Ok(None)` where the body is no metadata at all, so that the next address can be asked; an error
    /// where it is and breaks a rule.
    pub fn judge(
        issuer: &Issuer,
        shared_issuer: Option<&str>,
        body: &[u8],
    ) -> crate::Result<Option<ServerMetadata>> {
        let Ok(document) = json::object(body) else { return Ok(None) };
        let Some(named) = document.get("issuer").and_then(Value::as_str) else { return Ok(None) };
        let is_ours = named == issuer.as_str() || issuer.differs_by_slash(named);
        if !is_ours && shared_issuer != Some(named) {
            let found = escaped(named);
            return Err(
                ServerMisbehaved::MetadataIssuer { expected: issuer.as_str().to_owned(), found }.into()
            );
        }
        Ok(Some(ServerMetadata {
            issuer: named.to_owned(),
            endpoints: endpoints(&document, issuer)?,
            scopes_supported: strings(&document, "scopes_supported"),
            code_challenge_methods_supported: strings(&document, "code_challenge_methods_supported"),
            token_endpoint_auth_methods_supported: strings(
                &document,
                "token_endpoint_auth_methods_supported",
            ),
            prompt_values_supported: strings(&document, "prompt_values_supported").unwrap_or_default(),
            authorization_response_iss_parameter_supported: document
                .get("authorization_response_iss_parameter_supported")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
        }))
    }

    /// The metadata of a server that was described by hand.
    pub fn from_endpoints(issuer: &Issuer, endpoints: Endpoints) -> ServerMetadata {
        ServerMetadata {
            issuer: issuer.as_str().to_owned(),
            endpoints,
            scopes_supported: None,
            code_challenge_methods_supported: None,
            token_endpoint_auth_methods_supported: None,
            prompt_values_supported: Vec::new(),
            authorization_response_iss_parameter_supported: false,
        }
    }

    /// This document, with the gaps filled from another one of the same issuer.
    pub fn or(self, other: ServerMetadata) -> ServerMetadata {
        ServerMetadata {
            issuer: self.issuer,
            endpoints: self.endpoints.or(&other.endpoints),
            scopes_supported: self.scopes_supported.or(other.scopes_supported),
            code_challenge_methods_supported: self
                .code_challenge_methods_supported
                .or(other.code_challenge_methods_supported),
            token_endpoint_auth_methods_supported: self
                .token_endpoint_auth_methods_supported
                .or(other.token_endpoint_auth_methods_supported),
            prompt_values_supported: if self.prompt_values_supported.is_empty() {
                other.prompt_values_supported
            } else {
                self.prompt_values_supported
            },
            authorization_response_iss_parameter_supported: self
                .authorization_response_iss_parameter_supported
                || other.authorization_response_iss_parameter_supported,
        }
    }

    /// Whether a sign-in can go on: a list of challenge methods without `S256` ends it, no list does not
    /// (many servers support PKCE and do not say so).
    ///
    /// # Errors
    /// [`ServerIncompatible::NoS256`].
    pub fn check_pkce(&self) -> Result<(), ServerIncompatible> {
        match &self.code_challenge_methods_supported {
            Some(methods) if !methods.iter().any(|method| method == "S256") => {
                Err(ServerIncompatible::NoS256)
            }
            _ => Ok(()),
        }
    }

    /// The default scopes that this server has, by its own list.
    pub fn supports_scope(&self, scope: &str) -> bool {
        self.scopes_supported.as_ref().is_none_or(|scopes| scopes.iter().any(|s| s == scope))
    }
}

fn endpoints(document: &Map<String, Value>, issuer: &Issuer) -> crate::Result<Endpoints> {
    let mut endpoints = Endpoints::default();
    for endpoint in Endpoint::ALL {
        if let Some(text) =
            document.get(endpoint.member()).and_then(Value::as_str).filter(|text| !text.is_empty())
        {
            let url = parse_url(text).ok_or(ServerMisbehaved::MetadataMember(endpoint.member()))?;
            endpoints.set(endpoint, url, issuer)?;
        }
    }
    Ok(endpoints)
}

/// A line break in an address is no slip: the parser would drop it and read another address than a person sees.
fn parse_url(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|_| !text.contains(char::is_control))
}

fn strings(document: &Map<String, Value>, member: &str) -> Option<Vec<String>> {
    let list = document.get(member)?.as_array()?;
    Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    fn issuer(text: &str) -> Issuer {
        Issuer::parse(text).unwrap()
    }

    #[test]
    fn n72_each_well_known_address_is_built_without_a_double_slash() {
        let urls = |text: &str| well_known(&issuer(text)).map(String::from);
        assert_eq!(
            urls("https://a.example/t/1/"),
            [
                "https://a.example/t/1/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server/t/1",
                "https://a.example/t/1/.well-known/oauth-authorization-server",
            ]
        );
        assert_eq!(urls("https://a.example")[0], "https://a.example/.well-known/openid-configuration");
        assert_eq!(urls("https://a.example/")[1], "https://a.example/.well-known/oauth-authorization-server");
    }

    #[test]
    fn n71_the_issuer_matches_but_for_one_slash() {
        let judge = |asked: &str, found: &str| {
            ServerMetadata::judge(&issuer(asked), None, format!(r#"{{"issuer":"{found}"}}"#).as_bytes())
                .map(|m| m.unwrap().issuer)
        };
        assert_eq!(judge("https://a.example", "https://a.example/").unwrap(), "https://a.example/");
        for found in [
            "https://A.example",
            "https://a.example:443",
            "https://a.example//",
            "https://b.example",
            "http://a.example",
        ] {
            let error = judge("https://a.example", found).unwrap_err();
            assert!(
                matches!(error, Error::ServerMisbehaved(ServerMisbehaved::MetadataIssuer { .. })),
                "{found}"
            );
        }
    }

    #[test]
    fn what_is_no_metadata_is_passed_over() {
        for body in ["<html>", "[]", "{}", r#"{"issuer":1}"#, ""] {
            assert_eq!(
                ServerMetadata::judge(&issuer("https://a.example"), None, body.as_bytes()).unwrap(),
                None
            );
        }
    }

    #[test]
    fn n73_an_endpoint_without_tls_is_refused_unless_all_is_on_this_machine() {
        let judge = |asked: &str, endpoint: &str| {
            let body = format!(r#"{{"issuer":"{asked}","token_endpoint":"{endpoint}"}}"#);
            ServerMetadata::judge(&issuer(asked), None, body.as_bytes())
        };
        assert!(judge("https://a.example", "https://b.example/token").is_ok());
        assert!(judge("http://127.0.0.1:4000", "http://127.0.0.1:4000/token").is_ok());
        for (asked, endpoint) in [
            ("https://a.example", "http://a.example/token"),
            ("https://a.example", "http://127.0.0.1/token"),
            ("http://127.0.0.1:4000", "http://a.example/token"),
            ("https://a.example", "https://u:p@a.example/token"),
            ("https://a.example", "https://a.example/token#x"),
            ("https://a.example", "file:///token"),
            ("https://a.example", "javascript:alert(1)"),
            ("https://a.example", "not a url"),
            ("https://a.example", "https://a.example/\\n--help"),
            ("https://a.example", "https://a.example/\\ttoken"),
        ] {
            assert!(judge(asked, endpoint).is_err(), "{endpoint}");
        }
    }

    #[test]
    fn n03_n74_silence_about_pkce_is_no_refusal_but_a_list_without_s256_is() {
        let judge = |members: &str| {
            let body = format!(r#"{{"issuer":"https://a.example"{members}}}"#);
            ServerMetadata::judge(&issuer("https://a.example"), None, body.as_bytes())
                .unwrap()
                .unwrap()
                .check_pkce()
        };
        assert_eq!(judge(""), Ok(()));
        assert_eq!(judge(r#","code_challenge_methods_supported":["plain","S256"]"#), Ok(()));
        assert_eq!(
            judge(r#","code_challenge_methods_supported":["plain"]"#),
            Err(ServerIncompatible::NoS256)
        );
    }

    #[test]
    fn two_documents_fill_each_others_gaps() {
        let judge = |body: &str| {
            ServerMetadata::judge(&issuer("https://a.example"), None, body.as_bytes()).unwrap().unwrap()
        };
        let oidc = judge(
            r#"{"issuer":"https://a.example","userinfo_endpoint":"https://a.example/me","scopes_supported":["openid"]}"#,
        );
        let oauth = judge(
            r#"{"issuer":"https://a.example","revocation_endpoint":"https://a.example/revoke","userinfo_endpoint":"https://a.example/other"}"#,
        );
        let both = oidc.or(oauth);
        assert_eq!(both.endpoints.get(Endpoint::Revocation).unwrap().path(), "/revoke");
        assert_eq!(both.endpoints.get(Endpoint::Userinfo).unwrap().path(), "/me");
        assert!(both.supports_scope("openid") && !both.supports_scope("offline_access"));
    }

    #[test]
    fn endpoint_names_are_the_documented_ones() {
        assert_eq!(
            Endpoint::ALL.map(Endpoint::name),
            ["authorization", "token", "userinfo", "jwks", "revocation", "device_authorization"]
        );
        assert_eq!(Endpoint::parse("jwks"), Ok(Endpoint::Jwks));
        assert!(Endpoint::parse("jwks_uri").is_err());
    }
}

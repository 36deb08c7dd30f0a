//! Authorization server metadata (OpenID Connect Discovery 1.0, RFC 8414) and the server's endpoints.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use url::Url;

use super::issuer::{Issuer, escaped, is_loopback};
use super::json;
use crate::error::{Misuse, ServerIncompatible, ServerMisbehaved};

/// The endpoints that Hallpass uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Endpoint {
    /// The authorization endpoint, which is opened in the browser (RFC 6749 §3.1).
    Authorization,
    /// The token endpoint (RFC 6749 §3.2).
    Token,
    /// The userinfo endpoint (OpenID Connect Core §5.3).
    Userinfo,
    /// The document with the server's public keys (RFC 7517 §5).
    Jwks,
    /// The revocation endpoint (RFC 7009).
    Revocation,
    /// The device authorization endpoint (RFC 8628 §3.1).
    DeviceAuthorization,
}

impl Endpoint {
    /// All endpoints.
    pub const ALL: [Endpoint; 6] = [
        Endpoint::Authorization,
        Endpoint::Token,
        Endpoint::Userinfo,
        Endpoint::Jwks,
        Endpoint::Revocation,
        Endpoint::DeviceAuthorization,
    ];

    /// The endpoint's name in the metadata (RFC 8414 §2).
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

    /// The endpoint's short name in settings: `authorization`, `token`, `userinfo`, `jwks`, `revocation`,
    /// `device_authorization`.
    pub fn name(self) -> &'static str {
        let member = self.member();
        member.strip_suffix("_endpoint").or(member.strip_suffix("_uri")).unwrap_or(member)
    }

    /// Parses a short name.
    ///
    /// # Errors
    /// [`Misuse::Setting`] lists the valid names.
    pub fn parse(name: &str) -> Result<Endpoint, Misuse> {
        let known = || Endpoint::ALL.map(Endpoint::name).join(", ");
        Endpoint::ALL.into_iter().find(|endpoint| endpoint.name() == name).ok_or_else(|| {
            let name = crate::sanitize::text(name);
            Misuse::setting(
                "endpoint",
                format!("\"{name}\" is not an endpoint (expected one of: {})", known()),
            )
        })
    }
}

/// A server's endpoints. Each URL was checked by [`Endpoints::set`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Endpoints(BTreeMap<Endpoint, Url>);

impl Endpoints {
    /// The URL of an endpoint, if it is known.
    pub fn get(&self, endpoint: Endpoint) -> Option<&Url> {
        self.0.get(&endpoint)
    }

    /// The URL of a required endpoint.
    ///
    /// # Errors
    /// [`ServerIncompatible::NoEndpoint`] if it is unknown.
    pub fn need(&self, endpoint: Endpoint) -> Result<&Url, ServerIncompatible> {
        self.get(endpoint).ok_or(ServerIncompatible::NoEndpoint(endpoint.member()))
    }

    /// Adds an endpoint. Its URL must be `https`, or `http` on loopback if the issuer is, too. It must not have a user name
    /// or fragment (RFC 6749 §3.1, §3.2).
    ///
    /// # Errors
    /// [`ServerIncompatible::InsecureEndpoint`] for other URLs.
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

    /// Returns these endpoints, with missing ones taken from `others`.
    pub fn or(mut self, others: &Endpoints) -> Endpoints {
        for (endpoint, url) in &others.0 {
            self.0.entry(*endpoint).or_insert_with(|| url.clone());
        }
        self
    }

    /// Iterates over the known endpoints and their URLs, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (Endpoint, &Url)> {
        self.0.iter().map(|(endpoint, url)| (*endpoint, url))
    }
}

/// The contents of a valid metadata document, or of two merged ones.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerMetadata {
    /// The issuer, exactly as in the document. Later responses are compared with it.
    pub issuer: String,
    /// The endpoints.
    pub endpoints: Endpoints,
    /// `scopes_supported`, if present.
    pub scopes_supported: Option<Vec<String>>,
    /// `code_challenge_methods_supported`, if present. Many servers that support PKCE leave it out.
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// `token_endpoint_auth_methods_supported`, if present.
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// `prompt_values_supported`, empty if not present.
    pub prompt_values_supported: Vec<String>,
    /// Whether every authorization response has `iss` (RFC 9207 §3).
    pub authorization_response_iss_parameter_supported: bool,
}

/// Returns the URLs of the metadata documents, in the order of preference: OpenID Connect, then OAuth with the well-known
/// part before and after the issuer's path (RFC 8414 §3.1, §5).
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
    /// Judges a metadata document of `issuer`. Returns `None` if the body is not a metadata document, so that the next URL
    /// can be tried.
    ///
    /// Members of the wrong type count as missing, and unknown ones are ignored (RFC 8414 §3.2). The document's issuer
    /// must be `issuer` byte for byte, except for a trailing slash, or the `shared_issuer` of a document that serves all
    /// tenants. The document's spelling is used from then on.
    ///
    /// # Errors
    /// [`ServerMisbehaved::MetadataIssuer`] if the issuer differs, and [`ServerMisbehaved::MetadataMember`] or
    /// [`ServerIncompatible::InsecureEndpoint`] for an endpoint that cannot be used.
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

    /// Creates metadata for a server whose endpoints are configured.
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

    /// Returns this metadata, with missing members taken from another document of the same issuer.
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

    /// Checks that the server supports PKCE. Many servers do without listing any methods, so only a list without `S256`
    /// is an error.
    ///
    /// # Errors
    /// [`ServerIncompatible::NoS256`] if the list does not contain `S256`.
    pub fn check_pkce(&self) -> Result<(), ServerIncompatible> {
        match &self.code_challenge_methods_supported {
            Some(methods) if !methods.iter().any(|method| method == "S256") => {
                Err(ServerIncompatible::NoS256)
            }
            _ => Ok(()),
        }
    }

    /// Whether the server supports a scope, as far as it lists them.
    pub fn supports_scope(&self, scope: &str) -> bool {
        match &self.scopes_supported {
            Some(scopes) => scopes.iter().any(|supported| supported == scope),
            None => true,
        }
    }
}

fn endpoints(document: &Map<String, Value>, issuer: &Issuer) -> crate::Result<Endpoints> {
    let mut endpoints = Endpoints::default();
    for endpoint in Endpoint::ALL {
        let member = endpoint.member();
        let Some(text) = document.get(member).and_then(Value::as_str).filter(|text| !text.is_empty()) else {
            continue;
        };
        // The URL parser drops line breaks, so the parsed URL would not be the one that is seen in the document.
        if text.contains(char::is_control) {
            return Err(ServerMisbehaved::MetadataMember(member).into());
        }
        let url = Url::parse(text).map_err(|_| ServerMisbehaved::MetadataMember(member))?;
        endpoints.set(endpoint, url, issuer)?;
    }
    Ok(endpoints)
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
    fn n72_well_known_urls_have_no_double_slash() {
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
    fn n71_the_issuer_matches_except_for_one_slash() {
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
    fn other_documents_are_not_metadata() {
        for body in ["<html>", "[]", "{}", r#"{"issuer":1}"#, ""] {
            assert_eq!(
                ServerMetadata::judge(&issuer("https://a.example"), None, body.as_bytes()).unwrap(),
                None
            );
        }
    }

    #[test]
    fn n73_an_endpoint_without_tls_is_refused_unless_the_server_is_on_this_machine() {
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
    fn n03_n74_only_a_list_without_s256_means_no_pkce() {
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
    fn two_documents_complete_each_other() {
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
    fn endpoints_have_their_documented_names() {
        assert_eq!(
            Endpoint::ALL.map(Endpoint::name),
            ["authorization", "token", "userinfo", "jwks", "revocation", "device_authorization"]
        );
        assert_eq!(Endpoint::parse("jwks"), Ok(Endpoint::Jwks));
        assert!(Endpoint::parse("jwks_uri").is_err());
    }
}

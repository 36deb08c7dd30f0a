//! Clients (RFC 6749 §2).

use std::sync::Arc;

use subtle::ConstantTimeEq;

use crate::oauth::redirect_uri;

/// A registered client: a public one, as command-line programs are, or a confidential one for tests.
///
/// ```
/// use hallpass_dev::Client;
///
/// let tool = Client::public("mytool").name("My Tool").redirect_uri("http://127.0.0.1/callback");
/// let service = Client::confidential("service", "s3cr3t").redirect_uri("https://service.example/cb");
/// # let _ = (tool, service);
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) redirect_uris: Vec<String>,
    secret: Option<String>,
}

impl Client {
    /// A client without a secret (RFC 6749 §2.1, RFC 8252 §8.4).
    pub fn public(id: impl Into<String>) -> Client {
        Client { id: id.into(), name: None, redirect_uris: Vec::new(), secret: None }
    }

    /// A client that authenticates by `client_secret_basic` or `client_secret_post` (RFC 6749 §2.3.1).
    pub fn confidential(id: impl Into<String>, secret: impl Into<String>) -> Client {
        Client { secret: Some(secret.into()), ..Client::public(id) }
    }

    /// The name that the consent page shows. Defaults to the id.
    pub fn name(mut self, name: impl Into<String>) -> Client {
        self.name = Some(name.into());
        self
    }

    /// Adds a redirect URI. It is compared exactly; only the port of `http://127.0.0.1` and
    /// `http://[::1]` is free (RFC 8252 §7.3).
    ///
    /// Besides these two, `http://localhost`, any `https` address and private-use schemes with a dot (RFC 8252
    /// §7.1) can be registered, all without fragment; others are refused at the start.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Client {
        self.redirect_uris.push(uri.into());
        self
    }

    /// The client that is always registered.
    fn demo() -> Client {
        Client::public("demo")
            .name("Demo")
            .redirect_uri("http://127.0.0.1/callback")
            .redirect_uri("http://[::1]/callback")
            .redirect_uri("http://localhost:9999/callback")
    }

    pub(crate) fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    pub(crate) fn is_public(&self) -> bool {
        self.secret.is_none()
    }

    pub(crate) fn has_secret(&self, secret: &str) -> bool {
        self.secret.as_ref().is_some_and(|own| own.as_bytes().ct_eq(secret.as_bytes()).into())
    }

    pub(crate) fn may_redirect_to(&self, requested: &str) -> bool {
        self.redirect_uris.iter().any(|registered| redirect_uri::matches(registered, requested))
    }

    /// What is wrong with the registration, if anything.
    pub(crate) fn fault(&self) -> Option<String> {
        if self.id.is_empty() || !self.id.bytes().all(|b| b.is_ascii_graphic()) {
            return Some(format!("client id {:?} must be printable ASCII without spaces", self.id));
        }
        let wrong = self.redirect_uris.iter().find(|uri| !redirect_uri::may_be_registered(uri))?;
        Some(format!("redirect URI {wrong:?} cannot be registered, only {}", redirect_uri::ALLOWED))
    }
}

/// All registered clients, of which there is always one.
pub(crate) struct Clients(Vec<Arc<Client>>);

impl Clients {
    /// `demo` comes last: the home page shows the first client, and one's own is of more interest.
    pub(crate) fn with_demo(mut own: Vec<Client>) -> Clients {
        if own.iter().all(|client| client.id != "demo") {
            own.push(Client::demo());
        }
        Clients(own.into_iter().map(Arc::new).collect())
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Client>> {
        self.0.iter().find(|client| client.id == id).cloned()
    }

    /// The client that the home page shows.
    pub(crate) fn first(&self) -> &Client {
        &self.0[0]
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("redirect_uris", &self.redirect_uris)
            .field("public", &self.is_public())
            .finish_non_exhaustive()
    }
}

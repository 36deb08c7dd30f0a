//! Clients and their registration (RFC 6749 §2).

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;

use crate::oauth::redirect_uri;

/// A client to register with [`Builder::client`](crate::Builder::client).
///
/// Command-line programs are public clients. Use a confidential client to test client authentication.
///
/// ```
/// use hallpass_dev::{Client, DevServer};
///
/// let tool = Client::public("mytool").name("My Tool").redirect_uri("http://127.0.0.1/callback");
/// let service = Client::confidential("service", "s3cr3t").redirect_uri("https://service.example/cb");
/// let server = DevServer::builder().client(tool).client(service).start()?;
/// # drop(server);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) id: String,
    pub(crate) redirect_uris: Vec<String>,
    name: Option<String>,
    secret: Option<String>,
}

impl Client {
    /// Creates a public client, which has no secret (RFC 6749 §2.1, RFC 8252 §8.4).
    pub fn public(id: impl Into<String>) -> Client {
        Client { id: id.into(), redirect_uris: Vec::new(), name: None, secret: None }
    }

    /// Creates a confidential client, which authenticates with `client_secret_basic` or `client_secret_post` (RFC
    /// 6749 §2.3.1).
    pub fn confidential(id: impl Into<String>, secret: impl Into<String>) -> Client {
        Client { secret: Some(secret.into()), ..Client::public(id) }
    }

    /// Sets the name on the sign-in and consent pages. Defaults to the client ID.
    pub fn name(mut self, name: impl Into<String>) -> Client {
        self.name = Some(name.into());
        self
    }

    /// Adds a redirect URI. Defaults to none, which is enough for the device authorization grant.
    ///
    /// `http://127.0.0.1` and `http://[::1]` match on any port (RFC 8252 §7.3). Everything else has to match exactly:
    /// `http://localhost`, `https` URIs and private-use schemes with a dot (RFC 8252 §7.1). Other URIs, and URIs with
    /// a fragment, make [`Builder::start`](crate::Builder::start) fail.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Client {
        self.redirect_uris.push(uri.into());
        self
    }

    pub(crate) fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    pub(crate) fn is_public(&self) -> bool {
        self.secret.is_none()
    }

    /// Compares the secret in constant time. Always false for a public client.
    pub(crate) fn has_secret(&self, secret: &str) -> bool {
        match &self.secret {
            Some(own) => own.as_bytes().ct_eq(secret.as_bytes()).into(),
            None => false,
        }
    }

    pub(crate) fn may_redirect_to(&self, requested: &str) -> bool {
        self.redirect_uris.iter().any(|registered| redirect_uri::matches(registered, requested))
    }

    fn validate(&self) -> Result<(), String> {
        if self.id.is_empty() || !self.id.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(format!("invalid client ID {:?}: use printable ASCII without spaces", self.id));
        }
        match self.redirect_uris.iter().find(|uri| !redirect_uri::can_be_registered(uri)) {
            Some(uri) => {
                Err(format!("redirect URI {uri:?} cannot be registered; use {}", redirect_uri::ALLOWED))
            }
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("redirect_uris", &self.redirect_uris)
            .field("public", &self.is_public())
            .finish_non_exhaustive()
    }
}

/// The registered clients.
#[derive(Debug, Default)]
pub(crate) struct Clients(Vec<Arc<Client>>);

impl Clients {
    /// Adds a client, or replaces the one with the same ID.
    pub(crate) fn register(&mut self, client: Client) {
        self.0.retain(|other| other.id != client.id);
        self.0.push(Arc::new(client));
    }

    /// Adds the built-in client, unless its ID is taken. It comes last because the home page shows the first client.
    pub(crate) fn register_demo(&mut self) {
        if self.find("demo").is_none() {
            let demo = Client::public("demo")
                .name("Demo")
                .redirect_uri("http://127.0.0.1/callback")
                .redirect_uri("http://[::1]/callback")
                .redirect_uri("http://localhost:9999/callback");
            self.register(demo);
        }
    }

    /// Checks every client. The error says why one of them cannot be registered.
    pub(crate) fn validate(&self) -> Result<(), String> {
        self.0.iter().try_for_each(|client| client.validate())
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Client>> {
        self.0.iter().find(|client| client.id == id).cloned()
    }

    /// Returns the client on the home page.
    pub(crate) fn first(&self) -> &Client {
        &self.0[0]
    }
}

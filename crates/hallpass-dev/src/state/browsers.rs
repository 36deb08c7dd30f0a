//! Browsers that came by, who is signed in there, and what they are asked to allow.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use subtle::ConstantTimeEq;

use crate::oauth::authorization_request::AuthorizationRequest;
use crate::oauth::id_token::unix_now;
use crate::oauth::random;
use crate::state::asked::Asked;
use crate::state::fingerprint::Fingerprint;
use crate::state::guesses::Guesses;
use crate::user::{SignedIn, User};

/// How long a sign-in page may stay open.
const REQUEST_LIFETIME: Duration = Duration::from_secs(900);

/// A browser stays known under this number while its cookie changes at each sign-in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BrowserId(u64);

/// One cookie jar.
pub(crate) struct Browser {
    pub(crate) id: BrowserId,
    csrf: String,
    pub(crate) signed_in: Option<SignedIn>,
    consents: HashSet<(String, String)>,
    pub(crate) guesses: Guesses,
    /// What was typed as a user code and is none, shown once on the next page.
    pub(crate) wrong_code: Option<String>,
}

impl Browser {
    fn new(id: BrowserId) -> Browser {
        Browser {
            id,
            csrf: random::token(),
            signed_in: None,
            consents: HashSet::new(),
            guesses: Guesses::default(),
            wrong_code: None,
        }
    }

    /// The value that our forms carry and other sites cannot read.
    pub(crate) fn csrf(&self) -> &str {
        &self.csrf
    }

    pub(crate) fn owns_form(&self, csrf: Option<&str>) -> bool {
        csrf.is_some_and(|csrf| csrf.as_bytes().ct_eq(self.csrf.as_bytes()).into())
    }

    /// Whether the signed-in user allowed this before. Asked for confidential clients only: nobody
    /// can tell one public client from another (RFC 8252 §8.6).
    pub(crate) fn has_consented(&self, request: &AuthorizationRequest) -> bool {
        self.consents.contains(&consent_key(request))
    }

    pub(crate) fn remember_consent(&mut self, request: &AuthorizationRequest) {
        self.consents.insert(consent_key(request));
    }
}

fn consent_key(request: &AuthorizationRequest) -> (String, String) {
    (request.client.id.clone(), request.scope.to_string())
}

/// A request that waits for its user.
pub(crate) struct Pending {
    pub(crate) asked: Asked,
    browser: BrowserId,
    since: Instant,
    /// Whether an earlier sign-in does not do, because of `prompt=login` or `max_age`. Cleared by a new one.
    pub(crate) needs_new_sign_in: bool,
    /// The address of a sign-in that failed, shown once on the next page.
    pub(crate) failed_email: Option<String>,
}

#[derive(Default)]
pub(crate) struct Browsers {
    next: u64,
    browsers: HashMap<Fingerprint, Browser>,
    pending: HashMap<String, Pending>,
}

impl Browsers {
    /// Makes the acquaintance of a browser; the answer is its cookie.
    pub(crate) fn meet(&mut self) -> String {
        self.next += 1;
        let id = BrowserId(self.next);
        let cookie = random::token();
        self.browsers.insert(Fingerprint::of(&cookie), Browser::new(id));
        cookie
    }

    pub(crate) fn find(&mut self, cookie: &str) -> Option<&mut Browser> {
        self.browsers.get_mut(&Fingerprint::of(cookie))
    }

    /// Signs a user in under a fresh cookie and a fresh form token, so that values planted before do not gain
    /// anything (session fixation).
    pub(crate) fn sign_in(&mut self, cookie: &str, user: Arc<User>) -> Option<String> {
        let mut browser = self.browsers.remove(&Fingerprint::of(cookie))?;
        let same = browser.signed_in.as_ref().is_some_and(|before| before.user.sub == user.sub);
        if !same {
            browser.consents.clear();
        }
        browser.signed_in = Some(SignedIn { user, auth_time: unix_now() });
        browser.csrf = random::token();
        let cookie = random::token();
        self.browsers.insert(Fingerprint::of(&cookie), browser);
        Some(cookie)
    }

    /// Keeps a request until its user is done; the answer is its name in page addresses.
    pub(crate) fn suspend(&mut self, browser: BrowserId, asked: Asked, needs_new_sign_in: bool) -> String {
        self.pending.retain(|_, pending| pending.since.elapsed() < REQUEST_LIFETIME);
        let name = random::token();
        let since = Instant::now();
        let pending = Pending { asked, browser, since, needs_new_sign_in, failed_email: None };
        self.pending.insert(name.clone(), pending);
        name
    }

    /// A waiting request, for the browser that brought it.
    pub(crate) fn pending(&mut self, browser: BrowserId, name: &str) -> Option<&mut Pending> {
        self.pending.get_mut(name).filter(|pending| pending.browser == browser)
    }

    /// Takes a request out, so that it is answered once.
    pub(crate) fn finish(&mut self, browser: BrowserId, name: &str) -> Option<Pending> {
        self.pending(browser, name)?;
        self.pending.remove(name)
    }
}

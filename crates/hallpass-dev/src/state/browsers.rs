//! Browsers, the users signed in there, and the requests that wait for their consent.

use std::collections::{HashMap, HashSet};
use std::ops::{Index, IndexMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use subtle::ConstantTimeEq;

use crate::oauth::authorization_request::AuthorizationRequest;
use crate::oauth::clock::unix_now;
use crate::oauth::random;
use crate::state::consent_request::ConsentRequest;
use crate::state::fingerprint::Fingerprint;
use crate::state::guesses::Guesses;
use crate::user::{SignedIn, User};

/// How long a request waits for the user.
const REQUEST_LIFETIME: Duration = Duration::from_secs(900);

/// Identifies a browser, whose cookie changes with each sign-in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct BrowserId(usize);

/// A browser, recognized by its cookie.
pub(crate) struct Browser {
    cookie: Fingerprint,
    /// The token in the forms of our pages, which other sites cannot read (RFC 9700 §4.7).
    pub(crate) csrf: String,
    pub(crate) signed_in: Option<SignedIn>,
    /// The clients and scopes that the signed-in user has allowed.
    consents: HashSet<(String, String)>,
    pub(crate) guesses: Guesses,
    /// The wrong user code that the next page shows, once.
    pub(crate) wrong_code: Option<String>,
}

/// A request that waits for the user.
pub(crate) struct Pending {
    pub(crate) request: ConsentRequest,
    browser: BrowserId,
    since: Instant,
    /// Whether the user has to sign in again first, because of `prompt=login` or `max_age`.
    pub(crate) needs_new_sign_in: bool,
    /// The email address of a failed sign-in that the next page shows, once.
    pub(crate) failed_email: Option<String>,
}

#[derive(Default)]
pub(crate) struct Browsers {
    browsers: Vec<Browser>,
    by_cookie: HashMap<Fingerprint, BrowserId>,
    pending: HashMap<String, Pending>,
}

impl Browsers {
    /// Returns the browser that has this cookie.
    pub(crate) fn find(&self, cookie: &str) -> Option<BrowserId> {
        self.by_cookie.get(&Fingerprint::of(cookie)).copied()
    }

    /// Returns the browser that has this cookie, or else a new one and the cookie to set.
    pub(crate) fn find_or_add(&mut self, cookie: Option<&str>) -> (BrowserId, Option<String>) {
        if let Some(known) = cookie.and_then(|cookie| self.find(cookie)) {
            return (known, None);
        }
        let id = BrowserId(self.browsers.len());
        let cookie = random::token();
        let fingerprint = Fingerprint::of(&cookie);
        self.browsers.push(Browser {
            cookie: fingerprint,
            csrf: random::token(),
            signed_in: None,
            consents: HashSet::new(),
            guesses: Guesses::default(),
            wrong_code: None,
        });
        self.by_cookie.insert(fingerprint, id);
        (id, Some(cookie))
    }

    /// Signs a user in and returns the browser's new cookie.
    ///
    /// The cookie and the CSRF token change, so that values an attacker planted before are useless afterwards
    /// (session fixation).
    pub(crate) fn sign_in(&mut self, id: BrowserId, user: Arc<User>) -> String {
        let cookie = random::token();
        let browser = &mut self.browsers[id.0];
        if let Some(before) = &browser.signed_in
            && before.user.sub != user.sub
        {
            browser.consents.clear();
        }
        self.by_cookie.remove(&browser.cookie);
        browser.cookie = Fingerprint::of(&cookie);
        browser.csrf = random::token();
        browser.signed_in = Some(SignedIn { user, auth_time: unix_now() });
        self.by_cookie.insert(browser.cookie, id);
        cookie
    }

    /// Keeps a request until the user has decided, and returns an ID for it.
    pub(crate) fn suspend(&mut self, browser: BrowserId, request: ConsentRequest) -> String {
        self.pending.retain(|_, pending| pending.since.elapsed() < REQUEST_LIFETIME);
        let needs_new_sign_in = match &self[browser].signed_in {
            Some(session) => !request.accepts_sign_in(session.auth_time),
            None => request.limits_sign_in_age(),
        };
        let id = random::token();
        let since = Instant::now();
        let pending = Pending { request, browser, since, needs_new_sign_in, failed_email: None };
        self.pending.insert(id.clone(), pending);
        id
    }

    /// Returns the user who can decide on a waiting request: the one signed in, unless a new sign-in is needed.
    pub(crate) fn session_for(&mut self, browser: BrowserId, id: &str) -> Option<SignedIn> {
        if self.pending(browser, id)?.needs_new_sign_in {
            return None;
        }
        self[browser].signed_in.clone()
    }

    /// Returns a waiting request, if it came from this browser.
    pub(crate) fn pending(&mut self, browser: BrowserId, id: &str) -> Option<&mut Pending> {
        self.pending.get_mut(id).filter(|pending| pending.browser == browser)
    }

    /// Removes a waiting request, so that the user decides only once.
    pub(crate) fn finish(&mut self, browser: BrowserId, id: &str) -> Option<ConsentRequest> {
        self.pending(browser, id)?;
        Some(self.pending.remove(id)?.request)
    }
}

impl Index<BrowserId> for Browsers {
    type Output = Browser;

    fn index(&self, id: BrowserId) -> &Browser {
        &self.browsers[id.0]
    }
}

impl IndexMut<BrowserId> for Browsers {
    fn index_mut(&mut self, id: BrowserId) -> &mut Browser {
        &mut self.browsers[id.0]
    }
}

impl Browser {
    /// Returns whether a form carries the CSRF token of this browser.
    pub(crate) fn sent_form_with(&self, csrf: Option<&str>) -> bool {
        match csrf {
            Some(csrf) => csrf.as_bytes().ct_eq(self.csrf.as_bytes()).into(),
            None => false,
        }
    }

    /// Returns whether the signed-in user has allowed this client and scope before.
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

//! The rules by which a stored access token meets a request.

use std::time::{Duration, SystemTime};

use super::token_request::TokenRequest;
use crate::store::{Record, Token};

/// A token with less time left is refreshed, so that it does not expire on its way to a server.
const MARGIN: Duration = Duration::from_secs(30);

impl TokenRequest {
    /// Returns the stored token if it meets this request and needs no refresh. Never a token of a session that the
    /// server ended. Nor one that was issued in the future: the clock was set back, so its remaining time is unknown.
    pub(super) fn fresh_token<'a>(&self, record: &'a Record, now: SystemTime) -> Option<Token<'a>> {
        let token = record.token(self.resource.as_deref())?;
        if record.tombstone.is_some() || self.instead_of.as_ref() == Some(token.secret) {
            return None;
        }
        let Some(remaining) = token.access.remaining(now) else { return Some(token) };
        let is_from_the_future = token.obtained_at > now + MARGIN;
        if remaining > self.min_ttl.unwrap_or_else(|| margin(token)) && !is_from_the_future {
            return Some(token);
        }
        None
    }

    /// Returns the stored token if it has not expired, however soon it will.
    pub(super) fn unexpired_token<'a>(&self, record: &'a Record, now: SystemTime) -> Option<Token<'a>> {
        let token = record.token(self.resource.as_deref())?;
        match token.access.remaining(now) {
            Some(Duration::ZERO) => None,
            _ => Some(token),
        }
    }

    /// Whether an unexpired token meets this request if a refresh fails.
    pub(super) fn accepts_unexpired(&self) -> bool {
        !self.refreshed && self.min_ttl.is_none() && self.instead_of.is_none()
    }

    /// Whether `record`, as another thread or process saved it after `seen` was read, has the requested token.
    pub(super) fn is_met_by(&self, record: &Record, seen: &Record, now: SystemTime) -> bool {
        let secret = |record| Record::token(record, self.resource.as_deref()).map(|token| token.secret);
        self.fresh_token(record, now).is_some() && (!self.refreshed || secret(record) != secret(seen))
    }
}

/// 30 seconds, but at most half of the token's lifetime: a token that lives for 20 seconds would otherwise be refreshed
/// by every call.
fn margin(token: Token<'_>) -> Duration {
    match token.lifetime() {
        Some(lifetime) => MARGIN.min(lifetime / 2),
        None => MARGIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use crate::store::StoredRecord;

    fn record(lifetime: u64) -> Record {
        let v1 = include_str!("../../../../../tests/fixtures/records/v1.json");
        let stored = StoredRecord::parse(v1.as_bytes(), std::path::Path::new("v1")).unwrap();
        let mut record = stored.into_open().unwrap();
        record.access[0].expires_at = Some(record.obtained_at + Duration::from_secs(lifetime));
        record
    }

    fn is_fresh(record: &Record, request: &TokenRequest, age: u64) -> bool {
        request.fresh_token(record, record.obtained_at + Duration::from_secs(age)).is_some()
    }

    #[test]
    fn a_token_is_fresh_until_30_seconds_are_left() {
        let (record, request) = (record(3600), TokenRequest::default());
        assert!(is_fresh(&record, &request, 3569));
        assert!(!is_fresh(&record, &request, 3570));
        assert!(!is_fresh(&record, &request, 9999));
    }

    #[test]
    fn p36_a_token_from_the_future_is_not_fresh() {
        let (record, request) = (record(3600), TokenRequest::default());
        let before = |seconds| record.obtained_at - Duration::from_secs(seconds);
        assert!(request.fresh_token(&record, before(30)).is_some());
        assert!(request.fresh_token(&record, before(31)).is_none());
        assert!(request.unexpired_token(&record, before(3600)).is_some());
    }

    #[test]
    fn p32_the_margin_is_at_most_half_of_a_short_lifetime() {
        for lifetime in [2, 20, 50] {
            assert!(is_fresh(&record(lifetime), &TokenRequest::default(), lifetime / 2 - 1), "{lifetime}");
            assert!(!is_fresh(&record(lifetime), &TokenRequest::default(), lifetime / 2), "{lifetime}");
        }
    }

    #[test]
    fn the_margin_depends_on_when_the_token_itself_was_refreshed() {
        let mut record = record(20);
        record.access[0].obtained_at = Some(record.obtained_at);
        record.obtained_at += Duration::from_secs(15);
        let at = |age| record.access[0].obtained_at.unwrap() + Duration::from_secs(age);
        assert!(TokenRequest::default().fresh_token(&record, at(9)).is_some());
        assert!(TokenRequest::default().fresh_token(&record, at(10)).is_none());
    }

    #[test]
    fn a_token_without_a_lifetime_is_always_fresh() {
        let mut record = record(1);
        record.access[0].expires_at = None;
        assert!(is_fresh(&record, &TokenRequest::default(), 99_999));
    }

    #[test]
    fn min_ttl_replaces_the_margin() {
        let request = |seconds| TokenRequest::default().min_ttl(Duration::from_secs(seconds));
        assert!(is_fresh(&record(3600), &request(0), 3599));
        assert!(!is_fresh(&record(3600), &request(3000), 601));
    }

    #[test]
    fn a_token_that_a_server_rejected_is_not_returned_again() {
        let record = record(3600);
        let stored = record.token(None).unwrap().secret;
        assert!(!is_fresh(&record, &TokenRequest::default().instead_of(stored), 1));
        let other = Secret::new("other".to_owned());
        assert!(is_fresh(&record, &TokenRequest::default().instead_of(&other), 1));
    }

    #[test]
    fn another_resource_needs_a_token_of_its_own() {
        let request = TokenRequest::default().resource("https://api.example.com");
        assert!(!is_fresh(&record(3600), &request, 1));
    }
}

//! What is asked for, and which stored token answers it.

use std::time::{Duration, SystemTime};

use crate::error::Result;
use crate::secret::Secret;
use crate::settings::check_resource;
use crate::store::{Access, Record};

/// A token with less than this left is renewed, so that it does not die on its way to a server.
const MARGIN: Duration = Duration::from_secs(30);

/// What an access token must be.
///
/// ```
/// use std::time::Duration;
/// let wish = hallpass::TokenWish::default().min_ttl(Duration::from_secs(300));
/// # let _ = wish;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenWish {
    min_ttl: Option<Duration>,
    force: bool,
    resource: Option<String>,
}

impl TokenWish {
    /// It must live at least this much longer. Defaults to what still works.
    pub fn min_ttl(mut self, min_ttl: Duration) -> TokenWish {
        self.min_ttl = Some(min_ttl);
        self
    }

    /// It must be issued after the call begins.
    pub fn renewed(mut self) -> TokenWish {
        self.force = true;
        self
    }

    /// It must be for this API (RFC 8707). Defaults to the one of the login.
    pub fn resource(mut self, resource: &str) -> TokenWish {
        self.resource = Some(resource.to_owned());
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.resource.clone().map(check_resource).transpose().map(drop)
    }

    pub(crate) fn ask(&self) -> Ask<'_> {
        let TokenWish { min_ttl, force, resource } = self;
        Ask { min_ttl: *min_ttl, force: *force, rejected: None, resource: resource.as_deref() }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ask<'a> {
    /// At least this much life, or an error.
    pub(crate) min_ttl: Option<Duration>,
    /// A token that was issued after this call began, or an error.
    pub(crate) force: bool,
    /// Any token but this one, which a server refused, or an error.
    pub(crate) rejected: Option<&'a Secret>,
    /// The API that it is for (RFC 8707); `None` is the one of the login.
    pub(crate) resource: Option<&'a str>,
}

impl Ask<'_> {
    /// Whether a token that merely still works is not enough.
    pub(super) fn insists(&self) -> bool {
        self.force || self.min_ttl.is_some() || self.rejected.is_some()
    }

    /// The entry that can be handed out as it is. A session that the server ended has none, however long its
    /// tokens seem to live; nor has one of the future, since the clock was set back, and what is left of its life
    /// cannot be told.
    pub(super) fn fresh(&self, record: &Record, now: SystemTime) -> Option<usize> {
        let index = record.access_index(self.resource).filter(|_| record.tombstone.is_none())?;
        if self.rejected == Some(&record.secret.access_tokens[index]) {
            return None;
        }
        let access = &record.access[index];
        let Some(remaining) = access.remaining(now) else { return Some(index) };
        let is_of_the_future = record.obtained_at(access) > now + MARGIN;
        let needed = self.min_ttl.unwrap_or_else(|| margin(record, access));
        (remaining > needed && !is_of_the_future).then_some(index)
    }

    /// The entry that still works, though not for long.
    pub(super) fn alive(&self, record: &Record, now: SystemTime) -> Option<usize> {
        let index = record.access_index(self.resource)?;
        record.access[index].remaining(now).is_none_or(|remaining| !remaining.is_zero()).then_some(index)
    }

    /// Whether `record` answers it, which another process or thread wrote since `seen` was read.
    pub(super) fn is_satisfied(&self, seen: &Record, record: &Record, now: SystemTime) -> bool {
        let token = |record: &Record| record.token(self.resource).map(|token| token.secret.clone());
        self.fresh(record, now).is_some() && (!self.force || token(seen) != token(record))
    }
}

/// 30 seconds, but never more than half of the token's life: a token that lives for 20 s would else be
/// renewed at every call.
fn margin(record: &Record, access: &Access) -> Duration {
    record.lifetime(access).map_or(MARGIN, |lifetime| MARGIN.min(lifetime / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoredRecord;

    fn record(lifetime: u64) -> Record {
        let v1 = include_str!("../../../../../tests/fixtures/records/v1.json");
        let stored = StoredRecord::parse(v1.as_bytes(), std::path::Path::new("v1")).unwrap();
        let mut record = stored.into_open().unwrap();
        record.access[0].expires_at = Some(record.obtained_at + Duration::from_secs(lifetime));
        record
    }

    fn is_fresh(record: &Record, ask: &Ask<'_>, age: u64) -> bool {
        ask.fresh(record, record.obtained_at + Duration::from_secs(age)).is_some()
    }

    #[test]
    fn a_token_is_fresh_until_30_seconds_are_left() {
        let (record, ask) = (record(3600), Ask::default());
        assert!(is_fresh(&record, &ask, 3569));
        assert!(!is_fresh(&record, &ask, 3570));
        assert!(!is_fresh(&record, &ask, 9999));
    }

    #[test]
    fn p36_a_token_of_the_future_is_not_fresh() {
        let (record, ask) = (record(3600), Ask::default());
        let before = |seconds| record.obtained_at - Duration::from_secs(seconds);
        assert!(ask.fresh(&record, before(30)).is_some());
        assert!(ask.fresh(&record, before(31)).is_none() && ask.alive(&record, before(3600)).is_some());
    }

    #[test]
    fn p32_the_margin_is_never_more_than_half_of_a_short_life() {
        for lifetime in [2, 20, 50] {
            assert!(is_fresh(&record(lifetime), &Ask::default(), lifetime / 2 - 1), "{lifetime}");
            assert!(!is_fresh(&record(lifetime), &Ask::default(), lifetime / 2), "{lifetime}");
        }
    }

    #[test]
    fn the_margin_goes_by_when_the_entry_itself_was_renewed() {
        let mut record = record(20);
        record.access[0].obtained_at = Some(record.obtained_at);
        record.obtained_at += Duration::from_secs(15);
        let at = |age| record.access[0].obtained_at.unwrap() + Duration::from_secs(age);
        assert!(Ask::default().fresh(&record, at(9)).is_some());
        assert!(Ask::default().fresh(&record, at(10)).is_none());
    }

    #[test]
    fn without_a_lifetime_a_token_is_handed_out_until_told_otherwise() {
        let mut record = record(1);
        record.access[0].expires_at = None;
        assert!(is_fresh(&record, &Ask::default(), 99_999));
    }

    #[test]
    fn an_asked_for_life_rules_over_the_margin() {
        let ask = |seconds| Ask { min_ttl: Some(Duration::from_secs(seconds)), ..Ask::default() };
        assert!(is_fresh(&record(3600), &ask(0), 3599));
        assert!(!is_fresh(&record(3600), &ask(3000), 601));
    }

    #[test]
    fn a_token_that_a_server_refused_is_not_handed_out_again() {
        let record = record(3600);
        let (refused, other) = (record.secret.access_tokens[0].clone(), Secret::new("other".to_owned()));
        assert!(!is_fresh(&record, &Ask { rejected: Some(&refused), ..Ask::default() }, 1));
        assert!(is_fresh(&record, &Ask { rejected: Some(&other), ..Ask::default() }, 1));
    }

    #[test]
    fn another_resource_needs_a_token_of_its_own() {
        let ask = Ask { resource: Some("https://api.example.com"), ..Ask::default() };
        assert!(!is_fresh(&record(3600), &ask, 1));
    }
}

//! The ID token (OpenID Connect Core §2) and its validation (§3.1.3.7), in two steps:
//! [`UnverifiedIdToken::parse`] reads it, [`verify`](UnverifiedIdToken::verify) judges it.
//!
//! The signature is always checked, also where the token came straight from the token endpoint and
//! the standard would let a client skip it.
//!
//! ```no_run
//! use hallpass::Secret;
//! use hallpass::protocol::id_token::{Expectations, UnverifiedIdToken};
//! use hallpass::protocol::jwk::JwkSet;
//!
//! # fn main() -> Result<(), hallpass::error::ServerMisbehaved> {
//! # let (id_token, access_token, jwks) = (Secret::new(String::new()), Secret::new(String::new()), vec![]);
//! let id_token = UnverifiedIdToken::parse(&id_token)?;
//! let keys = JwkSet::parse(&jwks)?;
//! let claims = id_token.verify(&keys, &Expectations {
//!     issuer: "https://login.example",
//!     client_id: "mytool",
//!     nonce: Some("the one in the authorization request"),
//!     max_age: None,
//!     access_token: Some(&access_token),
//!     now: std::time::SystemTime::now(),
//! })?;
//! println!("{}", claims.sub);
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::issuer::{escaped, for_tenant};
use super::json;
use crate::Secret;
use crate::crypto;
use crate::error::ServerMisbehaved;
use crate::protocol::jwk::{Alg, JwkSet};

/// Longest ID token that is read. Those with hundreds of group names reach 16 KiB.
const MAX_BYTES: usize = 64 * 1024;

/// How far this computer's clock may be from the server's, both ways. Clocks of laptops and virtual
/// machines that wake from sleep are wrong by minutes, and a strict comparison locks their users out
/// of a sign-in that just succeeded. Replay is not what the times guard here: the nonce and the
/// code's single use do.
const LEEWAY: Duration = Duration::from_secs(5 * 60);

/// Longest `sub`, in characters (OpenID Connect Core §2).
const MAX_SUB_CHARS: usize = 255;

/// The last second of the year 9999, the last that RFC 3339 can write. Servers that mean "never"
/// send numbers beyond it; they are cut to it.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// What a token must say to be accepted.
#[derive(Debug, Clone, Copy)]
pub struct Expectations<'a> {
    /// The issuer whose metadata named the keys. Compared byte for byte.
    pub issuer: &'a str,
    /// Our client identifier.
    pub client_id: &'a str,
    /// The `nonce` of the authorization request. `None` after a refresh, where the claim is not
    /// judged (OpenID Connect Core §12.2: many servers leave it out).
    pub nonce: Option<&'a str>,
    /// The `max_age` of the authorization request. `None`: nobody asked when the user last proved who they are.
    pub max_age: Option<Duration>,
    /// The access token that came with the ID token, for `at_hash`. `None`: not judged.
    pub access_token: Option<&'a Secret>,
    /// The time by this computer's clock.
    pub now: SystemTime,
}

/// The claims of an ID token (OpenID Connect Core §2).
///
/// They are verified if [`UnverifiedIdToken::verify`] gave them, and hearsay if
/// [`UnverifiedIdToken::claims`] did. Times are cut to whole seconds and to the years 1970 to 9999.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdTokenClaims {
    /// Who issued the token.
    pub iss: String,
    /// The user's identifier, unique within the issuer and never reassigned; 1 to 255 characters.
    pub sub: String,
    /// The clients it is for. A single string on the wire is a list of one here.
    pub aud: Vec<String>,
    /// The client it was issued to.
    pub azp: Option<String>,
    /// When it ends.
    pub exp: SystemTime,
    /// When it was issued.
    pub iat: SystemTime,
    /// Not to be used before (RFC 7519 §4.1.5).
    pub nbf: Option<SystemTime>,
    /// When the user last proved who they are.
    pub auth_time: Option<SystemTime>,
    /// The `nonce` of the authorization request.
    pub nonce: Option<String>,
    /// The left half of the access token's hash, base64url (OpenID Connect Core §3.1.3.6).
    pub at_hash: Option<String>,
    /// Every claim as it came, those above and the server's own.
    pub all: Map<String, Value>,
}

impl fmt::Debug for IdTokenClaims {
    /// Leaves out `nonce`, `at_hash` and the values in `all`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdTokenClaims")
            .field("iss", &self.iss)
            .field("sub", &self.sub)
            .field("aud", &self.aud)
            .field("azp", &self.azp)
            .field("exp", &self.exp)
            .field("iat", &self.iat)
            .field("nbf", &self.nbf)
            .field("auth_time", &self.auth_time)
            .field("all", &self.all.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// An ID token that can be read, and of which nothing else is known: anybody may have made it.
#[derive(Clone)]
pub struct UnverifiedIdToken {
    alg: Alg,
    kid: Option<String>,
    claims: IdTokenClaims,
    /// Header and claims as they were signed (RFC 7515 §5.2, step 8).
    signing_input: Secret,
    signature: Vec<u8>,
}

impl fmt::Debug for UnverifiedIdToken {
    /// Leaves out the signature.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedIdToken")
            .field("alg", &self.alg)
            .field("kid", &self.kid)
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}

impl UnverifiedIdToken {
    /// Reads a JWS in compact form (RFC 7515 §7.1) whose payload is a JSON object of claims.
    ///
    /// Refused are: more than 64 KiB, other than three parts, any second spelling of the base64url
    /// (RFC 7515 §2), a member that is there twice, an algorithm that is not an [`Alg`], a `typ` of
    /// another kind of token, `crit` and `b64: false`; a required claim that is missing, and any
    /// claim of [`IdTokenClaims`] that has the wrong type, `null` included. The header's `jku`,
    /// `jwk`, `x5u` and `x5c` are not looked at: keys come from the issuer's JWKS alone.
    pub fn parse(raw: &Secret) -> Result<UnverifiedIdToken, ServerMisbehaved> {
        let raw = raw.expose();
        if raw.len() > MAX_BYTES {
            return Err(ServerMisbehaved::IdTokenMalformed("larger than 64 KiB"));
        }
        let (signing_input, [header, claims, signature]) = split(raw)?;
        let (alg, kid) = judge_header(header)?;
        Ok(UnverifiedIdToken {
            alg,
            kid,
            claims: IdTokenClaims::parse(claims)?,
            signing_input: Secret::new(signing_input.to_owned()),
            signature: crypto::from_base64url(signature).ok_or(NO_BASE64URL)?,
        })
    }

    /// The algorithm that the header names.
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// The name of the key that the header says it was signed with (RFC 7515 §4.1.4).
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// What the token says. **Nothing of it is verified**: it may be shown to nobody and be
    /// compared only in order to refuse, as [`contradicts`](UnverifiedIdToken::contradicts) does.
    pub fn claims(&self) -> &IdTokenClaims {
        &self.claims
    }

    /// Whether some key of the set may have signed this token. If none, fetch the JWKS again, once,
    /// before [`verify`](UnverifiedIdToken::verify): the server may have changed its keys
    /// (OpenID Connect Core §10.1.1).
    pub fn has_key_in(&self, keys: &JwkSet) -> bool {
        !keys.candidates(self.kid(), self.alg).is_empty()
    }

    /// Whether the token speaks of another sign-in than the one that was refreshed (OpenID Connect
    /// Core §12.2): other issuer, user or client. Needs no key, and so can be asked before a
    /// rotated refresh token is saved; a `None` proves nothing.
    pub fn contradicts(&self, issuer: &str, sub: &str, client_id: &str) -> Option<ServerMisbehaved> {
        self.claims.judge_same_session(issuer, sub, client_id).err()
    }

    /// Judges key, signature and claims, in this order (OpenID Connect Core §3.1.3.7), with a
    /// leeway of five minutes on every time.
    ///
    /// [`IdTokenKey`](ServerMisbehaved::IdTokenKey) says that no key of the set fits; see
    /// [`has_key_in`](UnverifiedIdToken::has_key_in).
    pub fn verify(
        self,
        keys: &JwkSet,
        expected: &Expectations<'_>,
    ) -> Result<IdTokenClaims, ServerMisbehaved> {
        self.judge_signature(keys)?;
        let claims = &self.claims;
        claims.judge_iss(expected.issuer)?;
        claims.judge_aud(expected.client_id)?;
        claims.judge_azp(expected.client_id)?;
        claims.judge_times(expected.now)?;
        claims.judge_nonce(expected.nonce)?;
        claims.judge_auth_time(expected.max_age)?;
        claims.judge_at_hash(self.alg, expected.access_token)?;
        Ok(self.claims)
    }

    fn judge_signature(&self, keys: &JwkSet) -> Result<(), ServerMisbehaved> {
        let candidates = keys.candidates(self.kid(), self.alg);
        if candidates.is_empty() {
            return Err(ServerMisbehaved::IdTokenKey);
        }
        let message = self.signing_input.expose().as_bytes();
        match candidates.iter().any(|key| key.verify(self.alg, message, &self.signature)) {
            true => Ok(()),
            false => Err(ServerMisbehaved::IdTokenSignature),
        }
    }
}

const NO_BASE64URL: ServerMisbehaved = ServerMisbehaved::IdTokenMalformed("not base64url");

/// The signing input, and the three parts.
fn split(raw: &str) -> Result<(&str, [&str; 3]), ServerMisbehaved> {
    let mut parts = raw.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(claims), Some(signature), None) => {
            Ok((&raw[..header.len() + 1 + claims.len()], [header, claims, signature]))
        }
        _ => Err(ServerMisbehaved::IdTokenMalformed("not three parts")),
    }
}

fn judge_header(part: &str) -> Result<(Alg, Option<String>), ServerMisbehaved> {
    let bytes = crypto::from_base64url(part).ok_or(NO_BASE64URL)?;
    let header = json::object(&bytes)
        .map_err(|_| ServerMisbehaved::IdTokenMalformed("the header is no JSON object of unique members"))?;
    let text = |name| match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(ServerMisbehaved::IdTokenHeader(name)),
    };
    let alg = text("alg")?.ok_or(ServerMisbehaved::IdTokenHeader("alg"))?.parse()?;
    if !text("typ")?.is_none_or(is_jwt) {
        return Err(ServerMisbehaved::IdTokenHeader("typ"));
    }
    // No extension is understood here, so each that must be understood is a reason to refuse.
    if header.contains_key("crit") {
        return Err(ServerMisbehaved::IdTokenHeader("crit"));
    }
    // RFC 7797: with `b64: false` the payload would be signed as it is, not encoded.
    if header.get("b64").is_some_and(|b64| *b64 != true) {
        return Err(ServerMisbehaved::IdTokenHeader("b64"));
    }
    Ok((alg, text("kid")?.map(str::to_owned)))
}

/// Media types ignore case, and `application/` may be left out (RFC 7515 §4.1.9). Every other kind of
/// token has a name of its own: `at+jwt`, `logout+jwt`, `dpop+jwt` (RFC 8725 §3.11).
fn is_jwt(typ: &str) -> bool {
    typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("application/jwt")
}

impl IdTokenClaims {
    fn parse(part: &str) -> Result<IdTokenClaims, ServerMisbehaved> {
        let bytes = crypto::from_base64url(part).ok_or(NO_BASE64URL)?;
        let all = json::object(&bytes).map_err(unreadable_claims)?;
        Ok(IdTokenClaims {
            iss: required(&all, "iss", text)?,
            sub: required(&all, "sub", subject)?,
            aud: required(&all, "aud", audience)?,
            azp: optional(&all, "azp", text)?,
            exp: required(&all, "exp", numeric_date)?,
            iat: required(&all, "iat", numeric_date)?,
            nbf: optional(&all, "nbf", numeric_date)?,
            auth_time: optional(&all, "auth_time", numeric_date)?,
            nonce: optional(&all, "nonce", text)?,
            at_hash: optional(&all, "at_hash", text)?,
            all,
        })
    }

    fn judge_same_session(&self, issuer: &str, sub: &str, client_id: &str) -> Result<(), ServerMisbehaved> {
        self.judge_iss(issuer)?;
        if self.sub != sub {
            return Err(ServerMisbehaved::IdTokenSub);
        }
        self.judge_aud(client_id)?;
        self.judge_azp(client_id)
    }

    /// Byte for byte: no normal form of a URL is the same URL (OpenID Connect Core §3.1.3.7, 2).
    fn judge_iss(&self, issuer: &str) -> Result<(), ServerMisbehaved> {
        let expected = for_tenant(issuer, &self.all);
        if self.iss == expected {
            return Ok(());
        }
        let found = escaped(&self.iss);
        Err(ServerMisbehaved::IdTokenIss { expected: expected.into_owned(), found })
    }

    /// Only we: a token that is for others too may have been passed on by one of them (§3.1.3.7, 3).
    fn judge_aud(&self, client_id: &str) -> Result<(), ServerMisbehaved> {
        match !self.aud.is_empty() && self.aud.iter().all(|aud| aud == client_id) {
            true => Ok(()),
            false => Err(ServerMisbehaved::IdTokenAud),
        }
    }

    /// OpenID Connect Core §3.1.3.7, 4 and 5.
    fn judge_azp(&self, client_id: &str) -> Result<(), ServerMisbehaved> {
        match &self.azp {
            Some(azp) if azp == client_id => Ok(()),
            None if self.aud.len() == 1 => Ok(()),
            _ => Err(ServerMisbehaved::IdTokenAzp),
        }
    }

    /// OpenID Connect Core §3.1.3.7, 9 and 10; RFC 7519 §4.1.5.
    fn judge_times(&self, now: SystemTime) -> Result<(), ServerMisbehaved> {
        if let Some(ago) = since(self.exp, now).filter(|ago| *ago >= LEEWAY) {
            return Err(ServerMisbehaved::IdTokenExpired { ago, skew: None });
        }
        for start in [Some(self.iat), self.nbf].into_iter().flatten() {
            if let Some(ahead) = since(now, start).filter(|ahead| *ahead > LEEWAY) {
                return Err(ServerMisbehaved::IdTokenFromFuture { ahead, skew: None });
            }
        }
        Ok(())
    }

    /// OpenID Connect Core §3.1.3.7, 11. A missing one is a wrong one.
    fn judge_nonce(&self, expected: Option<&str>) -> Result<(), ServerMisbehaved> {
        match expected.is_none() || self.nonce.as_deref() == expected {
            true => Ok(()),
            false => Err(ServerMisbehaved::IdTokenNonce),
        }
    }

    /// OpenID Connect Core §3.1.3.7, 13. Both times are the server's, so that our clock is of no matter; the person may
    /// have thought about the consent in between.
    fn judge_auth_time(&self, max_age: Option<Duration>) -> Result<(), ServerMisbehaved> {
        let Some(max_age) = max_age else { return Ok(()) };
        let auth_time = self.auth_time.ok_or(ServerMisbehaved::IdTokenClaim("auth_time"))?;
        match since(auth_time, self.iat).filter(|ago| *ago > max_age.saturating_add(LEEWAY)) {
            Some(ago) => Err(ServerMisbehaved::IdTokenAuthTime(ago)),
            None => Ok(()),
        }
    }

    /// OpenID Connect Core §3.1.3.8: the left half of the token's hash.
    fn judge_at_hash(&self, alg: Alg, access_token: Option<&Secret>) -> Result<(), ServerMisbehaved> {
        let (Some(at_hash), Some(access_token)) = (&self.at_hash, access_token) else {
            return Ok(());
        };
        let hash = alg.sha2().hash(access_token.expose().as_bytes());
        match *at_hash == crypto::to_base64url(&hash[..hash.len() / 2]) {
            true => Ok(()),
            false => Err(ServerMisbehaved::IdTokenAtHash),
        }
    }
}

/// From `earlier` to `later` in whole seconds, which is how a person is told; `None` if it is the
/// other way round.
fn since(earlier: SystemTime, later: SystemTime) -> Option<Duration> {
    later.duration_since(earlier).ok().map(|time| Duration::from_secs(time.as_secs()))
}

type Claims = Map<String, Value>;

/// A claim that may be missing but must not be of another type, `null` included: taking a wrong type
/// for an absence would skip its check (CVE-2026-25537).
fn optional<T>(
    all: &Claims,
    name: &'static str,
    read: fn(&Value) -> Option<T>,
) -> Result<Option<T>, ServerMisbehaved> {
    all.get(name).map(|value| read(value).ok_or(ServerMisbehaved::IdTokenClaim(name))).transpose()
}

fn required<T>(
    all: &Claims,
    name: &'static str,
    read: fn(&Value) -> Option<T>,
) -> Result<T, ServerMisbehaved> {
    optional(all, name, read)?.ok_or(ServerMisbehaved::IdTokenClaim(name))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn subject(value: &Value) -> Option<String> {
    text(value).filter(|sub| !sub.is_empty() && sub.chars().count() <= MAX_SUB_CHARS)
}

fn audience(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        _ => Some(vec![text(value)?]),
    }
}

/// Seconds since 1970, whole or not (RFC 7519 §2). Doubles hold whole seconds far beyond 9999.
fn numeric_date(value: &Value) -> Option<SystemTime> {
    let seconds = value.as_f64()?.clamp(0.0, LAST_SECOND);
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds as u64))
}

/// A number that no double can hold (`1e400`) ends the parser inside that claim.
fn unreadable_claims(member: Option<String>) -> ServerMisbehaved {
    const NUMBERS: [&str; 4] = ["exp", "iat", "nbf", "auth_time"];
    match NUMBERS.into_iter().find(|name| member.as_deref() == Some(name)) {
        Some(name) => ServerMisbehaved::IdTokenClaim(name),
        None => ServerMisbehaved::IdTokenMalformed("the claims are no JSON object of unique members"),
    }
}

#[cfg(test)]
mod tests;

//! Asking the server who the token speaks for.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use url::Url;

use super::discover::discover;
use super::endpoint::{endpoint_of, status_error};
use super::refresh::{self, TokenRequest};
use super::{Context, LOCK_LIMIT};
use crate::error::{Error, NetworkError, NetworkErrorKind, Result, ServerIncompatible, ServerMisbehaved};
use crate::protocol::bearer;
use crate::protocol::metadata::Endpoint;
use crate::protocol::userinfo;
use crate::secret::Secret;
use crate::store::Record;
use crate::user::User;
use crate::world::http::HttpRequest;

/// The profile claims behind an access token.
pub(super) fn ask(
    context: &Context,
    url: &Url,
    access_token: &Secret,
    names: &BTreeMap<String, String>,
    sub: Option<&str>,
) -> Result<Map<String, Value>> {
    let authorization = Some(bearer::authorization_header(access_token));
    let request = HttpRequest { authorization, ..HttpRequest::get(url.clone()) };
    let answer = context.send("userinfo endpoint", request)?;
    if answer.status != 200 {
        return Err(status_error(url, &answer));
    }
    Ok(userinfo::profile_claims(userinfo::judge(&answer.body, names, sub)?))
}

/// Asks with the session's own token, renews it once if the server no longer takes it, and saves the answer.
pub(crate) fn fetch_user(context: &Context) -> Result<User> {
    // Opened, so that the address is the one that was sealed with the token.
    let record = context.record()?;
    let url = endpoint_of(&record, Endpoint::Userinfo)
        .ok_or(ServerIncompatible::NoEndpoint(Endpoint::Userinfo.member()))?;
    let sub = record.user.as_ref().map(|user| user.sub.as_str());
    let token = refresh::access_token(context, &TokenRequest::default())?;
    let claims = match ask(context, &url, token.secret(), &record.claim_names, sub) {
        Err(error) if is_unauthorized(&error) && record.renewable => {
            let refreshed = refresh::access_token(context, &TokenRequest::default().refreshed())?;
            ask(context, &url, refreshed.secret(), &record.claim_names, sub)?
        }
        result => result?,
    };
    save(context, &claims)
}

/// Asks with a token that is not the session's.
pub(crate) fn user_behind(context: &Context, access_token: &Secret) -> Result<User> {
    let (url, names) = match (context.stored(), &context.config.client) {
        (Ok(record), _) => (endpoint_of(&record, Endpoint::Userinfo), record.claim_names),
        (Err(_), Some(client)) => {
            let metadata = discover(context, client)?;
            (metadata.endpoints.get(Endpoint::Userinfo).cloned(), client.claim_names.clone())
        }
        (Err(error), None) => return Err(error),
    };
    let url = url.ok_or(ServerIncompatible::NoEndpoint(Endpoint::Userinfo.member()))?;
    let claims = ask(context, &url, access_token, &names, None)?;
    Ok(User::from_claims(&claims).ok_or(ServerMisbehaved::UserinfoSub)?)
}

fn is_unauthorized(error: &Error) -> bool {
    matches!(error, Error::Network(NetworkError { kind: NetworkErrorKind::Status(401), .. }))
}

/// Puts new claims into the record, if it is still the same user's.
fn save(context: &Context, claims: &Map<String, Value>) -> Result<User> {
    let user = User::from_claims(claims).ok_or(ServerMisbehaved::UserinfoSub)?;
    let _guard = context.lock(LOCK_LIMIT)?;
    let record = context.record()?;
    let is_same = record.user.as_ref().is_none_or(|known| known.sub == user.sub);
    if is_same && record.claims != *claims {
        context.store.stage()?.save(Record { user: Some(user.clone()), claims: claims.clone(), ..record })?;
    }
    Ok(user)
}

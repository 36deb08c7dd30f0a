//! A browser for a login of the command.

use super::PATIENCE;

/// The page that the browser shows at the end.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub body: String,
}

/// Opens a URL and follows redirects, as the browser of a user does who is already signed in at the server. Fails only if
/// the connection does.
pub fn browse(url: &str) -> Result<Page, ureq::Error> {
    let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false);
    let agent = config.timeout_global(Some(PATIENCE)).build().new_agent();
    let mut response = agent.get(url).call()?;
    Ok(Page { status: response.status().as_u16(), body: response.body_mut().read_to_string()? })
}

/// Returns a parameter of a URL.
pub fn param(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

/// Returns the callback URL of an authorization URL with these parameters; `{state}` stands for the right state.
pub fn callback(url: &str, query: &str) -> String {
    let state = param(url, "state").unwrap();
    format!("{}?{}", param(url, "redirect_uri").unwrap(), query.replace("{state}", &state))
}

//! The pages that the browser shows after a sign-in.

use url::Url;

use crate::error::{Denied, Error, Misuse};
use crate::loopback::page::{Page, escape};

const STYLE: &str = include_str!("pages/style.css");
const DONE: &str = include_str!("pages/done.svg");
const FAILED: &str = include_str!("pages/failed.svg");
const WAITING: &str = include_str!("pages/waiting.svg");

/// The pages that end a sign-in in the browser: name, color, logo and text.
///
/// They contain no script and load nothing. Text from a server is escaped; the program's own logo is not.
///
/// ```
/// let pages = hallpass::Pages::new("Acme").color("#c2410c").unwrap();
/// # let _ = pages;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pages {
    name: String,
    color: String,
    logo: String,
    done: String,
    redirect: Option<Url>,
}

impl Default for Pages {
    /// No name, blue, and "You can close this tab and return to your terminal."
    fn default() -> Pages {
        Pages {
            name: String::new(),
            color: "#2563eb".to_owned(),
            logo: String::new(),
            done: "You can close this tab and return to your terminal.".to_owned(),
            redirect: None,
        }
    }
}

impl Pages {
    /// Creates pages that show the program's name.
    pub fn new(name: &str) -> Pages {
        Pages { name: crate::sanitize::text(name), ..Pages::default() }
    }

    /// Sets the accent color, as `#rrggbb`.
    ///
    /// # Errors
    /// [`Misuse::Setting`] for anything else.
    pub fn color(mut self, color: &str) -> Result<Pages, Misuse> {
        let digits = color.strip_prefix('#').unwrap_or_default();
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Misuse::setting(
                "color",
                format!("\"{}\" is not of the form #rrggbb", crate::sanitize::text(color)),
            ));
        }
        color.clone_into(&mut self.color);
        Ok(self)
    }

    /// Sets a logo as inline SVG, 24 to 48 pixels high. It is not escaped.
    pub fn logo(mut self, svg: &str) -> Pages {
        svg.clone_into(&mut self.logo);
        self
    }

    /// Sets the sentence under "You are signed in".
    pub fn done_text(mut self, text: &str) -> Pages {
        text.clone_into(&mut self.done);
        self
    }

    /// Redirects the browser to this URL after a successful sign-in, instead of showing a page.
    ///
    /// # Errors
    /// [`Misuse::Setting`] if it is not `https`.
    pub fn redirect(mut self, url: &str) -> Result<Pages, Misuse> {
        match Url::parse(url) {
            Ok(url) if url.scheme() == "https" => {
                self.redirect = Some(url);
                Ok(self)
            }
            _ => Err(Misuse::setting(
                "redirect",
                format!("\"{}\" is not an https URL", crate::sanitize::text(url)),
            )),
        }
    }

    /// The page after the session was saved.
    pub(crate) fn signed_in(&self, user: Option<&str>) -> Page {
        if let Some(url) = &self.redirect {
            return Page::redirect(url);
        }
        let user = user.map(|user| format!("<p class=\"who\">{}</p>", escape(user))).unwrap_or_default();
        self.page(200, "done", DONE, "You are signed in", &format!("{user}<p>{}</p>", escape(&self.done)))
    }

    /// The page of a sign-in that failed.
    pub(crate) fn failed(&self, error: &Error) -> Page {
        let end = "See your terminal for what to do next. You can close this tab.";
        match error {
            Error::Denied(Denied::ByServer(denied)) if denied.error == "access_denied" => {
                let code = escape(&denied.to_string());
                let body =
                    format!("<p>You did not allow access.</p><p>{end}</p><p class=\"code\">{code}</p>");
                self.page(400, "failed", FAILED, "Access denied", &body)
            }
            _ => {
                let body = format!("<p>{}</p><p>{end}</p>", escape(&sentence(&error.to_string())));
                self.page(400, "failed", FAILED, "Sign-in failed", &body)
            }
        }
    }

    /// The page for a callback of another sign-in.
    pub(crate) fn not_ours(&self) -> Page {
        let body = "<p>This page belongs to another sign-in, perhaps an older one.</p>\
                    <p>Close this tab, then open the URL that your terminal shows now.</p>";
        self.page(400, "failed", WAITING, "This sign-in is no longer active", body)
    }

    /// The page for a callback without parameters.
    pub(crate) fn empty(&self) -> Page {
        let body = "<p>The server sent you back without a response in the URL. It may be after the <b>#</b>, where this \
                    program can\u{2019}t see it.</p>\
                    <p>Close this tab, then open the URL in your terminal again. The sign-in is still waiting.</p>";
        self.page(400, "failed", WAITING, "Incomplete callback", body)
    }

    /// The page if the outcome takes longer than a browser should wait.
    pub(crate) fn finishing(&self) -> Page {
        let body = "<p>Your terminal will show the result. You can close this tab.</p>";
        self.page(200, "wait", WAITING, "Finishing sign-in", body)
    }

    fn page(&self, status: u16, class: &str, icon: &str, heading: &str, body: &str) -> Page {
        let style = STYLE.replace("#2563eb", &self.color);
        let name = escape(&self.name);
        let title = if name.is_empty() { heading.to_owned() } else { format!("{heading} · {name}") };
        let brand = match (self.logo.as_str(), name.as_str()) {
            ("", "") => String::new(),
            (logo, name) => format!("<header>{logo}<span>{name}</span></header>"),
        };
        let html = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title><style>{style}</style></head>\
             <body><main class=\"{class}\">{brand}{icon}<h1>{heading}</h1>{body}</main></body></html>\n"
        );
        Page::new(status, html, &style)
    }
}

/// A message as a sentence.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{OAuthError, ServerMisbehaved};

    fn access_denied() -> Error {
        Denied::ByServer(OAuthError::new("access_denied", Some("The user said no"), None)).into()
    }

    fn text(page: &Page) -> String {
        String::from_utf8(page.to_http()).unwrap()
    }

    #[test]
    fn the_page_names_the_account_and_escapes_it() {
        let page = text(&Pages::new("Acme & Co").signed_in(Some("<script>alert(1)</script>")));
        assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("You are signed in · Acme &amp; Co"));
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script"));
    }

    #[test]
    fn p09_a_failure_is_not_a_success_in_status_or_words() {
        let page = text(&Pages::default().failed(&access_denied()));
        assert!(page.starts_with("HTTP/1.1 400 ") && !page.contains("signed in"));
    }

    #[test]
    fn a_denial_says_so_and_shows_the_code_below() {
        let page = text(&Pages::default().failed(&access_denied()));
        assert!(page.contains("<h1>Access denied</h1><p>You did not allow access.</p>"), "{page}");
        assert!(page.contains("<p class=\"code\">access_denied (The user said no)</p>"), "{page}");
    }

    #[test]
    fn n25_no_page_loads_anything() {
        let pages = Pages::new("x");
        for page in [
            pages.signed_in(None),
            pages.failed(&ServerMisbehaved::IdTokenAud.into()),
            pages.not_ours(),
            pages.empty(),
            pages.finishing(),
        ] {
            let page = text(&page);
            assert!(
                !page.contains("src=")
                    && !page.contains("href=")
                    && !page.contains("url(")
                    && !page.contains("@import")
            );
        }
    }

    #[test]
    fn n26_the_final_redirect_is_fixed_before_and_https() {
        let pages = Pages::default().redirect("https://acme.example/welcome").unwrap();
        assert!(text(&pages.signed_in(Some("a"))).contains("303 See Other\r\n"));
        assert!(text(&pages.failed(&access_denied())).starts_with("HTTP/1.1 400 "));
        assert!(Pages::default().redirect("http://acme.example").is_err());
        assert!(Pages::default().redirect("javascript:alert(1)").is_err());
    }

    #[test]
    fn a_color_is_a_color() {
        assert!(Pages::default().color("#00ff7F").is_ok());
        assert!(Pages::default().color("red;}</style>").is_err());
    }
}

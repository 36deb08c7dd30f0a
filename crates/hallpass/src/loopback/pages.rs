//! What the browser shows when it comes back.

use url::Url;

use crate::error::Misuse;
use crate::loopback::page::{Page, escape};

const STYLE: &str = include_str!("pages/style.css");
const DONE: &str = include_str!("pages/done.svg");
const FAILED: &str = include_str!("pages/failed.svg");
const WAITING: &str = include_str!("pages/waiting.svg");

/// The pages that end a sign-in in the browser: their name, colour, logo and words.
///
/// They hold no script and load nothing. Text that came from a server is escaped; a program's own logo is
/// taken as it is.
///
/// ```
/// let pages = hallpass::Pages::new("Acme").colour("#c2410c").unwrap();
/// # let _ = pages;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pages {
    name: String,
    colour: String,
    logo: String,
    done: String,
    landing: Option<Url>,
}

impl Default for Pages {
    /// No name, a quiet blue, and "You can close this tab and return to your terminal."
    fn default() -> Pages {
        Pages {
            name: String::new(),
            colour: "#2563eb".to_owned(),
            logo: String::new(),
            done: "You can close this tab and return to your terminal.".to_owned(),
            landing: None,
        }
    }
}

impl Pages {
    /// Pages that name the program.
    pub fn new(name: &str) -> Pages {
        Pages { name: crate::sanitize::text(name), ..Pages::default() }
    }

    /// The accent, as `#rrggbb`.
    ///
    /// # Errors
    /// [`Misuse::Setting`] for anything else.
    pub fn colour(mut self, colour: &str) -> Result<Pages, Misuse> {
        let digits = colour.strip_prefix('#').unwrap_or_default();
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Misuse::setting(
                "colour",
                format!("\"{}\" is not of the form #rrggbb", crate::sanitize::text(colour)),
            ));
        }
        colour.clone_into(&mut self.colour);
        Ok(self)
    }

    /// A logo as inline SVG, 24 to 48 pixels high. It is the program's own and is not escaped.
    pub fn logo(mut self, svg: &str) -> Pages {
        svg.clone_into(&mut self.logo);
        self
    }

    /// The sentence under "You are signed in".
    pub fn done_text(mut self, text: &str) -> Pages {
        text.clone_into(&mut self.done);
        self
    }

    /// Sends the browser to this address after a success, instead of showing a page.
    ///
    /// # Errors
    /// [`Misuse::Setting`] where it is not `https`.
    pub fn landing(mut self, url: &str) -> Result<Pages, Misuse> {
        let problem =
            || Misuse::setting("landing", format!("\"{}\" is no https address", crate::sanitize::text(url)));
        let url = Url::parse(url).ok().filter(|url| url.scheme() == "https").ok_or_else(problem)?;
        self.landing = Some(url);
        Ok(self)
    }

    /// After the save: whose sign-in it was.
    pub(crate) fn signed_in(&self, user: Option<&str>) -> Page {
        if let Some(url) = &self.landing {
            return Page::landing(url);
        }
        let whom = user.map(|user| format!("<p class=\"who\">{}</p>", escape(user))).unwrap_or_default();
        self.page(200, "done", DONE, "You are signed in", &format!("{whom}<p>{}</p>", escape(&self.done)))
    }

    /// The sign-in failed; why, and where to look next.
    pub(crate) fn failed(&self, why: &str) -> Page {
        let body = format!(
            "<p>{}</p><p>Your terminal says what to do next. You can close this tab.</p>",
            escape(why)
        );
        self.page(400, "failed", FAILED, "Sign-in failed", &body)
    }

    /// An answer that belongs to no sign-in that is waiting here.
    pub(crate) fn not_ours(&self) -> Page {
        let body = "<p>This page belongs to another sign-in, perhaps an older one.</p>\
                    <p>Close this tab. The sign-in that is waiting in your terminal goes on.</p>";
        self.page(400, "failed", WAITING, "Not this sign-in", body)
    }

    /// A callback without any parameters.
    pub(crate) fn empty(&self) -> Page {
        let body = "<p>The server sent you here without an answer in the address. It may be after the <b>#</b>, \
                    where this program cannot see it.</p><p>Look at your terminal: the sign-in is still waiting.</p>";
        self.page(400, "failed", WAITING, "No answer came along", body)
    }

    /// The outcome takes longer than a browser should be kept waiting.
    pub(crate) fn finishing(&self) -> Page {
        let body = "<p>Your terminal shows how it ends. You can close this tab.</p>";
        self.page(200, "wait", WAITING, "Finishing in your terminal", body)
    }

    fn page(&self, status: u16, class: &str, icon: &str, heading: &str, body: &str) -> Page {
        let style = STYLE.replace("#2563eb", &self.colour);
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn p09_a_failure_is_no_success_in_status_or_words() {
        let page = text(&Pages::default().failed("access_denied"));
        assert!(page.starts_with("HTTP/1.1 400 ") && !page.contains("signed in"));
    }

    #[test]
    fn n25_no_page_loads_anything() {
        let pages = Pages::new("x");
        for page in
            [pages.signed_in(None), pages.failed("y"), pages.not_ours(), pages.empty(), pages.finishing()]
        {
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
    fn n26_the_landing_address_is_fixed_before_and_https() {
        let pages = Pages::default().landing("https://acme.example/welcome").unwrap();
        assert!(text(&pages.signed_in(Some("a"))).contains("303 See Other\r\n"));
        assert!(text(&pages.failed("b")).starts_with("HTTP/1.1 400 "));
        assert!(Pages::default().landing("http://acme.example").is_err());
        assert!(Pages::default().landing("javascript:alert(1)").is_err());
    }

    #[test]
    fn a_colour_is_a_colour() {
        assert!(Pages::default().colour("#00ff7F").is_ok());
        assert!(Pages::default().colour("red;}</style>").is_err());
    }
}

//! A response to the browser: no script, nothing loaded, never cached.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::crypto;

/// A complete response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    status: u16,
    location: Option<String>,
    html: String,
    style: String,
}

impl Page {
    /// Creates a page with its style sheet, which the content security policy allows by its hash.
    pub(crate) fn new(status: u16, html: String, style: &str) -> Page {
        Page { status, location: None, html, style: style.to_owned() }
    }

    /// Creates a response that only has a status.
    pub(crate) fn bare(status: u16) -> Page {
        let html = if status == 204 { String::new() } else { format!("{status} {}\n", reason(status)) };
        Page { status, location: None, html, style: String::new() }
    }

    /// Redirects the browser to a page that was fixed before the login began.
    pub(crate) fn redirect(url: &url::Url) -> Page {
        Page { location: Some(url.to_string()), ..Page::bare(303) }
    }

    /// Returns the bytes of the HTTP response.
    pub(crate) fn to_http(&self) -> Vec<u8> {
        let kind = if self.style.is_empty() { "text/plain" } else { "text/html" };
        let mut head = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\
             Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n\
             Content-Security-Policy: {}\r\n",
            self.status,
            reason(self.status),
            self.html.len(),
            self.policy(),
        );
        if let Some(location) = &self.location {
            head.push_str(&format!("Location: {location}\r\n"));
        }
        head.push_str("\r\n");
        [head.as_bytes(), self.html.as_bytes()].concat()
    }

    fn policy(&self) -> String {
        let style = match self.style.as_str() {
            "" => String::new(),
            style => format!(" style-src 'sha256-{}';", STANDARD.encode(crypto::sha256(style.as_bytes()))),
        };
        format!("default-src 'none';{style} base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        303 => "See Other",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "",
    }
}

/// Escapes text for an element or a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n24_n25_every_response_forbids_scripts_framing_caching_and_referrers() {
        for page in [Page::bare(404), Page::new(200, "<p>".to_owned(), "p{}")] {
            let text = String::from_utf8(page.to_http()).unwrap();
            for header in [
                "Content-Security-Policy: default-src 'none';",
                "frame-ancestors 'none'",
                "base-uri 'none'",
                "form-action 'none'",
                "Cache-Control: no-store",
                "Referrer-Policy: no-referrer",
                "X-Content-Type-Options: nosniff",
                "Connection: close",
            ] {
                assert!(text.contains(header), "{header}");
            }
            assert!(!text.contains("script-src") && !text.contains("unsafe-inline"));
        }
    }

    #[test]
    fn escaped_text_cannot_break_out() {
        assert_eq!(escape(r#"<a href="x" b='y'>&"#), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
    }
}

//! Reads the forms of our own pages. Enough of HTML for those, and no more.

/// A form with its fields and buttons.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) action: String,
    fields: Vec<(String, String)>,
}

impl Form {
    pub(super) fn first_of(page: &str) -> Option<Form> {
        let form = &page[page.find("<form")?..];
        let form = &form[..form.find("</form>")?];
        let fields = form.split('<').filter(|tag| tag.starts_with("input"));
        let fields = fields
            .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default())));
        Some(Form { action: attribute(form, "action")?, fields: fields.collect() })
    }

    /// What is sent: hidden fields as they are, the account, and the button that was pressed.
    pub(super) fn filled(self, email: &str, password: &str, decision: &str) -> Vec<(String, String)> {
        let asks_for_password = self.fields.iter().any(|(name, _)| name == "password");
        let fill = |(name, value): (String, String)| match name.as_str() {
            "email" => (name, email.to_owned()),
            "password" => (name, password.to_owned()),
            _ => (name, value),
        };
        let mut filled: Vec<_> = self.fields.into_iter().map(fill).collect();
        if !asks_for_password {
            filled.push(("decision".to_owned(), decision.to_owned()));
        }
        filled
    }
}

/// The text of the page's heading.
pub(super) fn title(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("<h1>")?;
    Some(rest.split_once('<')?.0)
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = tag.split('>').next()?;
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(unescape(value))
}

/// The four characters that the templates escape.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_with_its_hidden_fields() {
        let page = r#"<h1>Hi</h1><form method="post" action="/a?b=1&amp;c=2">
            <input type="hidden" name="csrf" value="&quot;x&quot;"><input name="password"></form>"#;
        let form = Form::first_of(page).unwrap();
        assert_eq!(form.action, "/a?b=1&c=2");
        let filled = form.filled("e", "p", "allow");
        assert_eq!(
            filled,
            [("csrf".to_owned(), "\"x\"".to_owned()), ("password".to_owned(), "p".to_owned())]
        );
        assert_eq!(title(page), Some("Hi"));
    }

    #[test]
    fn a_page_without_form_has_none() {
        assert_eq!(Form::first_of("<h1>No</h1><form"), None);
    }
}

//! The form of a page, as a browser without a script sends it.

/// Names and values of the fields of the form of this page that leads to `action` and has a field of this name.
pub fn form_of(html: &str, action: &str, field: &str) -> Vec<(String, String)> {
    let opening = format!("action=\"{action}\"");
    let forms = html.split("<form").skip(1).filter_map(|form| form.split("</form>").next());
    let mut found =
        forms.filter(|form| form.contains(&opening) && form.contains(&format!("name=\"{field}\"")));
    fields(found.next().unwrap_or_else(|| panic!("no form {action} with {field}: {html}")))
}

fn fields(form: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for piece in form.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag");
        let name = attribute(tag, "name").unwrap_or_default();
        let value = attribute(tag, "value").unwrap_or_default();
        if tag.starts_with("input") {
            let is_box = attribute(tag, "type").as_deref() == Some("checkbox");
            if !is_box || tag.split(' ').any(|word| word == "checked") {
                fields.push((name, value));
            }
        } else if tag.starts_with("textarea") {
            fields.push((name, unescaped(text)));
        } else if tag.starts_with("select") {
            let options = form.split_once(piece).expect("it is there").1.split("</select>").next();
            let options: Vec<&str> = options.unwrap_or_default().split("<option").skip(1).collect();
            let chosen = options.iter().find(|option| {
                option.split('>').next().is_some_and(|tag| tag.split(' ').any(|word| word == "selected"))
            });
            let value = chosen.or(options.first()).and_then(|option| attribute(option, "value"));
            fields.push((name, value.unwrap_or_default()));
        }
    }
    fields
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split('>').next()?.split_once(&format!(" {name}=\""))?;
    rest.split('"').next().map(unescaped)
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

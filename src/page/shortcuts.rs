//! The keyboard shortcuts, in a dialog that `?` opens.
//!
//! Before: `layout`. After: `page.js`, which has the keys. Promise: shortcuts of one letter can be switched off, because software that
//! is controlled by voice types letters.

use maud::{Markup, html};

use super::Frame;
use crate::language::{Text, text};

/// The dialog; it is closed at first.
pub fn dialog(frame: &Frame) -> Markup {
    html! {
        dialog #shortcuts aria-labelledby="shortcuts-heading" {
            form method="dialog" {
                h2 #shortcuts-heading { (frame.text(&text!("page-shortcuts"))) }
                dl.shortcuts {
                    @for (keys, what) in shortcuts(frame) {
                        dt { @for key in keys.split(' ') { kbd { (key) } " " } }
                        dd { (frame.text(&what)) }
                    }
                }
                p {
                    label {
                        input #shortcuts-on type="checkbox" checked;
                        " " (frame.text(&text!("page-shortcuts-on")))
                    }
                }
                button autofocus { (frame.text(&text!("page-shortcuts-close"))) }
            }
        }
    }
}

fn shortcuts(frame: &Frame) -> Vec<(&'static str, Text)> {
    let mut shortcuts = vec![
        ("?", text!("page-shortcuts-help")),
        ("j", text!("page-shortcuts-next")),
        ("k", text!("page-shortcuts-previous")),
    ];
    if frame.can_respond() {
        shortcuts.push(("a", text!("page-shortcuts-acknowledge")));
    }
    shortcuts.extend([("s", text!("page-shortcuts-sound")), ("p", text!("page-shortcuts-pause"))]);
    if !frame.is_kiosk() {
        shortcuts.extend([
            ("/", text!("page-shortcuts-search")),
            ("g w", text!("page-wall")),
            ("g a", text!("page-alerts")),
            ("g p", text!("page-people")),
        ]);
    }
    shortcuts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::page::layout::tests::frame;

    #[test]
    fn the_module_has_every_key_that_the_dialog_names() {
        let module = include_str!("assets/page.js");
        for (keys, _) in shortcuts(&frame(Language::En)) {
            let key = keys.rsplit(' ').next().expect("a key");
            assert!(
                module.contains(&format!("{key}: ")) || module.contains(&format!("\"{key}\": ")),
                "{key}"
            );
        }
    }

    #[test]
    fn a_kiosk_leads_nowhere_and_acknowledges_nothing() {
        let mut frame = frame(Language::Zh);
        let viewer = frame.viewer.as_mut().expect("a viewer");
        (viewer.is_kiosk, viewer.can_respond) = (true, false);
        let page = dialog(&frame).into_string();
        assert!(
            page.contains("快捷键") && !page.contains("<kbd>g</kbd>") && !page.contains("<kbd>a</kbd>"),
            "{page}"
        );
    }
}

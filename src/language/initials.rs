//! What is left of a name on a screen that all may see.

/// The first letters of a name: `Person 305` is `P 3`, 王小明 is 王.
pub fn initials(name: &str) -> String {
    let words = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let letters: Vec<String> = words.take(2).map(|letter| letter.to_uppercase().to_string()).collect();
    letters.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_is_left_of_each_of_two_words() {
        for (name, left) in [
            ("Person 305", "P 3"),
            ("李 娜", "李 娜"),
            ("王小明", "王"),
            ("  ", ""),
            ("<b>x", "B"),
            ("ß", "SS"),
        ] {
            assert_eq!(initials(name), left);
        }
    }
}

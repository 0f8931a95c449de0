//! What is left of a name on a screen that all may see.

/// The first letters of a name: `Person 305` is `P 3`, 王小明 is 王. Of a name whose words are single letters the first one is left: 李 娜 is 李.
pub fn initials(name: &str) -> String {
    let words = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let is_whole = name.chars().filter(|c| c.is_alphanumeric()).count() <= 2;
    let most = if is_whole { 1 } else { 2 };
    let letters: Vec<String> = words.take(most).map(|letter| letter.to_uppercase().to_string()).collect();
    letters.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_is_left_of_each_of_two_words() {
        for (name, left) in
            [("Person 305", "P 3"), ("李 娜", "李"), ("王小明", "王"), ("  ", ""), ("<b>x", "B"), ("ß", "SS")]
        {
            assert_eq!(initials(name), left);
        }
    }
}

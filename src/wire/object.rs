//! One walk over the members of an object: those whose names are known, each with the text of what it holds.
//!
//! Before: `fields`, `document`, `device_info` and `event` have the text of an object, and a table of names. After: they judge what the
//! names hold. Promise: no tree in between, texts borrowed from the document; a name that nobody knows is no error, and
//! neither is any value: reading fails only where the text is not JSON.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Reads `text`, which is an object and nothing else. `names` is the table of names: what a name means, if it is known.
pub(super) fn read<'a, K>(
    text: &'a str,
    names: impl Fn(&[u8]) -> Option<K>,
    offer: impl FnMut(K, &'a str),
) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(Members { names, offer, key: PhantomData })?;
    json.end()
}

/// Reads the object `text` begins with; says how many bytes it takes.
pub(super) fn read_first<'a, K>(
    text: &'a str,
    names: impl Fn(&[u8]) -> Option<K>,
    offer: impl FnMut(K, &'a str),
) -> serde_json::Result<usize> {
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(Members { names, offer, key: PhantomData })?;
    Ok(json.into_iter::<IgnoredAny>().byte_offset())
}

struct Members<K, N, F> {
    names: N,
    offer: F,
    key: PhantomData<K>,
}

impl<'de, K, N: Fn(&[u8]) -> Option<K>, F: FnMut(K, &'de str)> Visitor<'de> for Members<K, N, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(known) = map.next_key_seed(Name(&self.names, PhantomData))? {
            match known {
                // The text of the value, not serde's idea of it: numbers stay decimal, ids keep every digit, and no
                // value (1e400, half a surrogate pair) can make its record unreadable.
                Some(key) => (self.offer)(key, map.next_value::<&RawValue>()?.get()),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Reads a name.
struct Name<'n, K, N>(&'n N, PhantomData<K>);

impl<'de, K, N: Fn(&[u8]) -> Option<K>> DeserializeSeed<'de> for Name<'_, K, N> {
    type Value = Option<K>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<K>, D::Error> {
        // As bytes: a name with half a surrogate pair is an unknown name then, and no error.
        deserializer.deserialize_bytes(self)
    }
}

impl<'de, K, N: Fn(&[u8]) -> Option<K>> Visitor<'de> for Name<'_, K, N> {
    type Value = Option<K>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_borrowed_bytes<E: Error>(self, name: &'de [u8]) -> Result<Option<K>, E> {
        let known = (self.0)(name);
        // Read as bytes, a name is not searched for what JSON forbids in a string.
        if known.is_none() && name.iter().any(|byte| *byte < b' ') {
            return Err(E::custom("a control character in a name"));
        }
        Ok(known)
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Option<K>, E> {
        Ok((self.0)(name))
    }
}

//! The members of a JSON object, in one pass: known names with the text of their values, and the names that are not known.
//!
//! Before: `fields`, `document`, `device_info` and `event` have the text of an object, and a table of names. After: they interpret the
//! values. Promise: no tree is built, and texts are borrowed from the document. An unknown name is no error, and neither is any value:
//! reading fails only where the text is not JSON.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A member of an object.
pub(super) enum Member<'a, K> {
    /// What its name means, and the text of what it holds.
    Known(K, &'a str),
    /// The name of one that has no meaning here; not UTF-8 where it holds half a surrogate pair.
    Unknown(Cow<'a, [u8]>),
}

/// Reads `text`, which is an object and nothing else. `names` is the table of names: what a name means, if it is known.
pub(super) fn read<'a, K>(
    text: &'a str,
    names: impl Fn(&[u8]) -> Option<K>,
    on_member: impl FnMut(Member<'a, K>),
) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(ObjectVisitor { names, on_member, key: PhantomData })?;
    json.end()
}

/// Reads the object `text` begins with; says how many bytes it takes.
pub(super) fn read_first<'a, K>(
    text: &'a str,
    names: impl Fn(&[u8]) -> Option<K>,
    on_member: impl FnMut(Member<'a, K>),
) -> serde_json::Result<usize> {
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(ObjectVisitor { names, on_member, key: PhantomData })?;
    Ok(json.into_iter::<IgnoredAny>().byte_offset())
}

struct ObjectVisitor<K, N, F> {
    names: N,
    on_member: F,
    key: PhantomData<K>,
}

impl<'de, K, N: Fn(&[u8]) -> Option<K>, F: FnMut(Member<'de, K>)> Visitor<'de> for ObjectVisitor<K, N, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(NameVisitor(&self.names, PhantomData))? {
            match name {
                // The text of the value, not serde's idea of it: numbers stay decimal, ids keep every digit, and no
                // value (1e400, half a surrogate pair) can make its record unreadable.
                Ok(key) => (self.on_member)(Member::Known(key, map.next_value::<&RawValue>()?.get())),
                Err(name) => {
                    map.next_value::<IgnoredAny>()?;
                    (self.on_member)(Member::Unknown(name));
                }
            }
        }
        Ok(())
    }
}

/// Reads a name: what it means, or else itself.
struct NameVisitor<'n, K, N>(&'n N, PhantomData<K>);

impl<'de, K, N: Fn(&[u8]) -> Option<K>> DeserializeSeed<'de> for NameVisitor<'_, K, N> {
    type Value = Result<K, Cow<'de, [u8]>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        // As bytes: a name with half a surrogate pair is an unknown name then, and no error.
        deserializer.deserialize_bytes(self)
    }
}

impl<'de, K, N: Fn(&[u8]) -> Option<K>> Visitor<'de> for NameVisitor<'_, K, N> {
    type Value = Result<K, Cow<'de, [u8]>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_borrowed_bytes<E: Error>(self, name: &'de [u8]) -> Result<Self::Value, E> {
        match (self.0)(name) {
            Some(key) => Ok(Ok(key)),
            // Read as bytes, a name is not searched for what JSON forbids in a string.
            None if name.iter().any(|byte| *byte < b' ') => Err(E::custom("a control character in a name")),
            None => Ok(Err(Cow::Borrowed(name))),
        }
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok((self.0)(name).ok_or_else(|| Cow::Owned(name.to_owned())))
    }
}

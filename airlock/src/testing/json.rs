//! Whether two encodings say the same.

use serde_json::value::RawValue;

use crate::encode::sorted_fields;

/// What to make of the order in arrays; that of keys in objects means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrays {
    Ordered,
    /// Sets are encoded in the order they have by chance.
    Unordered,
}

/// Compared as text where there is nothing to order, so that numbers of any size stay what they are.
pub(super) fn same(a: &str, b: &str, arrays: Arrays) -> bool {
    if a == b {
        return true;
    }
    if let (Some(a), Some(b)) = (object(a), object(b)) {
        let both = a.iter().zip(&b);
        return a.len() == b.len() && both.into_iter().all(|((k, v), (l, w))| k == l && same(v.get(), w.get(), arrays));
    }
    let (Some(a), Some(mut b)) = (array(a), array(b)) else { return false };
    a.len() == b.len()
        && a.iter().all(|item| {
            let candidates = if arrays == Arrays::Ordered { 1 } else { b.len() };
            let found = b.iter().take(candidates).position(|other| same(item.get(), other.get(), arrays));
            found.map(|index| b.remove(index)).is_some()
        })
}

fn object(text: &str) -> Option<Vec<(String, &RawValue)>> {
    sorted_fields(text).filter(|_| text.starts_with('{'))
}

fn array(text: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(text).ok().filter(|_| text.starts_with('['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_no_order_and_arrays_have_one_unless_they_are_sets() {
        assert!(same(r#"{"a":1,"b":[1,{"c":2,"d":3}]}"#, r#"{"b":[1,{"d":3,"c":2}],"a":1}"#, Arrays::Ordered));
        assert!(!same("[1,2]", "[2,1]", Arrays::Ordered));
        assert!(same("[1,2,2]", "[2,1,2]", Arrays::Unordered));
        assert!(!same("[1,2,2]", "[2,1,1]", Arrays::Unordered));
        assert!(!same(r#"{"a":1}"#, r#"{"a":1,"b":2}"#, Arrays::Ordered));
        assert!(!same(
            "340282366920938463463374607431768211455",
            "340282366920938463463374607431768211454",
            Arrays::Ordered
        ));
    }
}

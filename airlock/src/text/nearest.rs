//! Names like a name, for "did you mean".

use strsim::osa_distance;

/// The nearest of the known names, at most three, the nearest first; none that is far off.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let allowed = |candidate: &str| candidate.len().max(name.len()).div_ceil(3);
    let mut near: Vec<_> = known
        .into_iter()
        // Names come from messages: one of a megabyte must not cost a megabyte of comparing.
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= allowed(candidate))
        .map(|candidate| (osa_distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= allowed(candidate))
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

/// ``; did you mean `send` or `mend`?``, or nothing.
pub(crate) fn hint(nearest: &[&str]) -> String {
    if nearest.is_empty() {
        return String::new();
    }
    let names: Vec<_> = nearest.iter().map(|name| format!("`{name}`")).collect();
    format!("; did you mean {}?", names.join(" or "))
}

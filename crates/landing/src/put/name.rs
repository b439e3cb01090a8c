//! Names from a stranger, made fit for a file.

/// The longest name that is kept; a file system takes 255 bytes, and a digest may be added.
const MAX: usize = 160;

/// Returns `name` as one path component that is safe on every system and visible to readers: its last component,
/// letters, digits, `.`, `-` and `_` only, not beginning with `.`, `_` or `-`. `None` where nothing is left.
///
/// ```
/// use mimelake_landing::put::safe_name;
/// assert_eq!(safe_name("../../etc/receipt 1.siem").as_deref(), Some("receipt_1.siem"));
/// assert_eq!(safe_name("C:\\x\\_state"), Some("state".to_owned()));
/// assert_eq!(safe_name("..", ), None);
/// ```
pub fn safe_name(name: &str) -> Option<String> {
    let leaf = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = leaf.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let shown = kept.trim_start_matches(['.', '_', '-']).trim_end_matches('.');
    // A device on some systems, whatever its extension.
    let stem = shown.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let is_device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || (stem.len() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")));
    let safe = format!("{}{}", if is_device { "x-" } else { "" }, shortened(shown));
    (!safe.is_empty()).then_some(safe)
}

/// Returns `name` with `mark` put before its extensions: `a.json.gz` becomes `a-mark.json.gz`.
pub(super) fn marked(name: &str, mark: &str) -> String {
    let (stem, extensions) = name.split_at(extensions(name));
    format!("{stem}-{mark}{extensions}")
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}

/// The middle goes, so that the beginning, which tells the type, and the extensions stay.
fn shortened(name: &str) -> String {
    if name.len() <= MAX {
        return name.to_owned();
    }
    let extensions = name.get(extensions(name)..).unwrap_or_default();
    let stem = name.get(..MAX - extensions.len()).unwrap_or_default();
    format!("{stem}{extensions}")
}

/// Where the extensions begin: at most two, and short ones.
fn extensions(name: &str) -> usize {
    let mut at = name.len();
    for _ in 0..2 {
        match name.get(..at).and_then(|head| head.rfind('.')) {
            Some(dot) if dot > 0 && at - dot <= 6 => at = dot,
            _ => break,
        }
    }
    at
}

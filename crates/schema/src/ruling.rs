//! What Mimecast did with an email or a click, by the words it uses.

/// What was done, as a word in `action` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ruling {
    /// It was let through.
    Passed,
    /// It was refused while the other side was there to hear it, or blocked.
    Rejected,
    /// It was sent back.
    Bounced,
    /// It was thrown away.
    Dropped,
    /// It was put aside for review.
    Held,
}

const WORDS: [(Ruling, &[&str]); 5] = [
    (
        Ruling::Passed,
        &[
            "acc",
            "accept",
            "accepted",
            "allow",
            "allowed",
            "none",
            "continue",
            "continued",
            "permit",
            "permitted",
            "deliver",
            "delivered",
            "tag",
            "tagged",
        ],
    ),
    (Ruling::Rejected, &["rej", "reject", "rejected", "block", "blocked", "deny", "denied"]),
    (Ruling::Bounced, &["bnc", "bounce", "bounced"]),
    (Ruling::Dropped, &["drop", "dropped", "delete", "deleted"]),
    (Ruling::Held, &["hld", "hold", "held", "quarantine", "quarantined", "sdbx", "sandbox", "sandboxed"]),
];

impl Ruling {
    /// The ruling that a word stands for, in any case; none if the word is not known.
    ///
    /// ```
    /// use mimelake_schema::Ruling;
    /// assert_eq!(Ruling::of_word("Hld"), Some(Ruling::Held));
    /// assert_eq!(Ruling::of_word("Forwarded"), None);
    /// ```
    pub fn of_word(word: &str) -> Option<Self> {
        let word = word.trim_ascii();
        let among = |words: &[&str]| words.iter().any(|w| w.eq_ignore_ascii_case(word));
        WORDS.iter().find(|(_, words)| among(words)).map(|(ruling, _)| *ruling)
    }
}

//! What names, subjects and answers are made of. Every host is under example.com, .net or .org.

pub(super) const FIRST: &[&str] = &[
    "anna", "wei", "maria", "tom", "karin", "jo", "amara", "luis", "priya", "sven", "yuki", "omar", "elena",
    "paul", "ingrid", "kofi", "laura", "mateo", "nadia", "oliver", "fatima", "henrik", "chloe", "raj",
    "sofia", "dmitri", "grace", "ivan", "leila", "marcus", "nora", "pedro", "ruth", "samir", "tessa",
    "viktor", "zoe", "arjun", "bella", "carlos",
];

pub(super) const LAST: &[&str] = &[
    "lindqvist",
    "zhang",
    "santos",
    "baker",
    "holm",
    "marsh",
    "okafor",
    "garcia",
    "sharma",
    "nilsson",
    "tanaka",
    "haddad",
    "petrova",
    "miller",
    "berg",
    "mensah",
    "rossi",
    "silva",
    "kovacs",
    "wright",
    "khan",
    "jensen",
    "martin",
    "patel",
    "costa",
    "volkov",
    "obrien",
    "novak",
    "ahmadi",
    "weber",
    "larsen",
    "romero",
    "cohen",
    "aziz",
    "devries",
    "sokolov",
    "muller",
    "iyer",
    "conti",
    "mendez",
    "clark",
    "fischer",
    "dubois",
    "yamada",
    "ferrari",
    "lopez",
    "andersen",
    "schmidt",
    "nguyen",
    "hughes",
];

pub(super) const PLACES: &[&str] = &[
    "harbour",
    "alder",
    "granite",
    "meadow",
    "copper",
    "northgate",
    "willow",
    "summit",
    "orchard",
    "beacon",
    "river",
    "falcon",
    "cedar",
    "anchor",
    "juniper",
    "quarry",
    "lantern",
    "maple",
    "pioneer",
    "saffron",
    "tundra",
    "vista",
    "amber",
    "bridge",
    "canyon",
    "drift",
    "ember",
    "fjord",
    "glacier",
    "haven",
    "iris",
    "jade",
];

pub(super) const TRADES: &[&str] = &[
    "logistics",
    "supplies",
    "partners",
    "legal",
    "media",
    "foods",
    "systems",
    "travel",
    "energy",
    "health",
    "bank",
    "print",
    "studio",
    "tools",
    "freight",
    "letters",
    "cloud",
    "payroll",
    "shop",
    "insurance",
    "design",
    "labs",
    "consulting",
    "events",
];

pub(super) const MAILBOXES: &[&str] =
    &["info", "noreply", "billing", "news", "support", "orders", "hr", "notifications", "alerts", "sales"];

pub(super) const PREFIXES: &[&str] =
    &["", "", "", "", "Re: ", "RE: ", "Re: Re: ", "FW: ", "Fwd: ", "[EXT] ", "AW: "];

pub(super) const TOPICS: &[&str] = &[
    "Quarterly forecast",
    "Invoice",
    "Your order has shipped",
    "Meeting notes",
    "Weekly digest",
    "Contract renewal",
    "Team lunch on Thursday",
    "Password expiry notice",
    "Delivery schedule",
    "Board papers",
    "Holiday request",
    "Purchase order",
    "Ticket update",
    "Project kick-off",
    "Statement of account",
    "Travel itinerary",
    "New starter",
    "Payment received",
    "Draft for review",
    "Out of office",
    "Site visit",
    "Security awareness training",
    "Server maintenance this weekend",
    "Customer feedback summary",
    "Budget 2026",
    "Minutes of the last call",
    "Reminder: timesheets due",
    "Proposal and next steps",
    "Shipping documents",
    "Change request",
    "Welcome aboard",
    "Please sign the attached agreement",
    "Your monthly report is ready",
    "Accepted: planning session",
    "Canceled: stand-up",
    "Scan from the third floor printer",
];

pub(super) const TOPICS_UNICODE: &[&str] = &[
    "Grüße aus Zürich",
    "Réunion de l’équipe",
    "Größe „L“ nachbestellt",
    "会議のお知らせ",
    "报价单 2026",
    "Отчёт за квартал",
    "Día de la reunión – señal",
    "Faktura på 1 200 kr",
    "🎉 We made it!",
    "⚠️ Action needed",
    "Mødereferat ✅",
    "تحديث المشروع",
    "Kahvihuone ☕ siivous",
    "👩‍💻 Hiring update",
];

pub(super) const FILES: &[&str] = &[
    "invoice",
    "report",
    "contract_signed",
    "agenda",
    "minutes",
    "photo",
    "budget-2026",
    "quote",
    "scan",
    "timesheet",
    "presentation",
    "statement",
    "Größenliste",
    "CV final (2)",
];

pub(super) const EXTENSIONS: &[&str] =
    &["pdf", "pdf", "docx", "xlsx", "jpg", "png", "zip", "pptx", "ics", "csv"];

/// TLS version and cipher, the frequent ones several times.
pub(super) const CIPHERS: &[(&str, &str)] = &[
    ("TLSv1.3", "TLS_AES_256_GCM_SHA384"),
    ("TLSv1.3", "TLS_AES_256_GCM_SHA384"),
    ("TLSv1.3", "TLS_AES_256_GCM_SHA384"),
    ("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    ("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    ("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    ("TLSv1.3", "TLS_AES_128_GCM_SHA256"),
    ("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    ("TLSv1", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
];

/// Why an email is refused at receipt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rejection {
    pub(super) kind: &'static str,
    pub(super) error: &'static str,
    pub(super) code: i64,
    pub(super) info: &'static str,
}

pub(super) const REJECTIONS: &[Rejection] = &[
    Rejection {
        kind: "Invalid Recipient Address",
        error: "Failed Known address verification",
        code: 550,
        info: "Invalid Recipient",
    },
    Rejection {
        kind: "IP Found in RBL",
        error: "IP Found in RBL",
        code: 550,
        info: "Listed by rbl.example.net | see https://rbl.example.net/why",
    },
    Rejection {
        kind: "Manual Envelope Rejection",
        error: "Sender is blocked",
        code: 550,
        info: "Administrative prohibition",
    },
    Rejection {
        kind: "Virus Signature Detection",
        error: "Message bounced due to Malware",
        code: 554,
        info: "Malware",
    },
];

/// Why a delivery attempt failed; `code` 0 where the remote server gave none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    pub(super) error: &'static str,
    pub(super) kind: &'static str,
    pub(super) code: i64,
    pub(super) info: &'static str,
}

pub(super) const DEFERRALS: &[Failure] = &[
    Failure {
        error: "Connection timed out",
        kind: "Recipient server unavailable or busy",
        code: 0,
        info: "",
    },
    Failure { error: "Connection refused", kind: "Recipient server unavailable or busy", code: 0, info: "" },
    Failure {
        error: "451 4.7.1 Greylisted, try again later",
        kind: "Recipient server unavailable or busy",
        code: 451,
        info: "4.7.1 Greylisted, try again later",
    },
];

pub(super) const BOUNCES: &[Failure] = &[
    Failure {
        error: "550 5.1.1 User unknown",
        kind: "Recipient rejected",
        code: 550,
        info: "5.1.1 User unknown",
    },
    Failure {
        error: "552 5.2.2 Mailbox full",
        kind: "Recipient rejected",
        code: 552,
        info: "5.2.2 Mailbox full",
    },
];

pub(super) const HOLDS: &[&str] = &[
    "Spm",
    "Spm",
    "Spm",
    "Attachment Hold - Executable",
    "Default Impersonation Definition",
    "DLP | Card numbers",
];

pub(super) const SPAM_DETAIL_PASS: &str = r#"{"spf":{"info":"SPF_PASS","allow":true},"dkim":{"info":"DKIM_VALID","allow":true},"dmarc":{"info":"DMARC_PASS","allow":true}}"#;

pub(super) const SPAM_DETAILS: &[&str] = &[
    SPAM_DETAIL_PASS,
    SPAM_DETAIL_PASS,
    r#"{"spf":{"info":"SPF_NONE","allow":true},"dkim":{"info":"DKIM_UNKNOWN","allow":true}}"#,
    r#"{"spf":{"info":"SPF_FAIL","allow":true},"dkim":{"info":"DKIM_UNKNOWN","allow":true},"dmarc":{"info":"DMARC_FAIL","allow":false}}"#,
    r#"{"spf":{"info":"SPF_PASS","allow":true},"dkim":{"info":"DKIM_VALID","allow":true},"permittedSender":{"info":"KNOWN","allow":true},"greyEmail":false}"#,
];

pub(super) const ROUTES: &[&str] =
    &["Mimecast Exchange Route", "Mimecast Exchange Route", "Branch Office EMEA", "Default Outbound Route"];

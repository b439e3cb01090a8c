//! The log-type table: one row for each event type.

#[allow(clippy::enum_glob_use, reason = "the table below names nearly all of them")]
use crate::Field::{self, *};

/// One row of the log-type table.
#[derive(Clone, Copy, Debug)]
pub struct TypeRow {
    /// The table's name.
    pub table: &'static str,
    /// What a row of it stands for.
    pub doc: &'static str,
    /// How the names of files (or zip members) of this type begin.
    pub files: &'static [&'static str],
    /// How API 2.0 spells the type.
    pub json2: &'static [&'static str],
    /// Sets of keys that tell the type in API 1.0: all keys of any one set.
    pub told_by: &'static [&'static [&'static str]],
    /// The columns that only this type and some others have.
    pub own: &'static [Field],
    /// All columns, in the table's order.
    pub columns: &'static [Field],
}

macro_rules! types {
    ($(
        #[doc = $doc:literal]
        $name:ident $table:literal files[$($file:literal),*] json2[$($json2:literal),*]
        told_by[$($set:tt),*]
        $(columns[$($column:ident),*])? $(whole[$($whole:ident),*])?;
    )+) => {
        /// What kind of event a record tells of; each has a table of its own.
        ///
        /// The order is that in which types are told apart by keys: the first whose keys are there.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum EventType { $( #[doc = $doc] $name, )+ }

        const ROWS: &[TypeRow] = &[$( TypeRow {
            table: $table,
            doc: $doc.trim_ascii(),
            files: &[$($file),*],
            json2: &[$($json2),*],
            told_by: &[$(&$set),*],
            own: &[$($($column),*)? $($($whole),*)?],
            columns: &[$(
                Timestamp, Account, Acode, ProcessingId, MessageId,
                $($column,)*
                Dialect, SourceFile, SourceOffset, Flags, Extra,
            )? $($($whole),*)?],
        }, )+];

        impl EventType {
            /// Every event type, in the order of the table.
            pub const ALL: &[Self] = &[$( Self::$name, )+];
        }
    };
}

impl EventType {
    /// The type's row in the table.
    pub const fn row(self) -> &'static TypeRow {
        &ROWS[self as usize]
    }

    /// The table's name.
    pub const fn table(self) -> &'static str {
        self.row().table
    }

    /// All columns of the table, in order.
    pub const fn columns(self) -> &'static [Field] {
        self.row().columns
    }

    /// The column's place in the table, if the table has it.
    pub fn position(self, field: Field) -> Option<usize> {
        self.columns().iter().position(|&f| f == field)
    }

    /// The type whose table has this name.
    pub fn from_table(table: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|t| t.table() == table)
    }

    /// The type that the name of a file or zip member speaks for, by its longest known beginning.
    ///
    /// Only the last component of a path counts, and case does not.
    ///
    /// ```
    /// use mimelake_schema::EventType;
    /// assert_eq!(EventType::from_file_name("ttp_url_20260302090000123.siem"), Some(EventType::UrlProtect));
    /// assert_eq!(EventType::from_file_name("notes.txt"), None);
    /// ```
    pub fn from_file_name(name: &str) -> Option<Self> {
        let leaf = name.rsplit(['/', '\\']).next().unwrap_or(name).as_bytes();
        let begins =
            |p: &str| leaf.get(..p.len()).is_some_and(|head| head.eq_ignore_ascii_case(p.as_bytes()));
        let spoken_for = |t: Self| t.row().files.iter().filter(|p| begins(p)).map(|p| (p.len(), t)).max();
        Self::ALL.iter().filter_map(|&t| spoken_for(t)).max().map(|(_, t)| t)
    }

    /// The type that API 2.0 spells like this; blanks, `_` and case do not matter.
    pub fn from_json2(spelling: &str) -> Option<Self> {
        let letters = |s: &str| {
            let folded = s.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase());
            folded.collect::<Vec<_>>()
        };
        let wanted = letters(spelling);
        Self::ALL.iter().copied().find(|t| t.row().json2.iter().any(|s| letters(s) == wanted))
    }
}

types! {
    /// One attempt to hand an email to one recipient's server.
    Delivery "delivery" files["delivery_"] json2["delivery"]
    told_by[["Attempt"], ["Delivered"], ["Err"], ["Latency"], ["ReceiptAck"], ["Snt"], ["UseTls"]]
    columns[Delivered, DestinationIp, DestinationHost, Sender, Recipients, Subject, RouteName, Direction, Attempt,
        LatencyMs, BytesSent, AttachmentCount, AttachmentsSize, ReceiptAck, Error, RejectionType, RejectionCode,
        RejectionInfo, TlsUsed, TlsVersion, TlsCipher];

    /// What Mimecast's policies did with one email.
    Process "process" files["process_"] json2["process"]
    told_by[["AttNames"], ["Hld"], ["MsgSize"], ["IPNewDomain"], ["IPInternalName"], ["IPReplyMismatch"],
        ["IPSimilarDomain"], ["IPThreadDict"]]
    columns[Action, HoldReason, Sender, Subject, MessageSize, AttachmentCount, AttachmentsSize, AttachmentNames,
        ProcessInternalName, ProcessNewDomain, ProcessReplyMismatch, ProcessSimilarDomain, ProcessThreatDictionary];

    /// One journalled email and recipient.
    Journal "journal" files["jrnl_", "journal_"] json2["journal"]
    told_by[["RcptActType"], ["RcptHdrType"]]
    columns[Sender, Recipients, Direction, RecipientActionType, RecipientHeaderType, Subject];

    /// One virus found in an email.
    Av "av" files["av_", "av_tse_"] json2["av"]
    told_by[["CustomerIP"], ["MimecastIP"], ["SenderDomainInternal"], ["Virus", "md5"], ["Virus", "sha1"],
        ["Virus", "sha256"]]
    columns[Sender, SenderDomain, SenderDomainInternal, Recipients, SourceIp, Direction, Subject, ScannedSize, FileName,
        FileExtension, FileMime, Md5, Sha1, Sha256, Virus, CustomerIp, MimecastIp];

    /// One email whose sender pretends to be somebody else.
    ImpersonationProtect "impersonation_protect" files["impersonation", "ttp_ip_"] json2["impersonation protect"]
    told_by[["Definition"], ["Hits"], ["TaggedMalicious"]]
    columns[Sender, Recipients, SourceIp, Subject, Definition, Hits, Action, Direction, TaggedExternal,
        TaggedMalicious, InternalName, CustomName, NewDomain, ReplyMismatch, SimilarInternalDomain,
        SimilarCustomExternalDomain, SimilarMimecastExternalDomain, ThreatDictionary, CustomThreatDictionary];

    /// One harmful link in an email between the account's own people.
    InternalEmailProtect "internal_email_protect" files["iep", "internal_email_protect"]
    json2["internal email protect"]
    told_by[["ScanResultInfo"]]
    columns[Sender, Recipients, Url, UrlCategory, ScanResult, Direction, Subject, MonitoredDomainSource,
        SimilarDomain];

    /// One click on a link that Mimecast had rewritten.
    UrlProtect "url_protect" files["ttp_url_", "url_protect"] json2["url protect"]
    told_by[["reason", "url"], ["url", "sourceIp"]]
    columns[Sender, Recipients, SourceIp, SenderDomain, Url, UrlCategory, Reason, Action, Direction, Subject,
        CredentialTheft, Analysis];

    /// One harmful attachment that the sandbox found.
    AttachmentProtect "attachment_protect" files["ttp_ap_", "attachment_protect"] json2["attachment protect"]
    told_by[["sha256"], ["fileName"]]
    columns[Sender, SenderDomain, Recipients, SourceIp, Direction, Subject, FileName, FileExtension, FileMime, Md5,
        Sha1, Sha256, Size];

    /// One email and recipient as Mimecast received it.
    Receipt "receipt" files["receipt_"] json2["receipt"]
    told_by[["SpamInfo"], ["SpamLimit"], ["SpamScore"], ["SpamProcessingDetail"], ["Error"], ["Act", "Rcpt"]]
    columns[Action, Direction, SourceIp, Sender, HeaderFrom, Recipients, Subject, Error, RejectionType,
        RejectionCode, RejectionInfo, SpamScore, SpamLimit, SpamInfo, SpamDetail, SpamDetailJson,
        SpamDetectionLevel, Virus, TlsVersion, TlsCipher, AttachmentCount];

    /// One email that is part of a spam event.
    Spam "spam" files["spam", "spameventthread_"] json2["spam"]
    told_by[["SourceIP", "SenderDomain"]]
    columns[Sender, HeaderFrom, Recipients, SenderDomain, SourceIp, Direction, Subject];

    /// One thing that somebody did in the account's administration.
    Audit "audit" files["audit"] json2["audit"]
    told_by[["auditType"], ["eventInfo"]]
    columns[AuditId, AuditType, User, Category, EventInfo, ClientIp, Application, Method];

    /// A record that neither its keys nor its file's name settle.
    Unknown "unknown" files[] json2[]
    told_by[]
    columns[];

    /// One email: its receipts, its processing, its deliveries and what was detected, joined by `mimelake correlate`.
    Message "messages" files[] json2[]
    told_by[]
    whole[FirstSeen, LastSeen, Account, Acode, MessageId, Status, Complete, Stages, Direction, Sender, HeaderFrom,
        Recipients, Subject, SourceIp, Action, HoldReason, RejectionType, RejectionCode, RejectionInfo, SpamScore,
        SpamDetail, Virus, MessageSize, AttachmentCount, AttachmentNames, Attempts, FirstDelivered, EndToEndMs,
        Receipts, Process, EarlierProcesses, Deliveries, Detections, Flags];
}

//! What a message keeps of each record: the members of its columns `receipts`, `process`, `deliveries` and
//! `detections`.
//!
//! Together they are all that the join reads of a record. Two records that agree in all of it are the same one.
//! The last of each list stand once in the message; a record says them again only where it says something else,
//! and says the empty text where it says nothing.

use crate::EventType;
#[allow(clippy::enum_glob_use, reason = "the lists below name half of them")]
use crate::Field::{self, *};

/// Members of a message's columns that the message itself has too.
pub const SHARED: [Field; 5] = [MessageId, Sender, HeaderFrom, Direction, Subject];

/// The members of `receipts`.
pub const RECEIPT: &[Field] = &[
    Timestamp,
    Recipient,
    Action,
    SourceIp,
    Error,
    RejectionType,
    RejectionCode,
    RejectionInfo,
    SpamScore,
    SpamLimit,
    SpamInfo,
    SpamDetail,
    Virus,
    TlsVersion,
    TlsCipher,
    ProcessingId,
    JoinedBy,
    MessageId,
    Sender,
    HeaderFrom,
    Direction,
    Subject,
];

/// The members of `process` and `earlier_processes`.
pub const PROCESS: &[Field] = &[
    Timestamp,
    Action,
    HoldReason,
    MessageSize,
    AttachmentCount,
    AttachmentsSize,
    AttachmentNames,
    ProcessInternalName,
    ProcessNewDomain,
    ProcessReplyMismatch,
    ProcessSimilarDomain,
    ProcessThreatDictionary,
    ProcessingId,
    JoinedBy,
    MessageId,
    Sender,
    Subject,
];

/// The members of `deliveries`.
pub const DELIVERY: &[Field] = &[
    Timestamp,
    Recipient,
    Attempt,
    Delivered,
    DestinationIp,
    DestinationHost,
    LatencyMs,
    BytesSent,
    TlsUsed,
    TlsVersion,
    TlsCipher,
    Error,
    RejectionType,
    RejectionCode,
    RejectionInfo,
    ReceiptAck,
    RouteName,
    ProcessingId,
    JoinedBy,
    MessageId,
    Sender,
    Direction,
    Subject,
];

/// The members of `detections`.
pub const DETECTION: &[Field] = &[
    Timestamp,
    DetectedBy,
    Recipient,
    Verdict,
    Url,
    FileName,
    Sha256,
    Definition,
    Action,
    SourceIp,
    ProcessingId,
    JoinedBy,
    MessageId,
    Sender,
    HeaderFrom,
    Direction,
    Subject,
];

impl EventType {
    /// What a message keeps of a record of this type; none for types that no message is made of.
    pub const fn message_members(self) -> Option<&'static [Field]> {
        Some(match self {
            Self::Receipt => RECEIPT,
            Self::Process => PROCESS,
            Self::Delivery => DELIVERY,
            Self::Av
            | Self::Spam
            | Self::ImpersonationProtect
            | Self::InternalEmailProtect
            | Self::UrlProtect
            | Self::AttachmentProtect => DETECTION,
            Self::Journal | Self::Audit | Self::Unknown | Self::Message => return None,
        })
    }
}
